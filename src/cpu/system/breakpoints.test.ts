import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CODE, createBench, execute, handled, longMode, USER_STACK, type Bench } from '../../../test/support/processor.ts';

const DATA = 0x60000;

/** DR7 for the first breakpoint: kind 1 writes, 2 ports, 3 all accesses; length 0 one byte, 3 four. */
function watch({ cpu: { registers } }: Bench, address: number, kind: number, length: number): void {
  registers.setWide('dr0', BigInt(address));
  registers.setWide('dr7', BigInt(0x402 | (kind << 16) | (length << 18)));
}

function start(level: 0 | 3 = 0): Bench {
  const bench = createBench();
  longMode(bench, level);
  bench.cpu.registers.setWide('rdi', BigInt(DATA));
  return bench;
}

const DB = 1;
const AC = 17;
const returnsTo = (bench: Bench): bigint => bench.qword(bench.cpu.registers.number('rsp'));

test('a write that a breakpoint watches is done, and trapped behind itself', () => {
  const bench = start();
  watch(bench, DATA, 1, 0);
  // mov al, [rdi]; mov [rdi + 1], al; mov byte [rdi], 5; nop
  execute(bench, '8a 07 88 47 01 c6 07 05 90');
  assert.equal(handled(bench), DB);
  assert.equal(returnsTo(bench), BigInt(CODE + 8));
  assert.equal(bench.memory.getUint8(DATA), 5);
  assert.equal(bench.cpu.registers.number('dr6') & 0xf, 1);
});

test('a breakpoint on accesses is met by reads, and by what overlaps it', () => {
  const bench = start();
  watch(bench, DATA + 4, 3, 3);
  // mov eax, [rdi]; mov rax, [rdi - 3]; mov rax, [rdi]
  execute(bench, '8b 07 48 8b 47 fd 48 8b 07 90');
  // From 3 below it eight bytes reach the first of the four.
  assert.equal(returnsTo(bench), BigInt(CODE + 6));
});

test('breakpoints are seen behind a translation that is kept, and forgotten when they are off', () => {
  const bench = start();
  // mov [rdi], al; mov dr0, rdi; mov dr7, rax; mov [rdi], al; hlt
  bench.cpu.registers.setWide('rax', 0x10402n);
  const code = '88 07 0f 23 c7 0f 23 f8 88 07 f4';
  execute(bench, code);
  assert.deepEqual([handled(bench), returnsTo(bench)], [DB, BigInt(CODE + 10)]);
  bench.cpu.registers.setWide('dr7', 0x400n);
  bench.cpu.registers.setWide('rax', 0x400n);
  bench.cpu.registers.setNumber('activity', 0);
  bench.cpu.registers.setWide('rip', BigInt(CODE));
  execute(bench, code);
  assert.equal(bench.cpu.registers.number('rip'), CODE + 11);
});

test('a repeated string instruction stops where it has met one', () => {
  const bench = start();
  watch(bench, DATA + 2, 1, 0);
  bench.cpu.registers.setWide('rcx', 10n);
  execute(bench, 'f3 aa f4');
  assert.deepEqual([handled(bench), bench.cpu.registers.wide('rcx'), returnsTo(bench)], [DB, 7n, BigInt(CODE)]);
});

test('ports are watched with CR4.DE alone', () => {
  for (const [cr4, vector] of [[0x620n, undefined], [0x628n, DB]] as const) {
    const bench = start();
    bench.cpu.registers.setWide('cr4', cr4);
    watch(bench, 0x80, 2, 0);
    execute(bench, 'e6 80 f4');
    assert.equal(handled(bench), vector);
    assert.deepEqual(bench.writes.length, 1);
  }
});

test('RF of a breakpoint on code is not set in its image', () => {
  const bench = start();
  watch(bench, CODE + 1, 0, 0);
  execute(bench, '90 90 90');
  assert.equal(handled(bench), DB);
  assert.equal(bench.qword(bench.cpu.registers.number('rsp') + 16) & 0x10000n, 0n);
});

test('a handler of #DB may use the debug registers, whatever it comes from', () => {
  const bench = start();
  bench.cpu.registers.setWide('dr7', 0x2400n);
  execute(bench, 'f1');
  assert.deepEqual([handled(bench), bench.cpu.registers.number('dr7')], [DB, 0x400]);
});

test('alignment is checked at level 3, with CR0.AM and RFLAGS.AC', () => {
  const outcome = (level: 0 | 3, cr0: bigint, flags: number, code = '8b 47 01 f4'): number | undefined => {
    const bench = start(level);
    bench.cpu.registers.setWide('cr0', cr0);
    bench.cpu.registers.setNumber('rflags', flags);
    execute(bench, code);
    return handled(bench);
  };
  const [am, ac] = [0x80050033n, 0x40002];
  assert.equal(outcome(3, am, ac), AC);
  // Where it is not checked the user comes to HLT.
  assert.deepEqual([outcome(3, 0x80010033n, ac), outcome(3, am, 2), outcome(3, am, ac, '8b 47 04 f4')], [13, 13, 13]);
  assert.equal(outcome(0, am, ac), undefined);
  // popf that sets AC, then the load.
  assert.equal(outcome(3, am, 2, '68 02 00 04 00 9d 8b 47 01 f4'), AC);
});

test('the stack of a user is checked too, that of a handler is not', () => {
  const bench = start(3);
  bench.cpu.registers.setWide('cr0', 0x80050033n);
  bench.cpu.registers.setNumber('rflags', 0x40002);
  bench.cpu.registers.setWide('rsp', BigInt(USER_STACK - 1));
  execute(bench, '50');
  assert.equal(handled(bench), AC);
  assert.equal(returnsTo(bench), 0n, 'its error code');
});
