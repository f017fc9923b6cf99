import { KVM_GET_SUPPORTED_CPUID, KVM_SET_CPUID2, kvm_cpuid2, kvm_cpuid_entry2 } from '../../abi/kvm.ts';
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
