import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assembleExtended } from './extended-assemble.ts';
import { runExtended } from './extended-run.ts';
import { alu32, alu64, call, exit, jump, jump32, jumpAlways, label, load, loadImm64, r0, r1, r2, r3, r10, store } from './extended.ts';
import type { Condition, ExtendedItem } from './extended.ts';

const nothing = new Uint8Array(0);

function hex(items: readonly ExtendedItem[]): string {
  return Buffer.from(assembleExtended(items)).toString('hex').replace(/(.{16})(?=.)/g, '$1 ');
}

function result(...items: ExtendedItem[]): bigint {
  return runExtended(assembleExtended([...items, exit()]), nothing);
}

test('instructions have the kernel\'s encoding', () => {
  // struct bpf_insn: opcode, source and destination in a byte's halves, offset of 16 bits, constant of 32, little endian.
  assert.equal(hex([alu64('mov', r0, 1), exit()]), 'b700000001000000 9500000000000000');
  assert.equal(hex([load(4, r2, r1, 4)]), '6112040000000000');
  assert.equal(hex([store(8, r10, -8, r1)]), '7b1af8ff00000000');
  assert.equal(hex([store(4, r10, -4, 7)]), '620afcff07000000');
  assert.equal(hex([alu32('and', r2, 0xffff)]), '54020000ffff0000');
  assert.equal(hex([alu64('add', r2, r3)]), '0f32000000000000');
  assert.equal(hex([call(14)]), '850000000e000000');
  assert.equal(hex([loadImm64(r1, 0x1122334455667788n)]), '1801000088776655 0000000044332211');
});

test('a jump counts from the instruction after it, forwards and backwards', () => {
  assert.equal(hex([label('back'), jump('jne', r2, 5, 'on'), jumpAlways('back'), label('on'), exit()]), '5502010005000000 0500feff00000000 9500000000000000');
  assert.equal(hex([jump32('jeq', r2, r3, 'on'), loadImm64(r0, 0n), label('on'), exit()]), '1e32020000000000 1800000000000000 0000000000000000 9500000000000000');
});

test('a label that is missing or given twice, and a number that does not fit, are bugs and said', () => {
  assert.throws(() => assembleExtended([jumpAlways('nowhere')]), /no label nowhere/);
  assert.throws(() => assembleExtended([label('a'), label('a')]), /label a is given twice/);
  assert.throws(() => assembleExtended([load(4, r0, r1, 0x8000)]), /offset 32768 is outside/);
  assert.throws(() => assembleExtended([alu64('mov', r0, 2 ** 32)]), /constant 4294967296 is outside/);
});

test('arithmetic is on 64 bits with the constant\'s sign extended, or on 32 bits with the rest cleared', () => {
  assert.equal(result(alu64('mov', r0, -1)), 0xffff_ffff_ffff_ffffn);
  assert.equal(result(alu32('mov', r0, -1)), 0xffff_ffffn);
  assert.equal(result(loadImm64(r0, 0xffff_ffff_ffff_ffffn), alu32('add', r0, 2)), 1n);
  assert.equal(result(alu64('mov', r0, -16), alu64('arsh', r0, 2)), 0xffff_ffff_ffff_fffcn);
  assert.equal(result(alu32('mov', r0, -16), alu32('rsh', r0, 28)), 15n);
  assert.equal(result(alu64('mov', r0, 7), alu64('mov', r2, 0), alu64('div', r0, r2)), 0n);
  assert.equal(result(alu64('mov', r0, 7), alu64('mov', r2, 0), alu64('mod', r0, r2)), 7n);
  assert.equal(result(alu64('mov', r0, 1), alu64('neg', r0, 0)), 0xffff_ffff_ffff_ffffn);
});

test('jumps compare unsigned, signed or by bits, on 64 or on 32 bits', () => {
  const taken = (jumper: typeof jump, condition: Condition, left: bigint, right: number): boolean =>
    result(loadImm64(r2, left), alu64('mov', r0, 1), jumper(condition, r2, right, 'end'), alu64('mov', r0, 0), label('end')) === 1n;
  assert.ok(taken(jump, 'jgt', 0xffff_ffff_ffff_ffffn, 1));
  assert.ok(!taken(jump, 'jsgt', 0xffff_ffff_ffff_ffffn, 1));
  assert.ok(taken(jump, 'jslt', 0xffff_ffff_ffff_ffffn, 0));
  assert.ok(!taken(jump, 'jeq', 0x1_0000_0005n, 5));
  assert.ok(taken(jump32, 'jeq', 0x1_0000_0005n, 5));
  assert.ok(taken(jump32, 'jslt', 0xffff_ffffn, 0));
  assert.ok(taken(jump, 'jset', 0x6n, 2));
  assert.ok(!taken(jump, 'jset', 0x5n, 2));
  for (const condition of ['jle', 'jge', 'jsle', 'jsge'] as const) assert.ok(taken(jump, condition, 3n, 3), condition);
  for (const condition of ['jlt', 'jne'] as const) assert.ok(!taken(jump, condition, 3n, 3), condition);
});

test('loads and stores reach the context and the stack, and nothing else', () => {
  const context = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const read = (width: 1 | 2 | 4 | 8, offset: number): bigint => runExtended(assembleExtended([load(width, r0, r1, offset), exit()]), context);
  assert.equal(read(4, 0), 0x04030201n);
  assert.equal(read(2, 6), 0x0807n);
  assert.equal(read(8, 0), 0x0807060504030201n);
  assert.throws(() => read(4, 5), /outside the context/);
  assert.throws(() => read(1, -1), /outside the context/);
  assert.equal(result(store(8, r10, -8, -2), load(4, r0, r10, -4)), 0xffff_ffffn);
  assert.throws(() => result(store(1, r10, 0, 1)), /outside the context/);
  assert.throws(() => result(store(1, r10, -513, 1)), /outside the context/);
});

test('a program that does not end, or runs off its end, is refused', () => {
  assert.throws(() => runExtended(assembleExtended([label('a'), jumpAlways('a')]), nothing), /does not end/);
  assert.throws(() => runExtended(assembleExtended([alu64('mov', r0, 0)]), nothing), /outside the program/);
  assert.throws(() => result(alu64('mov', r10, 0)), /read only/);
});
