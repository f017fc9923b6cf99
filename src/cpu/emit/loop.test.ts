import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBench, longMode, STACK, type Bench } from '../../../test/support/processor.ts';
import { RESERVED } from '../layout.ts';
import { bytesOf, frequentShapes, samples } from './frequent.ts';
import { shapeKey } from './shape.ts';

const HLT = 0xf4;
const rounds = 12;
const data = 0x800000;
const codeAt = (sample: number): number => 0x100000 + 0x1000 * sample;
const stackTop = STACK - 0x100;

/** All flags clear, each of them, all of them. */
const flags = [0, 1, 0x40, 0x80, 0x800, 0x8d5];

/** The sample in front of HLTs; what it addresses, and where it jumps to, is there. */
function prepare({ memory, cpu: { registers } }: Bench, sample: number, round: number): void {
  for (let at = 0; at < 16; at++) {
    registers.setGeneral(at, BigInt.asUintN(64, (BigInt(at + 1) * 0x9e3779b97f4a7c15n) << BigInt(8 * (round % 8))) >> BigInt((round * 5) % 64));
  }
  registers.setWide('rcx', BigInt(round));
  registers.setWide('rdi', BigInt(data));
  registers.setWide('rsp', BigInt(stackTop));
  registers.setWide('rbp', BigInt(stackTop + 0x40));
  registers.setWide('gsBase', BigInt(data));
  registers.setNumber('rflags', 2 | (flags[round % flags.length] as number));
  registers.setNumber('activity', 0);
  registers.setNumber('rip', codeAt(sample));
  for (let at = 0; at < 0x100; at += 8) {
    memory.setBigUint64(data + at, BigInt.asUintN(64, BigInt(at + round + 1) * 0xc2b2ae3d27d4eb4fn), true);
    memory.setBigUint64(stackTop + at - 0x80, BigInt(codeAt(sample) + 0x800), true);
  }
}

function createSamples(): Bench {
  const bench = createBench();
  longMode(bench);
  samples.forEach((hex, sample) => {
    const page = new Uint8Array(bench.memory.buffer, RESERVED + codeAt(sample), 0x1000);
    page.fill(HLT);
    page.set(bytesOf(hex));
  });
  return bench;
}

function outcome({ cpu: { state }, memory }: Bench): string[] {
  const inMemory = (address: number): Buffer => Buffer.from(memory.buffer, RESERVED + address, 0x200);
  return [Buffer.from(state.buffer, state.byteOffset, state.byteLength), inMemory(data), inMemory(stackTop - 0x100)].map((bytes) => bytes.toString('hex'));
}

test('the handlers in the loop do what those in the table do', () => {
  const [looped, stepped] = [createSamples(), createSamples()];
  samples.forEach((hex, sample) => {
    for (let round = 0; round < rounds; round++) {
      prepare(looped, sample, round);
      prepare(stepped, sample, round);
      assert.equal(looped.cpu.run(1000), 'halt', hex);
      while (stepped.cpu.registers.number('activity') === 0) stepped.cpu.step();
      assert.deepEqual(outcome(looped), outcome(stepped), `${hex}, round ${round}`);
      assert.equal(looped.cpu.instructions, stepped.cpu.instructions, hex);
    }
  });
});

test('no two samples have one shape', () => {
  const keys = frequentShapes().map((shape) => `${shape.instruction.name} ${shape.instruction.encoding} ${shapeKey(shape)}`);
  assert.deepEqual(keys, [...new Set(keys)]);
});
