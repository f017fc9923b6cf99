import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CODE, createBench, execute, GDT, handled, HANDLERS, IDT, INNER_STACK, longMode, protectedMode, realMode, selectors, STACK, TASK, USER_STACK, type Bench,
} from '../../../test/support/processor.ts';

/** Values on the stack, from its top. */
const quads = ({ cpu, qword }: Bench, count: number): number[] => Array.from({ length: count }, (_, at) => Number(qword(cpu.registers.number('rsp') + 8 * at)));
const doubles = ({ cpu, memory }: Bench, count: number): number[] => (
  Array.from({ length: count }, (_, at) => memory.getUint32(cpu.registers.number('rsp') + 4 * at, true))
);
const words = ({ cpu, memory }: Bench, count: number): number[] => (
  Array.from({ length: count }, (_, at) => memory.getUint16(cpu.registers.number('rsp') + 2 * at, true))
);

const RF = 0x10000;
const bench = (): Bench => createBench();

test('long mode: a fault pushes SS, RSP, RFLAGS with RF, CS and RIP on the same stack, aligned', () => {
  const b = bench();
  longMode(b);
  b.cpu.registers.setWide('rsp', BigInt(STACK + 5));
  // ud2
  execute(b, '0f 0b');
  assert.equal(handled(b), 6);
  assert.equal(b.cpu.registers.number('rsp'), STACK - 40);
  assert.deepEqual(quads(b, 5), [CODE, selectors.code64, RF | 2, STACK + 5, selectors.data]);
});

test('long mode: from level 3 the stack is RSP0, and SS is null', () => {
  const b = bench();
  longMode(b, 3);
  // cli
  execute(b, 'fa');
  assert.equal(handled(b), 13);
  assert.equal(b.cpu.level, 0);
  assert.deepEqual(quads(b, 6), [0, CODE, selectors.userCode64, RF | 2, USER_STACK, selectors.userData]);
  assert.equal(b.cpu.registers.number('rsp'), INNER_STACK - 48);
  assert.equal(b.cpu.registers.number('ssSelector'), 0);
});

test('long mode: the interrupt stack table chooses the stack without a change of level', () => {
  const b = bench();
  longMode(b);
  b.memory.setUint8(IDT + 16 * 6 + 4, 2);
  b.memory.setUint32(TASK + 36 + 8, 0x4a008, true);
  // ud2
  execute(b, '0f 0b');
  assert.equal(b.cpu.registers.number('rsp'), 0x4a000 - 40);
  assert.equal(quads(b, 4)[3], STACK);
});

test('a page fault has its error code and CR2', () => {
  const b = bench();
  longMode(b, 3);
  // mov $0x40000123, %eax; mov %al, (%rax)
  execute(b, 'b8 23 01 00 40 88 00');
  assert.equal(handled(b), 14);
  assert.equal(quads(b, 1)[0], 6);
  assert.equal(b.cpu.registers.number('cr2'), 0x40000123);
});

test('INT n asks for the level of its gate, an exception does not; an interrupt gate clears IF, a trap gate does not', () => {
  const b = bench();
  longMode(b, 3);
  // int $0x80
  execute(b, 'cd 80');
  assert.deepEqual([handled(b), quads(b, 2)[0]], [13, 0x80 * 8 + 2]);
  longMode(b, 3);
  b.memory.setUint8(IDT + 16 * 0x80 + 5, 0xef);
  b.cpu.registers.setNumber('rflags', 0x202);
  b.cpu.registers.setNumber('activity', 0);
  // int $0x80
  execute(b, 'cd 80');
  assert.deepEqual([handled(b), quads(b, 1)[0], b.cpu.registers.number('rflags')], [0x80, CODE + 2, 0x202]);
});

test('a fault in the delivery of a fault is a double fault, a third shuts down', () => {
  const b = bench();
  longMode(b);
  b.memory.setUint8(IDT + 16 * 13 + 5, 0x0e);
  // mov $0xffff, %eax; mov %eax, %ds
  execute(b, 'b8 ff ff 00 00 8e d8');
  assert.deepEqual([handled(b), quads(b, 2)[0], quads(b, 2)[1]], [8, 0, CODE + 5]);
  const c = bench();
  longMode(c);
  c.cpu.registers.setNumber('idtrLimit', 0);
  // ud2
  assert.equal(execute(c, '0f 0b'), 'shutdown');
});

