import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stealthyCpuid, stealthyTable, type Cpuid, type CpuidValues } from './stealth.ts';

const INTEL = [0x756e_6547, 0x6c65_746e, 0x4965_6e69] as const;
const AMD = [0x6874_7541, 0x444d_4163, 0x6974_6e65] as const;

function processor([ebx, ecx, edx]: readonly [number, number, number], highest = 0xd): Cpuid {
  return (leaf, subleaf): CpuidValues => {
    if (leaf === 0) return [highest, ebx, ecx, edx];
    if (leaf === 1) return [0x306a9, 0, 0xfffa_3203, 7];
    return leaf >>> 28 === 4 ? [0x4000_0001, 0x4b4d_564b, 0, 0] : [leaf, subleaf, 1, 2];
  };
}

test('the hypervisor bit goes, all others stay', () => {
  const quiet = stealthyCpuid(processor(INTEL));
  assert.deepEqual(quiet(1, 0), [0x306a9, 0, 0x7ffa_3203, 7]);
  assert.deepEqual(quiet(7, 1), [7, 1, 1, 2]);
  assert.deepEqual(quiet(0x8000_0001, 0), [0x8000_0001, 0, 1, 2]);
});

test("the leaves of hypervisors are Intel's highest one, or AMD's nothing", () => {
  for (const leaf of [0x4000_0000, 0x4000_0001, 0x4fff_ffff]) {
    assert.deepEqual(stealthyCpuid(processor(INTEL))(leaf, 2), [0xd, 2, 1, 2]);
    assert.deepEqual(stealthyCpuid(processor(AMD))(leaf, 2), [0, 0, 0, 0]);
  }
});

test('an old processor of two leaves does not give the bit away there', () => {
  assert.deepEqual(stealthyCpuid(processor(INTEL, 1))(0x4000_0000, 0), [0x306a9, 0, 0x7ffa_3203, 7]);
});

test("KVM's table loses the leaves and the bit", () => {
  const entry = (leaf: number, ecx: number): { leaf: number; subleaf: number; registers: CpuidValues } => ({ leaf, subleaf: 0, registers: [0, 0, ecx, 0] });
  assert.deepEqual(stealthyTable([entry(0, 0), entry(1, 0x8000_0001), entry(0x4000_0000, 1), entry(0x4000_0001, 2), entry(0x8000_0000, 0x8000_0000)]),
    [entry(0, 0), entry(1, 1), entry(0x8000_0000, 0x8000_0000)]);
});
