/** Translated loops against the interpreter: the whole state and the memory after the same number of instructions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generator, type Random } from '../../../fuzz/support/generator.ts';
import { CODE, createBench, INNER_STACK, longMode, protectedMode, realMode, STACK, type Bench } from '../../../test/support/processor.ts';
import { randomLoop } from '../../../test/support/random-loop.ts';
import { arith } from '../isa/arith.ts';
import { bit } from '../isa/bit.ts';
import type { Instruction } from '../isa/instruction.ts';
import { move } from '../isa/move.ts';
import { shift } from '../isa/shift.ts';
import { string } from '../isa/string.ts';
import { vectors } from '../isa/vectors.ts';
import { cpuState } from '../state.ts';

const integers = [...arith, ...move, ...shift, ...bit, ...string];
const DATA = 0x100000;
const dataSize = 0x4000;
/** Behind all that is mapped. */
const END = 16 << 20;

function registerValue(random: Random): bigint {
  switch (random(8)) {
    case 0: return BigInt.asUintN(64, BigInt(random(5)) - 2n);
    case 1: return BigInt(DATA + (1 + random(3)) * 0x1000 - random(20));
    case 2: return BigInt(END - random(40));
    case 3: return (BigInt(random(0x100000000)) << 32n) | BigInt(random(0x100000000));
    default: return BigInt(DATA + 16 * random(0x300));
  }
}

const stateOf = ({ cpu }: Bench): Uint8Array => new Uint8Array(cpu.state.buffer, cpu.state.byteOffset, cpuState.size);
const bytesOf = ({ memory }: Bench, from: number, size: number): Uint8Array => new Uint8Array(memory.buffer, memory.byteOffset + from, size);

/** The members that differ, as text. */
function differences(one: Bench, other: Bench): string[] {
  const found = Object.keys(cpuState.fields).flatMap((name) => {
    const [a, b] = [one, other].map(({ cpu }) => cpu.registers.number(name as keyof typeof cpuState.fields)) as [number, number];
    return a === b ? [] : [`${name} ${a.toString(16)}, not ${b.toString(16)}`];
  });
  if (found.length === 0 && Buffer.compare(stateOf(one), stateOf(other)) !== 0) found.push('a register above 53 bits');
  for (const [from, size] of [[DATA, dataSize], [CODE, 0x1000], [END - 0x1000, 0x1000], [STACK - 0x1000, 0x2000], [INNER_STACK - 0x1000, 0x1000]] as const) {
    if (Buffer.compare(bytesOf(one, from, size), bytesOf(other, from, size)) !== 0) found.push(`memory at ${from.toString(16)}`);
  }
  return found;
}

interface Pair {
  readonly regions: Bench;
  readonly interpreter: Bench;
}

function createPair(mode: (bench: Bench) => void): Pair {
  const pair = { regions: createBench({}, true), interpreter: createBench({}, false) };
  for (const bench of [pair.regions, pair.interpreter]) mode(bench);
  return pair;
}

/** The same code on the same registers and memory for both. */
function begin({ regions, interpreter }: Pair, code: Uint8Array, random: Random): void {
  const before = stateOf(regions).slice();
  const view = new DataView(before.buffer);
  for (let number = 0; number < 16; number++) view.setBigUint64(8 * number, registerValue(random), true);
  view.setBigUint64(8 * 4, BigInt(STACK - 8 * random(8)), true);
  view.setBigUint64(cpuState.fields.rip.offset, BigInt(CODE), true);
  view.setBigUint64(cpuState.fields.rflags.offset, BigInt(2 | (random(0x1000) & 0xcd5)), true);
  view.setUint32(cpuState.fields.activity.offset, 0, true);
  view.setUint32(cpuState.fields.mxcsr.offset, 0x1f80, true);
  for (let at = cpuState.fields.xmm0Low.offset; at < cpuState.fields.ymm0Low.offset; at++) before[at] = random(256);
  const data = Uint8Array.from({ length: dataSize }, () => random(256));
  for (const bench of [regions, interpreter]) {
    stateOf(bench).set(before);
    bench.cpu.written(CODE, 0x1000);
    bytesOf(bench, CODE, 0x1000).fill(0xf4);
    bytesOf(bench, CODE, code.length).set(code);
    for (const stack of [INNER_STACK, STACK]) bytesOf(bench, stack - 0x1000, 0x2000).fill(0);
    bytesOf(bench, DATA, dataSize).set(data);
    bytesOf(bench, END - 0x1000, 0x1000).set(data.subarray(0, 0x1000));
    bench.cpu.written(0, 0x1000);
  }
}

