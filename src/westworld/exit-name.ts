import {
  KVM_EXIT_FAIL_ENTRY, KVM_EXIT_HLT, KVM_EXIT_HYPERCALL, KVM_EXIT_INTR, KVM_EXIT_IO, KVM_EXIT_MMIO, KVM_EXIT_SHUTDOWN, KVM_EXIT_UNKNOWN,
} from './hypervisor-sim.ts';

const names: ReadonlyMap<number, string> = new Map([
  [KVM_EXIT_UNKNOWN, 'UNKNOWN'], [KVM_EXIT_IO, 'IO'], [KVM_EXIT_HYPERCALL, 'HYPERCALL'], [KVM_EXIT_HLT, 'HLT'], [KVM_EXIT_MMIO, 'MMIO'],
  [KVM_EXIT_SHUTDOWN, 'SHUTDOWN'], [KVM_EXIT_FAIL_ENTRY, 'FAIL_ENTRY'], [KVM_EXIT_INTR, 'INTR'],
]);

/** The name of an exit reason in linux/kvm.h, without its prefix KVM_EXIT_. */
export function exitName(reason: number): string {
  return names.get(reason) ?? String(reason);
}
