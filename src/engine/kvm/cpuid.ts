import { KVM_CPUID_FLAG_SIGNIFCANT_INDEX, KVM_GET_SUPPORTED_CPUID, KVM_SET_CPUID2, kvm_cpuid2, kvm_cpuid_entry2 } from '../../abi/kvm.ts';
import { kvmCall, type Vcpu } from './vcpu.ts';

/** One answer of CPUID, as KVM's table has it. */
export interface CpuidEntry {
  readonly leaf: number;
  readonly subleaf: number;
  /** KVM_CPUID_FLAG_SIGNIFCANT_INDEX: other subleaves have other answers. */
  readonly flags: number;
  /** EAX, EBX, ECX, EDX. */
  readonly registers: readonly [number, number, number, number];
}

/** More than any kernel's table has. */
const MAX_ENTRIES = 256;

const { function: leafField, index, flags, eax, ebx, ecx, edx } = kvm_cpuid_entry2.fields;

/** What this kernel can give to a guest on this processor. */
export function supportedCpuid(kvm: number): CpuidEntry[] {
  const bytes = new Uint8Array(kvm_cpuid2.size + MAX_ENTRIES * kvm_cpuid_entry2.size);
  const view = new DataView(bytes.buffer);
  view.setUint32(kvm_cpuid2.fields.nent.offset, MAX_ENTRIES, true);
  kvmCall('KVM_GET_SUPPORTED_CPUID', kvm, KVM_GET_SUPPORTED_CPUID, bytes);
  return Array.from({ length: view.getUint32(kvm_cpuid2.fields.nent.offset, true) }, (_, number) => {
    const at = kvm_cpuid2.size + number * kvm_cpuid_entry2.size;
    const value = (field: { offset: number }): number => view.getUint32(at + field.offset, true);
    return { leaf: value(leafField), subleaf: value(index), flags: value(flags), registers: [value(eax), value(ebx), value(ecx), value(edx)] };
  });
}

type Registers = CpuidEntry['registers'];

/** Leaves that have subleaves (SDM volume 2, CPUID), and how many at the most. */
const subleaves = new Map([[4, 8], [7, 3], [0xb, 4], [0xd, 32], [0x8000001d, 8]]);

/** Registers whose bits are features: a guest can have those alone that this kernel and processor have as well. */
const features: readonly { leaf: number; subleaf: number; masks: Registers }[] = [
  { leaf: 1, subleaf: 0, masks: [0, 0, -1, -1] },
  { leaf: 7, subleaf: 0, masks: [0, -1, -1, -1] },
  { leaf: 7, subleaf: 1, masks: [-1, 0, 0, 0] },
  { leaf: 0xd, subleaf: 0, masks: [-1, 0, 0, -1] },
  { leaf: 0xd, subleaf: 1, masks: [-1, 0, 0, 0] },
  { leaf: 0x80000001, subleaf: 0, masks: [0, 0, -1, -1] },
  { leaf: 0x80000008, subleaf: 0, masks: [0, -1, 0, 0] },
];
const HYPERVISOR = 1 << 31;
const OSXSAVE = 1 << 27;
const TSC_DEADLINE = 1 << 24;

/**
 * A table for KVM from a template.
 * @param cpuid leaf and subleaf to what the guest is to see
 * @param supported what KVM can give
 * @param cpu its APIC's number
 */
export function cpuidFor(cpuid: (leaf: number, subleaf: number) => Registers, supported: readonly CpuidEntry[], cpu: number): CpuidEntry[] {
  const ranges = [0, 0x40000000, 0x80000000].flatMap((first) => {
    const last = cpuid(first, 0)[0] >>> 0;
    return last >= first && last < first + 0x100 ? Array.from({ length: last - first + 1 }, (_, offset) => first + offset) : [];
  });
  return ranges.flatMap((leaf) => Array.from({ length: subleaves.get(leaf) ?? 1 }, (_, subleaf) => {
    const masks = features.find((one) => one.leaf === leaf && one.subleaf === subleaf)?.masks ?? noRegisters;
    const possible = supported.find((entry) => entry.leaf === leaf && entry.subleaf === subleaf)?.registers ?? noRegisters;
    const allowed = (at: number): number => (possible[at] as number) | ~(masks[at] as number) | unmasked(leaf, at);
    const registers = cpuid(leaf, subleaf).map((value, at) => (value & allowed(at)) >>> 0) as [number, number, number, number];
    if (leaf === 1) registers[1] = ((registers[1] & 0xffffff) | (cpu << 24)) >>> 0;
    if (leaf === 0xb) registers[3] = cpu;
    return { leaf, subleaf, flags: subleaves.has(leaf) ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0, registers };
  }));
}