/** Runs the regions for a budget and the interpreter, instruction by instruction, as far; gives how they differ then. */
function advance({ regions, interpreter }: Pair, budget: number): { differs: string[]; halted: boolean } {
  const before = regions.cpu.instructions;
  const exit = regions.cpu.run(budget);
  const halted = exit === 'halt' || exit === 'shutdown';
  const done = regions.cpu.instructions - before;
  const from = interpreter.cpu.instructions;
  while (interpreter.cpu.instructions - from < done) interpreter.cpu.step();
  // To the handler of a fault: no instruction is counted for that.
  if (exit === 'shutdown' || regions.cpu.registers.wide('rip') !== interpreter.cpu.registers.wide('rip')) interpreter.cpu.step();
  return { differs: differences(regions, interpreter), halted };
}

const hex = (code: Uint8Array): string => Buffer.from(code).toString('hex');

/** How many of the loops have been translated, and what has come out differently. */
function compare(pair: Pair, from: readonly Instruction[], size: 32 | 64, loops: number, seed: number): { translated: number; faults: string[] } {
  const random = generator(seed);
  const faults: string[] = [];
  let translated = 0;
  for (let loop = 0; loop < loops; loop++) {
    const code = randomLoop(from, random, size);
    begin(pair, code, random);
    if (!pair.regions.cpu.translate('loop')) continue;
    translated++;
    for (let part = 0; part < 6; part++) {
      const { differs, halted } = advance(pair, part === 5 ? 60 : 2 + random(12));
      if (differs.length > 0) faults.push(`${hex(code)}: ${differs.join(', ')}`);
      if (differs.length > 0 || halted) break;
    }
  }
  return { translated, faults };
}

const modes = [
  ['64-bit mode', (bench: Bench) => longMode(bench), 64, 1], ['64-bit mode, level 3', (bench: Bench) => longMode(bench, 3), 64, 2],
  ['32-bit mode', (bench: Bench) => protectedMode(bench), 32, 3],
] as const;

for (const [name, mode, size, seed] of modes) {
  test(`${name}: loops of integer instructions, left at any point`, () => {
    const { translated, faults } = compare(createPair(mode), integers, size, 90, seed);
    assert.deepEqual(faults.slice(0, 10), []);
    assert.ok(translated > 60, `${translated} were translated`);
  });
}

test('loops with vectors', () => {
  const { translated, faults } = compare(createPair((bench) => longMode(bench)), [...vectors, ...arith], 64, 90, 7);
  assert.deepEqual(faults.slice(0, 10), []);
  assert.ok(translated > 40, `${translated} were translated`);
});

/** Puts code at the beginning and registers as given; the rest is as `mode` makes it. */
function prepare(code: string, registers: Readonly<Record<number, bigint>>, mode: (bench: Bench) => void = (bench) => longMode(bench)): Pair {
  const pair = createPair(mode);
  for (const bench of [pair.regions, pair.interpreter]) {
    bench.load(CODE, code);
    for (const [number, value] of Object.entries(registers)) bench.cpu.registers.setGeneral(Number(number), value);
  }
  return pair;
}

test('code that a loop changes in itself is right in the next instruction', () => {
  // incb 7(%rip)'s target is the immediate of the ADD behind it; dec %ecx; jnz; hlt
  const pair = prepare('fe 05 01 00 00 00 48 83 c0 00 ff c9 75 f2 f4', { 0: 0n, 1: 50n });
  pair.interpreter.load(CODE, 'fe 05 03 00 00 00 48 83 c0 00 ff c9 75 f2 f4');
  pair.regions.load(CODE, 'fe 05 03 00 00 00 48 83 c0 00 ff c9 75 f2 f4');
  assert.equal(pair.regions.cpu.translate('loop'), true);
  const { differs, halted } = advance(pair, 1000);
  assert.deepEqual([differs, halted], [[], true]);
  assert.equal(pair.regions.cpu.registers.general(0), 50n * 51n / 2n);
});

