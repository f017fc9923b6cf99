import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CODE, createBench, execute, GDT, handled, longMode, protectedMode, realMode, selectors, STACK, TABLES, type Bench } from '../../../test/support/processor.ts';

const bench = (): Bench => createBench();

/** Puts tables and descriptors of long mode into memory, and starts in real mode. */
function coldStart(): Bench {
  const b = bench();
  longMode(b);
  b.memory.setUint16(0x4f00, 8 * 11 - 1, true);
  b.memory.setUint32(0x4f02, GDT, true);
  const { registers } = b.cpu;
  registers.setWide('efer', 0n);
  registers.setWide('cr3', 0n);
  registers.setWide('cr4', 0n);
  realMode(b);
  return b;
}

test('from real mode through protected mode to long mode, and back to compatibility mode', () => {
  const b = coldStart();
  // lgdtl 0x4f00; mov %cr0, %eax; or $1, %al; mov %eax, %cr0; ljmpl $0x18, $0x20000
  b.load(0x1000, '66 0f 01 16 00 4f 0f 20 c0 0c 01 0f 22 c0 66 ea 00 00 02 00 18 00');
  // mov $0x10, %ax; mov %ax, %ss; mov %ax, %ds; mov $0x40000, %esp; mov $0x20, %eax; mov %eax, %cr4; mov $0x10000, %eax; mov %eax, %cr3
  // mov $0xc0000080, %ecx; rdmsr; bts $8, %eax; wrmsr; mov %cr0, %eax; bts $31, %eax; mov %eax, %cr0; rdmsr; mov %eax, %esi; ljmp $0x8, $0x21000
  b.load(CODE,
    '66 b8 10 00 8e d0 8e d8 bc 00 00 04 00 b8 20 00 00 00 0f 22 e0 b8 00 00 01 00 0f 22 d8 b9 80 00 00 c0 0f 32 0f ba e8 08 0f 30 0f 20 ' +
    'c0 0f ba e8 1f 0f 22 c0 0f 32 89 c6 ea 00 10 02 00 08 00');
  // mov $0x1122334455667788, %rbx; push $0x18; push $0x22000; lretq
  b.load(0x21000, '48 bb 88 77 66 55 44 33 22 11 6a 18 68 00 20 02 00 48 cb');
  // mov %cs, %edi; hlt
  b.load(0x22000, '8c cf f4');
  assert.equal(b.cpu.run(1000), 'halt');
  const { registers } = b.cpu;
  assert.equal(registers.number('rip'), 0x22003);
  assert.equal(registers.wide('rbx'), 0x1122334455667788n);
  assert.equal(registers.number('rsi'), 0x500);
  assert.equal(registers.number('rdi'), 0x18);
  assert.equal(b.cpu.long, false);
});

test('PG needs PE, and PAE in long mode; NW needs CD; LMA goes with PG', () => {
  for (const [value, vector] of [[0x80000010, 13], [0x20000011, 13], [0x60000011, undefined]] as const) {
    const b = bench();
    protectedMode(b);
    b.cpu.registers.setWide('rax', BigInt(value));
    // mov %eax, %cr0; hlt
    execute(b, '0f 22 c0 f4');
    assert.equal(handled(b), vector, value.toString(16));
  }
  const b = bench();
  longMode(b);
  // xor %eax, %eax; mov %rax, %cr4
  execute(b, '31 c0 0f 22 e0');
  assert.equal(handled(b), 13);
});

test('unknown bits of CR4 and EFER, addresses in MSRs that are none, MSRs that there are none of: #GP', () => {
  const cases: [string, number | undefined][] = [
    // mov $0x80000020, %eax; mov %rax, %cr4; hlt
    ['b8 20 00 00 80 0f 22 e0 f4', 13],
    // mov $0xc0000080, %ecx; rdmsr; or $2, %eax; wrmsr; hlt
    ['b9 80 00 00 c0 0f 32 83 c8 02 0f 30 f4', 13],
    // mov $0xc0000080, %ecx; rdmsr; and $~0x100, %eax; wrmsr; hlt
    ['b9 80 00 00 c0 0f 32 25 ff fe ff ff 0f 30 f4', 13],
    // mov $0xc0000082, %ecx; mov $0x8000, %edx; wrmsr; hlt
    ['b9 82 00 00 c0 ba 00 80 00 00 0f 30 f4', 13],
    // mov $0xc0000082, %ecx; mov $0xffff8000, %edx; wrmsr; hlt
    ['b9 82 00 00 c0 ba 00 80 ff ff 0f 30 f4', undefined],
    // mov $0x12345, %ecx; rdmsr; hlt
    ['b9 45 23 01 00 0f 32 f4', 13],
    // mov $0x277, %ecx; mov $2, %eax; xor %edx, %edx; wrmsr; hlt
    ['b9 77 02 00 00 b8 02 00 00 00 31 d2 0f 30 f4', 13],
    // mov $0x200, %ecx; wrmsr; rdmsr; hlt
    ['b9 00 02 00 00 0f 30 0f 32 f4', undefined],
  ];
  for (const [code, vector] of cases) {
    const b = bench();
    longMode(b);
    execute(b, code);
    assert.equal(handled(b), vector, code);
  }
});

