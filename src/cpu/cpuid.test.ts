import assert from 'node:assert/strict';
import { test } from 'node:test';
import { featuresOf, offeredFeatures, softwareCpuid } from './cpuid.ts';

const options = { cpus: 2, apicId: 1, timestampHz: 1e9, timerHz: 25e6, hypervisor: true };
const text = (...words: number[]): string => Buffer.from(new Uint32Array(words).buffer).toString('latin1');

test('vendor, brand and the hypervisor have their names', () => {
  const cpuid = softwareCpuid(options);
  const [last, b, c, d] = cpuid(0, 0);
  assert.equal(last, 0x16);
  assert.equal(text(b, d, c), 'GenuineIntel');
  assert.equal(text(...[2, 3, 4].flatMap((at) => cpuid(0x80000000 + at, 0))).replaceAll('\0', ''), 'Delos software processor');
  assert.equal(text(...cpuid(0x40000000, 0).slice(1)), 'DelosMachine');
});

test('what it offers is what it says', () => {
  assert.deepEqual(featuresOf(softwareCpuid(options)), offeredFeatures);
  assert.deepEqual(featuresOf((leaf) => [0, 0, leaf === 1 ? 1 << 9 : 0, leaf === 0x80000001 ? 1 << 29 : 0]), ['ssse3', 'lm']);
});

test('a processor that is not to be told of its hypervisor sees none', () => {
  const cpuid = softwareCpuid({ ...options, hypervisor: false });
  assert.equal((cpuid(1, 0)[2]) >>> 31, 0);
  assert.deepEqual(cpuid(0x40000000, 0), [0, 0, 0, 0]);
  assert.equal((softwareCpuid(options)(1, 0)[2]) >>> 31, 1);
});

test('the counter is its crystal times the ratio of leaf 15h', () => {
  const [denominator, numerator, crystal] = softwareCpuid(options)(0x15, 0);
  assert.equal((crystal * numerator) / denominator, 1e9);
});

test('topology: one thread a core, so many cores', () => {
  const cpuid = softwareCpuid(options);
  assert.deepEqual(cpuid(0xb, 0), [0, 1, 0x100, 1]);
  assert.deepEqual(cpuid(0xb, 1), [1, 2, 0x201, 1]);
  assert.equal(cpuid(1, 0)[1] >>> 24, 1);
});

test('what long mode needs is there, and no feature without its instruction', () => {
  for (const name of ['lm', 'nx', 'syscall', 'pae', 'msr', 'cx8', 'cmov', 'pge', 'fsgsbase', 'smap', 'movbe', 'adx']) assert.ok(offeredFeatures.includes(name), name);
  assert.ok(!offeredFeatures.includes('f16c'));
});
