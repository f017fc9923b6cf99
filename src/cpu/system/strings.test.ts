import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CODE, createBench, execute, handled, longMode, protectedMode, realMode, TABLES, TASK, type Bench } from '../../../test/support/processor.ts';

const bench = (): Bench => createBench();
const set = ({ cpu }: Bench, values: Partial<Record<'rax' | 'rcx' | 'rdx' | 'rsi' | 'rdi', number>>): void => {
  for (const [name, value] of Object.entries(values)) cpu.registers.setWide(name as 'rax', BigInt(value));
};
const get = ({ cpu }: Bench, ...names: ('rax' | 'rbx' | 'rcx' | 'rdx' | 'rsi' | 'rdi')[]): number[] => names.map((name) => cpu.registers.number(name));

test('REP MOVS and REP STOS of many elements, forwards over pages and backwards', () => {
  const b = bench();
  longMode(b);
  for (let at = 0; at < 20000; at++) b.memory.setUint8(0x100ffd + at, at % 251);
  set(b, { rsi: 0x100ffd, rdi: 0x200123, rcx: 19999 });
  // rep movsb; mov $0x5a, %eax; mov $0x300fff, %edi; mov $5000, %ecx; std; rep stosb; hlt
  execute(b, 'f3 a4 b8 5a 00 00 00 bf ff 0f 30 00 b9 88 13 00 00 fd f3 aa f4', 1e6);
  for (let at = 0; at < 19999; at++) assert.equal(b.memory.getUint8(0x200123 + at), at % 251);
  assert.equal(b.memory.getUint8(0x200123 + 19999), 0);
  assert.deepEqual([b.memory.getUint8(0x300fff), b.memory.getUint8(0x300fff - 4999), b.memory.getUint8(0x300fff - 5000)], [0x5a, 0x5a, 0]);
  assert.deepEqual(get(b, 'rsi', 'rdi', 'rcx'), [0x100ffd + 19999, 0x300fff - 5000, 0]);
});

test('a destination just above its source repeats what was written', () => {
  const b = bench();
  longMode(b);
  b.memory.setUint16(0x100000, 0x2211, true);
  set(b, { rsi: 0x100000, rdi: 0x100002, rcx: 100 });
  // rep movsb; hlt
  execute(b, 'f3 a4 f4');
  assert.equal(b.memory.getUint16(0x100000 + 100, true), 0x2211);
});

test('a fault in the middle leaves the registers at the element that faulted', () => {
  for (const count of [8, 1000]) {
    const b = bench();
    longMode(b);
    // What lies from 10 MiB on is not there.
    b.memory.setBigUint64(TABLES + 0x2000 + 8 * 5, 0n, true);
    set(b, { rsi: 0x100000, rdi: 0xa00000 - 28, rcx: count });
    // rep movsl
    execute(b, 'f3 a5');
    assert.equal(handled(b), 14);
    assert.deepEqual(get(b, 'rsi', 'rdi', 'rcx'), [0x100000 + 28, 0xa00000, count - 7]);
    assert.equal(b.qword(b.cpu.registers.number('rsp') + 8), BigInt(CODE));
    assert.equal(b.cpu.registers.number('cr2'), 0xa00000);
  }
});

test('an interrupt finds a repeated instruction between two steps, and it goes on', () => {
  const b = bench();
  longMode(b);
  set(b, { rdi: 0x100000, rcx: 500000, rax: 7 });
  b.cpu.registers.setNumber('rflags', 0x202);
  // rep stosb; hlt
  b.load(CODE, 'f3 aa f4');
  assert.equal(b.cpu.run(1), 'budget');
  const [left] = get(b, 'rcx') as [number];
  assert.ok(left > 0 && left < 500000);
  assert.equal(b.cpu.registers.number('rip'), CODE);
  assert.equal(b.cpu.run(1e6), 'halt');
  assert.deepEqual(get(b, 'rdi', 'rcx'), [0x100000 + 500000, 0]);
  assert.equal(b.memory.getUint8(0x100000 + 499999), 7);
});

test('REPNE SCAS finds, REPE CMPS finds the difference, a count of zero does nothing', () => {
  const b = bench();
  longMode(b);
  b.load(0x100000, '61 62 63 64 65 00');
  b.load(0x100100, '61 62 63 00');
  set(b, { rdi: 0x100000, rcx: 100, rax: 0x64 });
  // repne scasb; mov %rcx, %rbx; mov $0x100000, %esi; mov $0x100100, %edi; mov $9, %ecx; repe cmpsb; seta %al; mov %rdi, %rdx; xor %ecx, %ecx
  // rep movsq; hlt
  execute(b, 'f2 ae 48 89 cb be 00 00 10 00 bf 00 01 10 00 b9 09 00 00 00 f3 a6 0f 97 c0 48 89 fa 31 c9 f3 48 a5 f4');
  assert.deepEqual(get(b, 'rbx', 'rcx', 'rdx'), [96, 0, 0x100104]);
  assert.equal(get(b, 'rax')[0] as number & 0xff, 1);
  assert.equal(get(b, 'rdi')[0], 0x100104);
});