test('a benign exception whose gate is missing becomes that fault, with EXT in its error code', () => {
  const b = bench();
  longMode(b);
  b.memory.setUint8(IDT + 16 * 6 + 5, 0x0e);
  // ud2
  execute(b, '0f 0b');
  assert.deepEqual([handled(b), quads(b, 1)[0]], [11, 6 * 8 + 2 + 1]);
});

test('interrupts wait for IF, and for one instruction more behind STI', () => {
  const b = bench();
  longMode(b);
  b.interrupt = 0x30;
  // nop; sti; inc %eax; inc %eax
  execute(b, '90 fb ff c0 ff c0');
  assert.equal(handled(b), 0x30);
  assert.equal(quads(b, 1)[0], CODE + 4);
  assert.equal(b.cpu.registers.number('rax'), 1);
});

test('HLT waits for an interrupt and goes on behind it', () => {
  const b = bench();
  longMode(b);
  // sti; hlt; inc %eax; hlt
  assert.equal(execute(b, 'fb f4 ff c0 f4'), 'halt');
  assert.equal(b.cpu.registers.number('rip'), CODE + 2);
  b.interrupt = 0x31;
  // iretq
  b.load(HANDLERS + 16 * 0x31, '48 cf');
  b.cpu.run(100);
  assert.equal(b.cpu.registers.number('rax'), 1);
  assert.equal(b.cpu.registers.number('rsp'), STACK);
});

test('MOV SS holds off interrupts and the trap of TF for one instruction', () => {
  const b = bench();
  longMode(b);
  b.cpu.registers.setNumber('rflags', 0x202);
  // mov $0x10, %eax; mov %eax, %ss; mov $0x41000, %esp; nop
  b.load(CODE, 'b8 10 00 00 00 8e d0 bc 00 10 04 00 90');
  b.cpu.run(1);
  b.cpu.run(1);
  b.interrupt = 0x30;
  b.cpu.run(100);
  // Behind the instruction that follows it, on the whole new stack.
  assert.equal(quads(b, 1)[0], CODE + 12);
  assert.equal(b.cpu.registers.number('rsp'), 0x41000 - 40);
});

test('NMI waits until IRET', () => {
  const b = bench();
  longMode(b);
  // inc %eax; out %al, $0x80; iretq
  b.load(HANDLERS + 16 * 2, 'ff c0 e6 80 48 cf');
  b.cpu.registers.setNumber('nmiPending', 1);
  // nop; hlt
  b.load(CODE, '90 f4');
  b.cpu.run(1);
  assert.equal(b.cpu.registers.number('nmiBlocked'), 1);
  b.cpu.registers.setNumber('nmiPending', 1);
  b.cpu.run(100);
  assert.equal(b.cpu.registers.number('rax'), 2);
  assert.equal(b.cpu.registers.number('nmiBlocked'), 0);
});

test('TF traps behind each instruction, and each step of a repeated one', () => {
  const b = bench();
  longMode(b);
  // inc %ebx; iretq
  b.load(HANDLERS + 16, 'ff c3 48 cf');
  b.cpu.registers.setWide('rcx', 3n);
  b.cpu.registers.setWide('rdi', 0x9000n);
  // pushf; orl $0x100, (%rsp); popf; nop; rep stosb; pushf; andl $0xfffffeff, (%rsp); popf; nop; hlt
  execute(b, '9c 81 0c 24 00 01 00 00 9d 90 f3 aa 9c 81 24 24 ff fe ff ff 9d 90 f4');
  // NOP, three steps, PUSHF, AND, POPF.
  assert.equal(b.cpu.registers.number('rbx'), 7);
  assert.equal(b.cpu.registers.number('dr6') & 0x4000, 0x4000);
});

test('a breakpoint on execution is met once: IRET sets RF', () => {
  const b = bench();
  longMode(b);
  // inc %ebx; orl $0x10000, 16(%rsp); iretq
  b.load(HANDLERS + 16, 'ff c3 81 4c 24 10 00 00 01 00 48 cf');
  b.cpu.registers.setWide('dr0', BigInt(CODE + 1));
  b.cpu.registers.setWide('dr7', 0x401n);
  // nop; inc %eax; hlt
  execute(b, '90 ff c0 f4');
  assert.deepEqual([b.cpu.registers.number('rbx'), b.cpu.registers.number('rax'), b.cpu.registers.number('dr6') & 0xf], [1, 1, 1]);
});

test('protected mode: from level 3 to the stack of the task state', () => {
  const b = bench();
  protectedMode(b, 3);
  // ud2
  execute(b, '0f 0b');
  assert.equal(handled(b), 6);
  assert.deepEqual(doubles(b, 5), [CODE, selectors.userCode32, RF | 2, USER_STACK, selectors.userData]);
});