test('a change of CR3 and INVLPG make new tables count', () => {
  const b = bench();
  longMode(b);
  b.memory.setUint32(0x600010, 0x1234, true);
  // The second 2 MiB are read, then lead to the fourth.
  // mov 0x200010, %eax; movq $0x600087, 0x12008; invlpg 0x200000; mov 0x200010, %ebx; movq $0x200087, 0x12008; mov %cr3, %rcx; mov %rcx, %cr3
  // mov 0x200010, %edx; hlt
  execute(b,
    '8b 04 25 10 00 20 00 48 c7 04 25 08 20 01 00 87 00 60 00 0f 01 3c 25 00 00 20 00 8b 1c 25 10 00 20 00 48 c7 04 25 08 20 01 00 87 00 ' +
    '20 00 0f 20 d9 0f 22 d9 8b 14 25 10 00 20 00 f4');
  assert.deepEqual(['rax', 'rbx', 'rdx'].map((name) => b.cpu.registers.number(name as 'rax')), [0, 0x1234, 0]);
});

test('SMEP and SMAP guard the supervisor, and STAC lifts the latter', () => {
  // mov 0x200000, %eax; stac; mov 0x200000, %eax; clac; mov 0x200000, %eax
  const code = '8b 04 25 00 00 20 00 0f 01 cb 8b 04 25 00 00 20 00 0f 01 ca 8b 04 25 00 00 20 00';
  const b = bench();
  longMode(b);
  // Code, stack and tables are the supervisor's; the next 2 MiB are the user's.
  b.memory.setBigUint64(TABLES + 0x2000, 0x83n, true);
  b.cpu.registers.setWide('cr4', 0x200620n);
  execute(b, code);
  assert.deepEqual([handled(b), b.qword(b.cpu.registers.number('rsp')), b.qword(b.cpu.registers.number('rsp') + 8)], [14, 1n, BigInt(CODE)]);
  const c = bench();
  longMode(c);
  c.memory.setBigUint64(TABLES + 0x2000, 0x83n, true);
  c.cpu.registers.setWide('cr4', 0x200620n);
  c.cpu.registers.setNumber('rip', CODE + 7);
  c.load(CODE, code);
  c.cpu.run(100);
  assert.deepEqual([handled(c), c.qword(c.cpu.registers.number('rsp') + 8)], [14, BigInt(CODE + 7 + 3 + 7 + 3)]);
  const d = bench();
  longMode(d);
  d.memory.setBigUint64(TABLES + 0x2000, 0x83n, true);
  d.cpu.registers.setWide('cr4', 0x100620n);
  // mov $0x200000, %eax; jmp *%rax
  execute(d, 'b8 00 00 20 00 ff e0');
  assert.deepEqual([handled(d), d.qword(d.cpu.registers.number('rsp'))], [14, 0x11n]);
});

test('SYSCALL and SYSRET: selectors, flags by their mask, and back', () => {
  const b = bench();
  longMode(b, 3);
  const { registers } = b.cpu;
  registers.setWide('star', 0x0023_0008_0000_0000n);
  registers.setWide('lstar', 0x21000n);
  registers.setWide('sfmask', 0x200n);
  registers.setNumber('rflags', 0x203);
  // mov %ss, %eax; mov %cs, %ebx; pushf; pop %rdx; sysretq
  b.load(0x21000, '8c d0 8c cb 9c 5a 48 0f 07');
  // syscall; mov %ss, %esi; mov %cs, %edi; hlt
  execute(b, '0f 05 8c d6 8c cf f4');
  assert.equal(handled(b), 13);
  assert.deepEqual(['rax', 'rbx', 'rdx', 'rsi', 'rdi', 'rcx'].map((name) => registers.number(name as 'rax')), [0x10, 8, 3, 0x2b, 0x33, CODE + 2]);
});