test('16-bit addresses wrap, and segments count', () => {
  const b = bench();
  realMode(b);
  b.cpu.registers.setSegment('es', { selector: 0x2000, base: 0x20000n, limit: 0xffff, attributes: 0x93 });
  b.cpu.registers.setSegment('fs', { selector: 0x3000, base: 0x30000n, limit: 0xffff, attributes: 0x93 });
  for (let at = 0; at < 64; at++) b.memory.setUint8(0x30000 + ((0xfff0 + at) & 0xffff), at);
  set(b, { rsi: 0xaaaafff0, rdi: 0xffe0, rcx: 0xbbbb0040 });
  // rep movsb %fs:(%si), %es:(%di); fs lodsb; hlt
  execute(b, '64 f3 a4 64 ac f4');
  for (let at = 0; at < 64; at++) assert.equal(b.memory.getUint8(0x20000 + ((0xffe0 + at) & 0xffff)), at);
  assert.deepEqual(get(b, 'rsi', 'rdi', 'rcx'), [0xaaaa0031, 0x20, 0xbbbb0000]);
});

test('IN, OUT, INS and OUTS reach their ports', () => {
  const b = bench();
  longMode(b);
  b.load(0x100000, '01 02 03 04 05 06 07 08');
  set(b, { rsi: 0x100000, rdi: 0x100100, rcx: 2, rdx: 0x3f8, rax: 0xffffffff });
  // rep outsl; mov $3, %ecx; rep insw; in $0x60, %al; in %dx, %eax; out %ax, %dx; hlt
  execute(b, 'f3 6f b9 03 00 00 00 66 f3 6d e4 60 ed 66 ef f4');
  assert.deepEqual(b.writes, ['3f8:4=4030201', '3f8:4=8070605', '3f8:2=5a5a']);
  assert.deepEqual([b.memory.getUint32(0x100100, true), b.memory.getUint32(0x100104, true)], [0x5a5a5a5a, 0x5a5a]);
  assert.deepEqual(get(b, 'rax', 'rcx', 'rdi'), [0x5a5a5a5a, 0, 0x100106]);
});

test('ports of level 3 are those that IOPL or the permission bitmap give', () => {
  const map = 0x68;
  for (const [flags, bit, vector] of [[2, 1, 13], [2, 0, undefined], [0x3002, 1, undefined]] as const) {
    const b = bench();
    protectedMode(b, 3);
    b.cpu.registers.setNumber('trLimit', 0x2ff);
    b.memory.setUint16(TASK + 102, map, true);
    for (let at = 0; at < 0x100; at++) b.memory.setUint8(TASK + map + at, 0xff);
    b.memory.setUint8(TASK + map + 0x7f, bit === 1 ? 0xff : 0xfe);
    b.cpu.registers.setNumber('rflags', flags);
    set(b, { rdx: 0x3f8, rax: 0x41 });
    // The INT3 tells that it came so far: its gate is the supervisor's.
    // out %al, %dx; mov $1, %ebx; int3
    execute(b, 'ee bb 01 00 00 00 cc');
    assert.equal(b.writes.length, vector === undefined ? 1 : 0);
    assert.deepEqual([handled(b), get(b, 'rbx')[0]], [13, vector === undefined ? 1 : 0]);
  }
});

test('INS does not ask the device when memory is not there', () => {
  let reads = 0;
  const b = createBench({ readPort: () => { reads += 1; return 0; } });
  longMode(b);
  set(b, { rdi: 0x40000000, rcx: 2, rdx: 0x60 });
  // rep insb
  execute(b, 'f3 6c');
  assert.deepEqual([handled(b), reads, get(b, 'rcx')[0]], [14, 0, 2]);
});

test('ENTER, LEAVE, PUSHA and POPA', () => {
  const b = bench();
  protectedMode(b);
  // mov $0x1111, %ebp; enter $16, $0; mov %ebp, %eax; mov %esp, %ebx; leave; mov %ebp, %ecx; mov %esp, %edx; pusha; xor %eax, %eax; xor %ebx, %ebx
  // popa; hlt
  execute(b, 'bd 11 11 00 00 c8 10 00 00 89 e8 89 e3 c9 89 e9 89 e2 60 31 c0 31 db 61 f4');
  assert.deepEqual(get(b, 'rax', 'rbx', 'rcx', 'rdx'), [0x3fffc, 0x3ffec, 0x1111, 0x40000]);
  const c = bench();
  longMode(c);
  // mov $0x1111, %ebp; enter $32, $0; leave; mov %rbp, %rax; mov %rsp, %rbx; hlt
  execute(c, 'bd 11 11 00 00 c8 20 00 00 c9 48 89 e8 48 89 e3 f4');
  assert.deepEqual(get(c, 'rax', 'rbx'), [0x1111, 0x40000]);
});

