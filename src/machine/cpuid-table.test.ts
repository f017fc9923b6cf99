import assert from 'node:assert/strict';
import { test } from 'node:test';
import { softwareCpuid } from '../cpu/cpuid.ts';
import { cpuidOfTable, cpuidTable } from './cpuid-table.ts';
import { stealthyCpuid } from './stealth.ts';

for (const hypervisor of [true, false]) {
  test(`the table says what CPUID says, ${hypervisor ? 'with' : 'without'} a hypervisor`, () => {
    const software = softwareCpuid({ cpus: 3, apicId: 2, timestampHz: 1e9, timerHz: 25e6, hypervisor });
    const cpuid = hypervisor ? software : stealthyCpuid(software);
    const table = cpuidTable(cpuid);
    const again = cpuidOfTable(table);
    const leaves = [...Array(0x18).keys(), 0x40000000, 0x40000005, 0x40000010, 0x4000ffff, ...Array.from({ length: 10 }, (_, at) => 0x80000000 + at), 0x12345678];
    for (const leaf of leaves) {
      for (const subleaf of [0, 1, 2, 3, 4, 31, 63]) assert.deepEqual([...again(leaf, subleaf)], cpuid(leaf, subleaf).map((value) => value >>> 0), `${leaf.toString(16)}, ${subleaf}`);
    }
    assert.ok(table.length < 200, `${table.length} entries`);
    assert.deepEqual(cpuidTable(again), table);
  });
}