test('SWAPGS is for level 0; FSGSBASE asks for its bit of CR4', () => {
  const b = bench();
  longMode(b);
  b.cpu.registers.setWide('kernelGsBase', 0x9000n);
  b.memory.setUint32(0x9008, 77, true);
  // swapgs; mov %gs:8, %eax; mov %cr4, %rcx; bts $16, %rcx; mov %rcx, %cr4; rdgsbase %rdx; mov $0x5000, %esi; wrfsbase %rsi; mov %fs:0x4008, %ebx
  // hlt
  execute(b, '0f 01 f8 65 8b 04 25 08 00 00 00 0f 20 e1 48 0f ba e9 10 0f 22 e1 f3 48 0f ae ca be 00 50 00 00 f3 48 0f ae d6 64 8b 1c 25 08 40 00 00 f4');
  assert.deepEqual([b.cpu.registers.number('rax'), b.cpu.registers.number('rdx'), b.cpu.registers.number('rbx')], [77, 0x9000, 77]);
  const cases: [string, number][] = [
    // swapgs
    ['0f 01 f8', 13],
    // rdfsbase %rax
    ['f3 48 0f ae c0', 6],
  ];
  for (const [code, vector] of cases) {
    const c = bench();
    longMode(c, 3);
    execute(c, code);
    assert.equal(handled(c), vector);
  }
});

test('POPF changes IF by IOPL and IOPL at level 0 alone', () => {
  const b = bench();
  longMode(b);
  // push $0x3202; popf; pushf; pop %rax; hlt
  execute(b, '68 02 32 00 00 9d 9c 58 f4');
  assert.equal(b.cpu.registers.number('rax'), 0x3202);
  const c = bench();
  longMode(c, 3);
  // push $0x3202; popf; pushf; pop %rax; hlt
  execute(c, '68 02 32 00 00 9d 9c 58 f4');
  assert.deepEqual([handled(c), c.cpu.registers.number('rax')], [13, 2]);
});

test('segment registers: null, wrong types and levels, not present', () => {
  const cases: [selector: number, vector: number | undefined, error: number][] = [
    [0, undefined, 0], [3, undefined, 0], [selectors.data, undefined, 0], [selectors.userData, undefined, 0], [0x60, 13, 0x60], [selectors.task, 13, selectors.task], [0x13, 13, 0x10],
    [0x14, 13, 0x14],
  ];
  for (const [selector, vector, error] of cases) {
    const b = bench();
    protectedMode(b);
    b.cpu.registers.setWide('rax', BigInt(selector));
    // mov %eax, %fs; mov %fs, %ebx; hlt
    execute(b, '8e e0 8c e3 f4');
    assert.equal(handled(b), vector, selector.toString(16));
    if (vector === undefined) assert.equal(b.cpu.registers.number('rbx'), selector);
    else assert.equal(b.memory.getUint32(b.cpu.registers.number('rsp'), true), error);
  }
  const b = bench();
  protectedMode(b);
  b.memory.setUint8(GDT + selectors.data + 5, 0x12);
  // mov $0x10, %eax; mov %eax, %ss
  execute(b, 'b8 10 00 00 00 8e d0');
  assert.deepEqual([handled(b), b.memory.getUint32(b.cpu.registers.number('rsp'), true)], [12, 0x10]);
});

test('through a null segment, and beyond a limit, nothing is read', () => {
  const b = bench();
  protectedMode(b);
  // xor %eax, %eax; mov %eax, %fs; mov %fs:0, %eax
  execute(b, '31 c0 8e e0 64 a1 00 00 00 00');
  assert.equal(handled(b), 13);
  const c = bench();
  protectedMode(c);
  // mov $0x50, %eax; mov %eax, %fs; movb %fs:0xffff, %cl; movw %fs:0xffff, %cx
  execute(c, 'b8 50 00 00 00 8e e0 64 8a 0d ff ff 00 00 64 66 8b 0d ff ff 00 00');
  assert.deepEqual([handled(c), c.memory.getUint32(c.cpu.registers.number('rsp') + 4, true)], [13, CODE + 14]);
});

test('a call gate leads to level 0 with its parameters, RETF n back', () => {
  const b = bench();
  protectedMode(b, 3);
  b.memory.setBigUint64(GDT + 0x48, 0x0002ec0200181000n, true);
  // mov 8(%esp), %eax; mov 12(%esp), %ebx; lret $8
  b.load(0x21000, '8b 44 24 08 8b 5c 24 0c ca 08 00');
  // push $7; push $8; lcall $0x48, $0; mov %esp, %ecx; hlt
  execute(b, '6a 07 6a 08 9a 00 00 00 00 48 00 89 e1 f4');
  assert.equal(handled(b), 13);
  assert.deepEqual(['rax', 'rbx', 'rcx'].map((name) => b.cpu.registers.number(name as 'rax')), [8, 7, 0x50000]);
});

