import type { CpuidAnswer } from './state.ts';
import { stealthyCpuid, type Cpuid, type CpuidValues } from './stealth.ts';

/** Where CPUID's leaves begin: a processor's, a hypervisor's, the extended ones (SDM volume 2, CPUID). */
const ranges = [0, 0x40000000, 0x80000000];
/** Leaves of a range, and subleaves of a leaf; there are fewer. */
const mostLeaves = 0x100;
const mostSubleaves = 64;
const HYPERVISOR_BIT = 0x80000000;

const same = (one: CpuidValues, other: CpuidValues): boolean => one.every((value, at) => value === other[at]);
const unsigned = (values: CpuidValues): CpuidValues => values.map((value) => value >>> 0) as unknown as CpuidValues;

/** Everything that CPUID says. A subleaf that says what the one before it says is left out. */
export function cpuidTable(cpuid: Cpuid): CpuidAnswer[] {
  return ranges.flatMap((first) => {
    const last = cpuid(first, 0)[0] >>> 0;
    if (last < first || last >= first + mostLeaves) return [];
    return Array.from({ length: last - first + 1 }, (_, offset) => answersOf(cpuid, first + offset)).flat();
  });
}

function answersOf(cpuid: Cpuid, leaf: number): CpuidAnswer[] {
  const all = Array.from({ length: mostSubleaves }, (_, subleaf) => ({ leaf, subleaf, registers: unsigned(cpuid(leaf, subleaf)) }));
  return all.filter(({ registers }, at) => at === 0 || !same(registers, (all[at - 1] as CpuidAnswer).registers));
}

/** The same CPUID again, whatever this version of Delos would say: a guest that goes on must not find itself on another processor. */
export function cpuidOfTable(table: readonly CpuidAnswer[]): Cpuid {
  const leaves = Map.groupBy(table, ({ leaf }) => leaf);
  const cpuid: Cpuid = (leaf, subleaf) => leaves.get(leaf)?.findLast((answer) => answer.subleaf <= subleaf)?.registers ?? [0, 0, 0, 0];
  return (cpuid(1, 0)[2] & HYPERVISOR_BIT) === 0 ? stealthyCpuid(cpuid) : cpuid;
}
