import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EscapeWatch, type Attempt } from './watch.ts';

const RAM = 1 << 20;

function watching(): { watch: EscapeWatch; kinds: () => string[]; told: Attempt[] } {
  const told: Attempt[] = [];
  const watch = new EscapeWatch({ isMapped: (address, size) => address + size <= RAM, report: (attempt) => told.push(attempt) });
  return { watch, told, kinds: () => told.map(({ kind }) => kind) };
}

test('CPUID: the hypervisor bit and the leaves of hypervisors, not those of features', () => {
  const { watch, told, kinds } = watching();
  for (const leaf of [0, 7, 0xd, 0x8000_0001, 0xffff_ffff]) watch.cpuid(leaf);
  assert.deepEqual(told, []);
  for (const leaf of [1, 0x4000_0000, 0x4000_0001, 0x4fff_ffff]) watch.cpuid(leaf);
  assert.deepEqual(kinds(), Array.from({ length: 4 }, () => 'cpuid-probe'));
});

test('the same is told once, and counted', () => {
  const { watch, told } = watching();
  for (let times = 0; times < 3; times++) watch.cpuid(1);
  assert.equal(told.length, 1);
  assert.deepEqual(watch.attempts.map(({ times }) => times), [3]);
});

test('RDTSC in pairs is honest, in a tight loop it is not', () => {
  const { watch, kinds } = watching();
  for (let tsc = 0n; tsc < 100_000n; tsc += 1000n) {
    watch.rdtsc(tsc);
    watch.rdtsc(tsc + 30n);
  }
  assert.deepEqual(kinds(), []);
  for (let tsc = 200_000n; tsc < 200_000n + 11n * 99n; tsc += 99n) watch.rdtsc(tsc);
  assert.deepEqual(kinds(), ['timing-loop']);
});

test('a CPUID between two RDTSC, three times over, is a measurement', () => {
  const { watch, kinds } = watching();
  const measure = (tsc: bigint): void => {
    watch.rdtsc(tsc);
    watch.cpuid(0);
    watch.rdtsc(tsc + 2000n);
  };
  measure(0n);
  measure(100_000n);
  assert.deepEqual(kinds(), []);
  measure(200_000n);
  assert.deepEqual(kinds(), ['timing-loop']);
});

test('memory is looked at by all its bytes', () => {
  const { watch, told } = watching();
  watch.access(RAM - 4, 4, false);
  assert.deepEqual(told, []);
  watch.access(RAM - 3, 4, false);
  watch.access(RAM + 0x1234, 8, true);
  watch.access(RAM + 0x1ffc, 4, true);
  assert.deepEqual(told.map(({ what, times }) => [what, times]), [
    ['a read where nothing is, in the page of 0xff000', 1], ['a write where nothing is, in the page of 0x101000', 2],
  ]);
});

test('hypercalls up to the last that KVM has, and not beyond', () => {
  const { watch, kinds } = watching();
  for (let number = 0; number <= 12; number++) watch.vmcall(number);
  assert.deepEqual(kinds(), []);
  watch.vmcall(13);
  watch.vmcall(2 ** 64);
  assert.deepEqual(kinds(), ['hypercall-abuse', 'hypercall-abuse']);
});

test('a million events are ten attempts, and a number', () => {
  const { watch, told } = watching();
  for (let page = 0; page < 1_000_000; page++) watch.access(RAM + page * 4096, 1, false);
  assert.deepEqual([told.length, watch.attempts.length, watch.beyond], [10, 10, 999_990]);
});
