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

/**
 * The same processor without a hypervisor: no hypervisor bit, and its leaves answer as silicon does. Intel's gives what its highest basic
 * leaf gives, AMD's zeroes. What a guest can measure stays: CPUID itself takes the time of a VM exit.
 */
export function stealthyCpuid(cpuid: Cpuid): Cpuid {
  return (leaf, subleaf) => {
    if (isHypervisorLeaf(leaf)) return beyondLeaves(cpuid, subleaf);
    const [eax, ebx, ecx, edx] = cpuid(leaf, subleaf);
    return leaf === 1 ? [eax, ebx, (ecx & ~HYPERVISOR_BIT) >>> 0, edx] : [eax, ebx, ecx, edx];
  };
}

function beyondLeaves(cpuid: Cpuid, subleaf: number): CpuidValues {
  const [highest, vendor] = cpuid(0, 0);
  if (vendor !== GENU || isHypervisorLeaf(highest)) return [0, 0, 0, 0];
  const [eax, ebx, ecx, edx] = cpuid(highest, subleaf);
  return highest === 1 ? [eax, ebx, (ecx & ~HYPERVISOR_BIT) >>> 0, edx] : [eax, ebx, ecx, edx];
}
