import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CODE, createBench, execute, GDT, handled, HANDLERS, longMode, protectedMode, selectors, TASK, type Bench,
} from '../../../test/support/processor.ts';

const bench = (): Bench => createBench();
const get = ({ cpu }: Bench, ...names: ('rax' | 'rbx' | 'rcx' | 'rdx' | 'rsi' | 'rdi' | 'rsp' | 'rflags')[]): number[] => names.map((name) => cpu.registers.number(name));

/** Puts an 8086 program at 1234:0 and returns to it by IRET. */
function virtual8086(b: Bench, program: string, flags: number): void {
  protectedMode(b);
  b.load(0x12340, program);
  const { registers } = b.cpu;
  registers.setWide('rsp', 0x3ff00n);
  [0, 0x1234, flags | 0x20002, 0x1000, 0x100, 2, 3, 4, 5].forEach((value, at) => b.memory.setUint32(0x3ff00 + 4 * at, value, true));
  // iret
  execute(b, 'cf');
}

test('SYSENTER and SYSEXIT: flat segments beside the one of the MSR', () => {
  const b = bench();
  protectedMode(b, 3);
  const { registers } = b.cpu;
  registers.setWide('sysenterCs', 0x18n);
  registers.setWide('sysenterEip', 0x21000n);
  registers.setWide('sysenterEsp', 0x48000n);
  registers.setNumber('rflags', 0x202);
  // mov %cs, %eax; mov %ss, %ebx; pushf; pop %esi; mov $0x20002, %edx; mov $0x50000, %ecx; sysexit
  b.load(0x21000, '8c c8 8c d3 9c 5e ba 02 00 02 00 b9 00 00 05 00 0f 35');
  // sysenter; mov %cs, %edi; mov %ss, %ebp; hlt
  execute(b, '0f 34 8c cf 8c d5 f4');
  assert.equal(handled(b), 13);
  assert.deepEqual(get(b, 'rax', 'rbx', 'rsi', 'rdi'), [0x18, 0x20, 2, 0x2b]);
  assert.equal(registers.number('rbp'), 0x33);
  assert.equal(b.memory.getUint32(b.cpu.registers.number('rsp') + 4, true), CODE + 6);
});

test('SYSENTER without its segment is #GP, SYSCALL without EFER.SCE #UD', () => {
  const b = bench();
  protectedMode(b, 3);
  // sysenter
  execute(b, '0f 34');
  assert.equal(handled(b), 13);
  const c = bench();
  longMode(c, 3);
  c.cpu.registers.setWide('efer', 0x500n);
  // syscall
  execute(c, '0f 05');
  assert.equal(handled(c), 6);
});

test('virtual-8086 mode without IOPL 3: CLI, PUSHF, INT and IRET are #GP', () => {
  const programs = [
    // cli
    'fa',
    // pushf
    '9c',
    // int $0x21
    'cd 21',
    // iret
    'cf',
  ];
  for (const program of programs) {
    const b = bench();
    virtual8086(b, program, 0);
    assert.equal(handled(b), 13, program);
  }
});

test('virtual-8086 mode with VME: CLI and STI change VIF, PUSHF shows it as IF', () => {
  const b = bench();
  b.cpu.registers.setWide('cr4', 1n);
  // sti; pushf; pop %ax; cli; pushf; pop %bx; hlt
  virtual8086(b, 'fb 9c 58 fa 9c 5b f4', 0);
  assert.equal(handled(b), 13);
  assert.deepEqual(get(b, 'rax', 'rbx').map((value) => value & 0x3200), [0x3200, 0x3000]);
});

test('with PVI level 3 has a virtual interrupt flag too', () => {
  const b = bench();
  protectedMode(b, 3);
  b.cpu.registers.setWide('cr4', 2n);
  // sti; hlt
  execute(b, 'fb f4');
  assert.equal(handled(b), 13);
  assert.equal(b.memory.getUint32(get(b, 'rsp')[0] as number + 12, true) & 0x80200, 0x80000);
});

