/** What a guest is told by CPUID, without that it is one. Pure functions over leaves. */

/** EAX, EBX, ECX, EDX. */
export type CpuidValues = readonly [eax: number, ebx: number, ecx: number, edx: number];
/** CPUID as a guest sees it. */
export type Cpuid = (leaf: number, subleaf: number) => CpuidValues;

/** Leaf 1, ECX: always 0 on silicon, 1 by every hypervisor's agreement. */
const HYPERVISOR_BIT = 1 << 31;
/** "GenuineIntel" begins so; leaf 0 has it in EBX. */
const GENU = 0x756e_6547;

/** Leaves that no processor has or ever will (SDM volume 2, CPUID): 0x40000000 to 0x4fffffff. Hypervisors answer there. */
export function isHypervisorLeaf(leaf: number): boolean {
  return leaf >>> 28 === 4;
}

function withoutBit([eax, ebx, ecx, edx]: CpuidValues): CpuidValues {
  return [eax, ebx, (ecx & ~HYPERVISOR_BIT) >>> 0, edx];
}

/**
 * The same processor without a hypervisor: no hypervisor bit, and its leaves answer as silicon does. Intel's gives what its highest basic
 * leaf gives, AMD's zeroes. What a guest can measure stays: CPUID itself takes the time of a VM exit.
 */
export function stealthyCpuid(cpuid: Cpuid): Cpuid {
  const quiet: Cpuid = (leaf, subleaf) => (leaf === 1 ? withoutBit(cpuid(leaf, subleaf)) : cpuid(leaf, subleaf));
  return (leaf, subleaf) => {
    if (!isHypervisorLeaf(leaf)) return quiet(leaf, subleaf);
    const [highest, vendor] = cpuid(0, 0);
    return vendor === GENU ? quiet(highest, subleaf) : [0, 0, 0, 0];
  };
}

/** The same for the table of KVM_SET_CPUID2. KVM answers by itself, as silicon does, for leaves that are not in it. */
export function stealthyTable<Entry extends { readonly leaf: number; readonly registers: CpuidValues }>(entries: readonly Entry[]): Entry[] {
  return entries.flatMap((entry) => {
    if (isHypervisorLeaf(entry.leaf)) return [];
    return entry.leaf === 1 ? [{ ...entry, registers: withoutBit(entry.registers) }] : [entry];
  });
}