test('what is hot is translated without being asked to, and what it counts is right', () => {
  const bench = createBench();
  longMode(bench);
  // add %rcx,%rax; dec %rcx; jnz; hlt
  bench.load(CODE, '48 01 c8 48 ff c9 75 f8 f4');
  bench.cpu.registers.setGeneral(0, 0n);
  bench.cpu.registers.setGeneral(1, 1_000_000n);
  const before = bench.cpu.instructions;
  assert.equal(bench.cpu.run(10_000_000), 'halt');
  assert.equal(bench.cpu.instructions - before, 3_000_001);
  assert.equal(bench.cpu.registers.general(0), 500_000_500_000n);
  assert.equal(bench.cpu.regions, 1);
});

test('a kick ends a loop that would never end', () => {
  const bench = createBench({ readMemory: () => { bench.cpu.kick(); return 0; } });
  longMode(bench);
  bench.memory.setBigUint64(0x12000 + 64, 0x1000000n | 0x87n, true);
  // mov (%rbx),%eax; jmp back
  bench.load(CODE, '8b 03 eb fc');
  bench.cpu.registers.setGeneral(3, 0x1000000n);
  assert.equal(bench.cpu.translate('loop'), true);
  assert.equal(bench.cpu.run(1_000_000_000), 'kicked');
  assert.equal(bench.cpu.registers.number('rip'), CODE);
});

test('a fault has the state before its instruction, and counts those before it', () => {
  // 1: inc %rdx; add $0x800,%rbx; push (%rbx); jmp 1b
  const pair = prepare('48 ff c2 48 81 c3 00 08 00 00 ff 33 eb f2', { 2: 0n, 3: BigInt(END - 0x2800) });
  assert.equal(pair.regions.cpu.translate('loop'), true);
  const before = pair.regions.cpu.instructions;
  const { differs, halted } = advance(pair, 1000);
  assert.deepEqual([differs, halted], [[], true]);
  assert.equal(pair.regions.cpu.registers.general(2), 5n);
  assert.equal(pair.regions.cpu.registers.wide('cr2'), BigInt(END));
  assert.equal(pair.regions.cpu.instructions - before, 4 * 4 + 2 + 1);
});

test('segments that are not the whole address space are left to the interpreter', () => {
  // 1: mov (%ebx),%eax; add $4,%ebx; jmp 1b; a limit that is come to
  const pair = prepare('8b 03 83 c3 04 eb f9', { 3: BigInt(DATA) }, (bench) => protectedMode(bench));
  for (const { cpu } of [pair.regions, pair.interpreter]) cpu.registers.setNumber('dsLimit', DATA + 0x101);
  assert.equal(pair.regions.cpu.translate('loop'), true);
  const { differs, halted } = advance(pair, 1000);
  assert.deepEqual([differs, halted], [[], true]);
  assert.equal(pair.regions.cpu.registers.general(3), BigInt(DATA + 0x100));
});

test('a loop inside another that is entered in two places', () => {
  // 1: test $1,%cl; jz 3f; 2: add $3,%rax; 3: inc %rdx; lea 1(%rbx),%rbx; test $3,%bl; jnz 2b; dec %rcx; jnz 1b; hlt
  const pair = prepare('f6 c1 01 74 04 48 83 c0 03 48 ff c2 48 8d 5b 01 f6 c3 03 75 f0 48 ff c9 75 e6 f4', { 0: 0n, 1: 30n, 2: 0n, 3: 0n });
  assert.equal(pair.regions.cpu.translate('loop'), true);
  for (let halted = false; !halted;) {
    const step = advance(pair, 9);
    assert.deepEqual(step.differs, []);
    ({ halted } = step);
  }
  assert.equal(pair.regions.cpu.registers.general(2), 120n);
});

test('a loop whose function would be too large is left to the interpreter', () => {
  const bench = createBench();
  longMode(bench);
  // adc %rax,0x100(%rbx), so many times, and a jump back
  const loop = (count: number): string => `${'48 11 83 00 01 00 00 '.repeat(count)} e9 ${[...Uint8Array.of(...new Uint8Array(Int32Array.of(-7 * count - 5).buffer))].map((byte) => byte.toString(16)).join(' ')}`;
  bench.load(CODE, loop(40));
  assert.equal(bench.cpu.translate('loop'), true);
  bench.cpu.written(CODE, 0x1000);
  bench.load(CODE, loop(120));
  assert.equal(bench.cpu.translate('loop'), false);
});

test('real mode has no regions', () => {
  const bench = createBench();
  realMode(bench);
  bench.load(0x1000, 'eb fe');
  assert.equal(bench.cpu.translate('loop'), false);
});
