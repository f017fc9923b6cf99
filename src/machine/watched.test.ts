import assert from 'node:assert/strict';
import { test } from 'node:test';
import { floatBytes } from '../../test/support/float-module.ts';
import { createInterpreter } from '../engine/interpreter.ts';
import { Machine } from './machine.ts';
import { stealthyCpuid, type Cpuid } from './stealth.ts';
import { EscapeWatch } from './watch.ts';
import { watchedEngine } from './watched.ts';

/** A processor of Intel's under a hypervisor, as far as anybody asks. */
const cpuid: Cpuid = (leaf) => {
  if (leaf === 0) return [1, 0x756e_6547, 0x6c65_746e, 0x4965_6e69];
  return leaf === 1 ? [0x306a9, 0, 0x8000_0001, 1] : [0x4000_0001, 0x4b4d_564b, 0x564b_4d56, 0x4d];
};
const out = [0xba, 0xf8, 0x03, 0xee];

/** Runs real-mode code on the interpreter to its halt. */
async function run(code: readonly number[], answers = cpuid): Promise<{ said: number[]; seen: string[] }> {
  const said: number[] = [];
  const seen: string[] = [];
  const watch = new EscapeWatch({ report: ({ kind }) => seen.push(kind) });
  const machine = new Machine({
    start: { kind: 'flat', code: Uint8Array.from([...code, 0xfa, 0xf4]), address: 0x7c00 }, memory: 1 << 20, cpuid: answers, engine: watchedEngine(createInterpreter(floatBytes), watch),
    serial: [(byte) => said.push(byte)],
  });
  assert.deepEqual(await machine.run(AbortSignal.timeout(20_000)), { kind: 'halt' });
  return { said, seen };
}

/** CPUID of a leaf, then the top byte of ECX to the serial port. */
const hypervisorBit = [0x66, 0xb8, 1, 0, 0, 0, 0x0f, 0xa2, 0x66, 0xc1, 0xe9, 24, 0x88, 0xc8, ...out];

test('CPUID is seen, and answered as ever', async () => {
  assert.deepEqual(await run(hypervisorBit), { said: [0x80], seen: ['cpuid-probe'] });
});

test('with stealth it says nothing of a hypervisor', async () => {
  assert.deepEqual(await run(hypervisorBit, stealthyCpuid(cpuid)), { said: [0], seen: ['cpuid-probe'] });
});

test('what is timed three times over is seen', async () => {
  const measured = [0x0f, 0x31, 0x66, 0x31, 0xc0, 0x0f, 0xa2, 0x0f, 0x31];
  assert.deepEqual((await run([...measured, ...measured])).seen, []);
  assert.deepEqual((await run([...measured, ...measured, ...measured])).seen, ['timing-loop']);
});

test('memory behind its end is seen, memory and devices are not', async () => {
  const load = (segment: number, offset: number): number[] => [0xb8, segment & 0xff, segment >> 8, 0x8e, 0xd8, 0xa0, offset & 0xff, offset >> 8];
  assert.deepEqual((await run(load(0xf000, 0xffff))).seen, []);
  assert.deepEqual((await run(load(0xffff, 0x20))).seen, ['memory-probe']);
});