/** The frequencies that software reads (SDM volume 3, 19.7.3; leaf 0x40000010 is VMware's), for a counter that is not the template's. */
export function withCounter(cpuid: (leaf: number, subleaf: number) => Registers, kilohertz: number): (leaf: number, subleaf: number) => Registers {
  return (leaf, subleaf) => {
    const [eax, ebx, ecx, edx] = cpuid(leaf, subleaf);
    if (leaf === 0x15 && ecx !== 0) return [...ratio(kilohertz * 1000, ecx), ecx, edx];
    if (leaf === 0x16 && eax !== 0) return [Math.round(kilohertz / 1000), Math.round(kilohertz / 1000), ecx, edx];
    return [leaf === 0x40000010 && eax !== 0 ? kilohertz : eax, ebx, ecx, edx];
  };
}

/**
 * Denominator and numerator of `hertz / crystal`, the nearest whose numerator is small enough for Linux, which multiplies it with the crystal's
 * kilohertz in 32 bits. By continued fractions: some 0.00004 of it off at the most.
 */
function ratio(hertz: number, crystal: number): [denominator: number, numerator: number] {
  const most = 0xffffffff / (crystal / 1000);
  let [before, now] = [[1, 0], [0, 1]] as [[number, number], [number, number]];
  for (let [dividend, divisor] = [hertz, crystal]; divisor !== 0; [dividend, divisor] = [divisor, dividend % divisor]) {
    const whole = Math.floor(dividend / divisor);
    const next: [number, number] = [whole * now[0] + before[0], whole * now[1] + before[1]];
    if (next[1] > most) break;
    [before, now] = [now, next];
  }
  return now;
}

/** What KVM's own local APICs can, and the list of what KVM can does not say (api.rst, KVM_GET_SUPPORTED_CPUID). */
export function withDeadlineTimer(supported: readonly CpuidEntry[]): CpuidEntry[] {
  return supported.map((entry) => {
    const [eax, ebx, ecx, edx] = entry.registers;
    return entry.leaf === 1 ? { ...entry, registers: [eax, ebx, (ecx | TSC_DEADLINE) >>> 0, edx] } : entry;
  });
}

const noRegisters: Registers = [0, 0, 0, 0];

/** Bits that say what the operating system or the monitor does, not what the processor can. */
function unmasked(leaf: number, register: number): number {
  return leaf === 1 && register === 2 ? HYPERVISOR | OSXSAVE : 0;
}

/** Gives the guest this table; before its first run. */
export function setCpuid(vcpu: Vcpu, entries: readonly CpuidEntry[]): void {
  const bytes = new Uint8Array(kvm_cpuid2.size + entries.length * kvm_cpuid_entry2.size);
  const view = new DataView(bytes.buffer);
  view.setUint32(kvm_cpuid2.fields.nent.offset, entries.length, true);
  for (const [number, entry] of entries.entries()) {
    const at = kvm_cpuid2.size + number * kvm_cpuid_entry2.size;
    view.setUint32(at + leafField.offset, entry.leaf, true);
    view.setUint32(at + index.offset, entry.subleaf, true);
    view.setUint32(at + flags.offset, entry.flags, true);
    for (const [register, field] of [eax, ebx, ecx, edx].entries()) view.setUint32(at + field.offset, entry.registers[register] as number, true);
  }
  kvmCall('KVM_SET_CPUID2', vcpu.fd, KVM_SET_CPUID2, bytes);
}

/** The template of a guest that sees all that KVM can give, as {@link cpuidFor} takes it. */
export function everything(supported: readonly CpuidEntry[]): (leaf: number, subleaf: number) => Registers {
  return (leaf, subleaf) => supported.find((entry) => entry.leaf === leaf && (entry.subleaf === subleaf || !subleaves.has(leaf)))?.registers ?? [0, 0, 0, 0];
}