test('protected mode: back to level 3 by IRET, without the inner data segments', () => {
  const b = bench();
  protectedMode(b, 3);
  // mov %ss, %eax; mov %eax, %es; addl $2, (%esp); iret
  b.load(HANDLERS + 16 * 6, '8c d0 8e c0 83 04 24 02 cf');
  // ud2; inc %ecx; cli
  execute(b, '0f 0b 41 fa');
  assert.equal(handled(b), 13);
  assert.deepEqual(doubles(b, 3).slice(1), [CODE + 3, selectors.userCode32]);
  assert.equal(b.cpu.registers.number('rcx'), 1);
  assert.deepEqual([b.cpu.registers.number('esSelector'), b.cpu.registers.number('dsSelector')], [0, selectors.userData]);
});

test('protected mode: through a 16-bit gate half as much is pushed', () => {
  const b = bench();
  protectedMode(b);
  b.memory.setUint8(IDT + 8 * 3 + 5, 0x86);
  b.memory.setUint16(IDT + 8 * 3 + 6, 0, true);
  b.memory.setUint16(IDT + 8 * 3, 0x8000, true);
  b.memory.setUint8(0x8000, 0xf4);
  // int3
  execute(b, 'cc');
  assert.equal(b.cpu.registers.number('rip'), 0x8001);
  assert.deepEqual(words(b, 3), [(CODE + 1) & 0xffff, selectors.code32, 2]);
});

test('real mode: IP, CS and FLAGS by the table at 0; no error codes', () => {
  const b = bench();
  realMode(b);
  b.cpu.registers.setNumber('rflags', 0x202);
  // int $0x21
  execute(b, 'cd 21');
  assert.equal(handled(b, 0x3000), 0x21);
  assert.deepEqual(words(b, 3), [0x1002, 0, 0x202]);
  assert.equal(b.cpu.registers.number('rflags'), 2);
  const c = bench();
  realMode(c);
  // mov $0xffff, %bx; mov (%bx), %ax
  execute(c, 'bb ff ff 8b 07');
  assert.equal(handled(c, 0x3000), 13);
  assert.deepEqual(words(c, 2), [0x1003, 0]);
});

test('virtual-8086 mode: in by IRET, out by a fault with all segments on the stack; INT asks for IOPL 3', () => {
  const b = bench();
  protectedMode(b);
  // mov %ds, %ax; int $0x21
  b.load(0x12340, '8c d8 cd 21');
  // push $0x5; push $0x4; push $0x3; push $0x2; push $0x1000; push $0x100; push $0x20002; push $0x1234; push $0; iret
  execute(b, '6a 05 6a 04 6a 03 6a 02 68 00 10 00 00 68 00 01 00 00 68 02 00 02 00 68 34 12 00 00 6a 00 cf');
  assert.equal(handled(b), 13);
  assert.equal(b.cpu.registers.number('rax') & 0xffff, 3);
  assert.deepEqual(doubles(b, 10), [0, 2, 0x1234, 0x30002, 0x100, 0x1000, 2, 3, 4, 5]);
  assert.equal(b.cpu.registers.number('dsSelector'), 0);
  assert.equal(b.cpu.level, 0);
});

test('a task gate: the state is in the old task state, the new one links back to it', () => {
  const b = bench();
  protectedMode(b);
  const next = 0x8000;
  b.memory.setBigUint64(GDT + 0x48, 0x0000890000000067n | (BigInt(next) << 16n), true);
  b.memory.setBigUint64(IDT + 8 * 6, 0x0000850000480000n, true);
  [[32, HANDLERS], [36, 2], [56, 0x8800], [72, selectors.data], [76, selectors.code32], [80, selectors.data], [84, selectors.data]].forEach(([at, value]) => {
    b.memory.setUint32(next + (at as number), value as number, true);
  });
  b.cpu.registers.setWide('rbx', 0x1234n);
  // ud2
  execute(b, '0f 0b');
  assert.equal(b.cpu.registers.number('rip'), HANDLERS + 1);
  assert.equal(b.cpu.registers.number('trSelector'), 0x48);
  assert.equal(b.memory.getUint16(next, true), selectors.task);
  assert.equal(b.memory.getUint32(TASK + 52, true), 0x1234);
  assert.equal(b.memory.getUint32(TASK + 32, true), CODE);
  assert.equal(b.cpu.registers.number('rflags') & 0x4000, 0x4000);
  assert.equal(b.cpu.registers.number('cr0') & 8, 8);
});