test('LAR, LSL, VERR and VERW tell what may be looked at', () => {
  const b = bench();
  protectedMode(b, 3);
  // mov $0x33, %ecx; lar %ecx, %eax; lsl %ecx, %ebx; verw %cx; setz %dl; mov $0x10, %ecx; verr %cx; setz %dh; lar %ecx, %esi; setz %cl; hlt
  execute(b, 'b9 33 00 00 00 0f 02 c1 0f 03 d9 0f 00 e9 0f 94 c2 b9 10 00 00 00 0f 00 e1 0f 94 c6 0f 02 f1 0f 94 c1 f4');
  const { registers } = b.cpu;
  assert.deepEqual([registers.number('rax') & 0xf0ff00, registers.number('rbx'), registers.number('rdx') & 0xffff, registers.number('rcx') & 0xff], [0xc0f200, 0xffffffff, 1, 0]);
});

test('LDTR and TR: what they hold, and that a task is busy then', () => {
  const b = bench();
  longMode(b);
  b.memory.setUint8(GDT + selectors.task + 5, 0x89);
  // mov $0x40, %eax; ltr %ax; str %ebx; sldt %ecx; sgdt 0x9000; smsw %edx; hlt
  execute(b, 'b8 40 00 00 00 0f 00 d8 0f 00 cb 0f 00 c1 0f 01 04 25 00 90 00 00 0f 01 e2 f4');
  const { registers } = b.cpu;
  assert.deepEqual([registers.number('rbx'), registers.number('rcx'), registers.number('rdx')], [0x40, 0, 0x80010033]);
  assert.equal(b.memory.getUint8(GDT + selectors.task + 5), 0x8b);
  assert.deepEqual([b.memory.getUint16(0x9000, true), b.qword(0x9002)], [8 * 11 - 1, BigInt(GDT)]);
  b.cpu.registers.setNumber('rip', CODE);
});

test('real mode keeps the limit of protected mode', () => {
  const b = coldStart();
  b.memory.setUint32(0x200000, 0x55aa, true);
  // lgdtl 0x4f00; mov %cr0, %eax; or $1, %al; mov %eax, %cr0; mov $0x10, %bx; mov %bx, %es; and $0xfe, %al; mov %eax, %cr0; xor %bx, %bx
  // mov %bx, %es; mov $0x200000, %esi; mov %es:(%esi), %ecx; hlt
  execute(b, '66 0f 01 16 00 4f 0f 20 c0 0c 01 0f 22 c0 bb 10 00 8e c3 24 fe 0f 22 c0 31 db 8e c3 66 be 00 00 20 00 26 67 66 8b 0e f4');
  assert.equal(b.cpu.registers.number('rcx'), 0x55aa);
});

test('debug registers: fixed bits, DR4 and DR5 are others unless CR4.DE', () => {
  const b = bench();
  longMode(b);
  // xor %eax, %eax; mov %rax, %db6; mov %rax, %db7; mov %db6, %rbx; mov %db7, %rcx; hlt
  execute(b, '31 c0 0f 23 f0 0f 23 f8 0f 21 f3 0f 21 f9 f4');
  assert.deepEqual([b.cpu.registers.number('rbx'), b.cpu.registers.number('rcx')], [0xffff0ff0, 0x400]);
  const c = bench();
  longMode(c);
  c.cpu.registers.setWide('cr4', 0x628n);
  // mov %db4, %rbx
  execute(c, '0f 21 e3');
  assert.equal(handled(c), 6);
  assert.equal(c.cpu.registers.number('rsp'), STACK - 40);
});

test('a global translation is forgotten when CR4.PGE changes, and by INVLPG', () => {
  // mov 0x200010, %eax; movq $0x600187, 0x12008; mov %cr4, %rcx; btr $7, %rcx; mov %rcx, %cr4; mov 0x200010, %ebx; movq $0x200187, 0x12008
  // invlpg 0x200000; mov 0x200010, %edx; hlt
  const code =
    '8b 04 25 10 00 20 00 48 c7 04 25 08 20 01 00 87 01 60 00 0f 20 e1 48 0f ba f1 07 0f 22 e1 8b 1c 25 10 00 20 00 48 c7 04 25 08 20 01 ' +
    '00 87 01 20 00 0f 01 3c 25 00 00 20 00 8b 14 25 10 00 20 00 f4';
  const b = bench();
  longMode(b);
  b.memory.setUint32(0x600010, 0x1234, true);
  b.memory.setUint32(TABLES + 0x2008, 0x200187, true);
  b.cpu.registers.setWide('cr4', 0x6a0n);
  execute(b, code);
  assert.deepEqual(['rax', 'rbx', 'rdx'].map((name) => b.cpu.registers.number(name as 'rax')), [0, 0x1234, 0]);
});