test('IRET with NT returns to the task that the link names', () => {
  const b = bench();
  protectedMode(b);
  const outer = 0x8000;
  b.memory.setBigUint64(GDT + 0x48, 0x00008b0000000067n | (BigInt(outer) << 16n), true);
  [[32, HANDLERS], [36, 2], [56, 0x8800], [72, selectors.data], [76, selectors.code32], [80, selectors.data], [84, selectors.data]].forEach(([at, value]) => {
    b.memory.setUint32(outer + (at as number), value as number, true);
  });
  b.memory.setUint16(TASK, 0x48, true);
  b.cpu.registers.setNumber('rflags', 0x4002);
  // iret
  execute(b, 'cf');
  assert.equal(b.cpu.registers.number('rip'), HANDLERS + 1);
  assert.equal(b.cpu.registers.number('trSelector'), 0x48);
  assert.equal(b.memory.getUint8(GDT + selectors.task + 5), 0x89);
  assert.equal(b.memory.getUint32(TASK + 36, true) & 0x4000, 0);
});

test('a far jump to a task state switches without a link', () => {
  const b = bench();
  protectedMode(b);
  const next = 0x8000;
  b.memory.setBigUint64(GDT + 0x48, 0x0000890000000067n | (BigInt(next) << 16n), true);
  [[32, HANDLERS], [36, 2], [56, 0x8800], [72, selectors.data], [76, selectors.code32], [80, selectors.data], [84, selectors.data]].forEach(([at, value]) => {
    b.memory.setUint32(next + (at as number), value as number, true);
  });
  // ljmp $0x48, $0
  execute(b, 'ea 00 00 00 00 48 00');
  assert.deepEqual([b.cpu.registers.number('trSelector'), b.memory.getUint16(next, true), get(b, 'rflags')[0]], [0x48, 0, 2]);
  assert.equal(b.memory.getUint32(TASK + 32, true), CODE + 7);
});

test('a conforming handler runs at the level that it interrupts', () => {
  const b = bench();
  protectedMode(b, 3);
  b.memory.setUint8(GDT + selectors.code32 + 5, 0x9e);
  // mov %cs, %eax; int3
  b.load(HANDLERS + 16 * 6, '8c c8 cc');
  // ud2
  execute(b, '0f 0b');
  assert.equal(get(b, 'rax')[0], selectors.code32 | 3);
});

test('IRET to 64-bit code that is not canonical, or to a more privileged level, is #GP', () => {
  const b = bench();
  longMode(b);
  // push $0x33; push $0x5000; push $2; push $0x3b; mov $0x800000000000, %rax; push %rax; iretq
  execute(b, '6a 33 68 00 50 00 00 6a 02 6a 3b 48 b8 00 00 00 00 00 80 00 00 50 48 cf');
  assert.equal(handled(b), 13);
  const c = bench();
  longMode(c, 3);
  // push $0x10; push $0x5000; push $2; push $8; push $0x21000; iretq
  execute(c, '6a 10 68 00 50 00 00 6a 02 6a 08 68 00 10 02 00 48 cf');
  assert.deepEqual([handled(c), c.qword(get(c, 'rsp')[0] as number)], [13, 8n]);
});

test('ARPL raises a requested level', () => {
  const b = bench();
  protectedMode(b);
  // mov $0x10, %eax; mov $3, %ebx; arpl %bx, %ax; setz %cl; movw $0x23, 0x9000; mov $1, %edx; arpl %dx, 0x9000; setz %ch; movzx %cx, %ecx; hlt
  execute(b, 'b8 10 00 00 00 bb 03 00 00 00 63 d8 0f 94 c1 66 c7 05 00 90 00 00 23 00 ba 01 00 00 00 63 15 00 90 00 00 0f 94 c5 0f b7 c9 f4');
  assert.deepEqual([...get(b, 'rax', 'rcx'), b.memory.getUint16(0x9000, true)], [0x13, 1, 0x23]);
});