test('nested frames of ENTER: the pointers of the outer ones are copied', () => {
  const b = bench();
  protectedMode(b);
  b.memory.setUint32(0x3fff8, 0xaaaa, true);
  // mov $0x3fffc, %ebp; mov $0x3f000, %esp; enter $8, $2; mov (%ebp), %eax; mov -4(%ebp), %ebx; mov -8(%ebp), %ecx; mov %esp, %edx; hlt
  execute(b, 'bd fc ff 03 00 bc 00 f0 03 00 c8 08 00 02 8b 45 00 8b 5d fc 8b 4d f8 89 e2 f4');
  assert.deepEqual(get(b, 'rax', 'rbx', 'rcx', 'rdx'), [0x3fffc, 0xaaaa, 0x3effc, 0x3effc - 16]);
});

test('decimal adjustments, BOUND and INTO', () => {
  const b = bench();
  protectedMode(b);
  // mov $0x79, %al; add $0x35, %al; daa; setc %bl; mov %al, %bh; mov $0x0009, %ax; add $5, %al; aaa; mov %ax, %cx; mov $63, %al; aam; mov %ax, %dx
  // aad; movzx %al, %esi; hlt
  execute(b, 'b0 79 04 35 27 0f 92 c3 88 c7 66 b8 09 00 04 05 37 66 89 c1 b0 3f d4 0a 66 89 c2 d5 0a 0f b6 f0 f4');
  assert.deepEqual(get(b, 'rbx', 'rcx', 'rdx', 'rsi'), [0x1401, 0x0104, 0x0603, 63]);
  const cases: [string, number | undefined][] = [
    // movl $1, 0x9000; movl $5, 0x9004; mov $6, %eax; bound %eax, 0x9000
    ['c7 05 00 90 00 00 01 00 00 00 c7 05 04 90 00 00 05 00 00 00 b8 06 00 00 00 62 05 00 90 00 00', 5],
    // movl $-1, 0x9000; movl $5, 0x9004; mov $5, %eax; bound %eax, 0x9000; hlt
    ['c7 05 00 90 00 00 ff ff ff ff c7 05 04 90 00 00 05 00 00 00 b8 05 00 00 00 62 05 00 90 00 00 f4', undefined],
    // mov $0x7fffffff, %eax; inc %eax; into
    ['b8 ff ff ff 7f 40 ce', 4],
    // xor %eax, %eax; aam $0
    ['31 c0 d4 00', 0],
  ];
  for (const [code, vector] of cases) {
    const c = bench();
    protectedMode(c);
    execute(c, code);
    assert.equal(handled(c), vector, code);
  }
});

test('LAHF and SAHF, carry and direction', () => {
  const b = bench();
  longMode(b);
  // mov $0xd500, %eax; sahf; pushf; pop %rbx; cmc; std; pushf; pop %rcx; cld; stc; lahf; movzx %ah, %edx; clc; pushf; pop %rsi; hlt
  execute(b, 'b8 00 d5 00 00 9e 9c 5b f5 fd 9c 59 fc f9 9f 0f b6 d4 f8 9c 5e f4');
  assert.deepEqual(get(b, 'rbx', 'rcx', 'rdx', 'rsi'), [0xd7, 0x4d6, 0xd7, 0xd6]);
});

test('CPUID adds what follows from the state; RDTSC is forbidden by CR4.TSD', () => {
  const b = createBench({ cpuid: (leaf) => [leaf, 1, 2, 0xffffffff] });
  longMode(b);
  // mov $1, %eax; cpuid; mov %edx, %esi; mov %cr4, %rax; bts $18, %rax; mov %rax, %cr4; mov $1, %eax; cpuid; mov %ecx, %edi; rdtsc; hlt
  execute(b, 'b8 01 00 00 00 0f a2 89 d6 0f 20 e0 48 0f ba e8 12 0f 22 e0 b8 01 00 00 00 0f a2 89 cf 0f 31 f4');
  assert.deepEqual(get(b, 'rsi', 'rdi', 'rax', 'rdx'), [0xfffffdff, 0x8000002, 0x3456789a, 0x12]);
  const c = bench();
  longMode(c, 3);
  c.cpu.registers.setWide('cr4', 0x624n);
  // rdtsc
  execute(c, '0f 31');
  assert.equal(handled(c), 13);
});
