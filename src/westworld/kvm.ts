/** A /dev/kvm that is made of nothing: the ioctls as functions, descriptors that are numbers, a processor of a few instructions. */

import { KVM_EXIT_FAIL_ENTRY, KVM_EXIT_UNKNOWN } from './hypervisor-sim.ts';
import type { KvmRun, KvmVcpu, KvmVm, Solution } from './hypervisor-sim.ts';
import { LONGEST_INSTRUCTION } from './instruction.ts';

export const KVM_API_VERSION = 12;
const KVM_RUN_SIZE = 4096n;
/** Where firmware puts a boot sector, and the document its guests. */
export const BOOT_ADDRESS = 0x7c00n;
/** CR0 after a reset: caches off, and the bit that is always 1 (SDM volume 3, 10.1.1). */
const CR0_AFTER_RESET = 0x6000_0010n;
/** What leaving the guest and coming back costs, in cycles; silicon takes one to two thousand. */
const EXIT_CYCLES = 1500n;

export const kvm: Solution = {
  kvm_open() {
    const kvm = this.calloc('KvmDevice', { fd: 0, api_version: 0 });
    if (kvm === null) return null;
    kvm.fd = this.next_fd++;
    kvm.api_version = KVM_API_VERSION;
    this.printf(`[KVM] Opened /dev/kvm (fd=${kvm.fd})\n`);
    this.printf(`[KVM] API version: ${kvm.api_version}\n`);
    return kvm;
  },

  kvm_create_vm(kvm) {
    if (kvm === null) return null;
    const vm = this.calloc<KvmVm>('KvmVm', { fd: 0, kvm: null, guest_memory: null, memory_size: 0n, memory_borrowed: false });
    if (vm === null) return null;
    vm.fd = this.next_fd++;
    vm.kvm = kvm;
    this.printf(`[KVM] Created VM (fd=${vm.fd})\n`);
    return vm;
  },

  /** There is one region, it begins at 0 and is set once. @param host_addr memory of the caller's, or null to map some */
  kvm_set_user_memory_region(vm, slot, guest_addr, size, host_addr) {
    if (vm === null || vm.guest_memory !== null || guest_addr !== 0n) return -1;
    if (host_addr !== null && host_addr.size < size) return -1;
    const memory = host_addr ?? this.mmap('guest_memory', size);
    if (memory === null) return -1;
    vm.guest_memory = memory;
    vm.memory_size = size;
    vm.memory_borrowed = host_addr !== null;
    this.printf(`[KVM] Setting memory region: slot=${slot}, guest=0x${guest_addr.toString(16)}, size=${size}, host=0x${memory.address.toString(16)}\n`);
    return 0;
  },

  kvm_create_vcpu(vm, vcpu_id) {
    if (vm === null) return null;
    const vcpu = this.calloc('KvmVcpu', resetVcpu(vcpu_id));
    if (vcpu === null) return null;
    vcpu.kvm_run_map = this.mmap('kvm_run', vcpu.kvm_run_size);
    if (vcpu.kvm_run_map === null) {
      this.free(vcpu);
      return null;
    }
    vcpu.fd = this.next_fd++;
    vcpu.vm = vm;
    this.printf(`[KVM] Created vCPU ${vcpu_id} (fd=${vcpu.fd})\n`);
    return vcpu;
  },

  /** Runs the guest up to its next VM exit. @returns 0, and why is in `kvm_run.exit_reason`; -1 when it can't run at all */
  kvm_run(vcpu) {
    if (vcpu === null || vcpu.vm === null || vcpu.vm.guest_memory === null) return -1;
    const { guest_memory, memory_size } = vcpu.vm;
    for (;;) {
      const { rip } = vcpu.regs;
      if (rip >= memory_size) {
        vcpu.kvm_run.exit_reason = KVM_EXIT_FAIL_ENTRY;
        return -1;
      }
      const code = guest_memory.bytes(rip, Math.min(LONGEST_INSTRUCTION, Number(memory_size - rip)));
      const result = this.emulate_instruction(vcpu, code);
      if (result === 0) continue;
      vcpu.tsc += EXIT_CYCLES;
      return result < 0 ? -1 : 0;
    }
  },

  kvm_destroy_vcpu(vcpu) {
    if (vcpu === null) return;
    this.munmap(vcpu.kvm_run_map);
    this.free(vcpu);
  },

  kvm_destroy_vm(vm) {
    if (vm === null) return;
    if (!vm.memory_borrowed) this.munmap(vm.guest_memory);
    this.free(vm);
  },

  kvm_close(kvm) {
    if (kvm === null) return;
    this.printf('[KVM] Closing device\n');
    this.free(kvm);
  },
};

function resetVcpu(vcpu_id: number): KvmVcpu {
  const kvm_run: KvmRun = { exit_reason: KVM_EXIT_UNKNOWN, io: { direction: 0, size: 0, port: 0 }, mmio: { phys_addr: 0n, len: 0, is_write: false } };
  return {
    fd: 0, vm: null, vcpu_id, kvm_run_map: null, kvm_run_size: KVM_RUN_SIZE, kvm_run, tsc: 0n,
    regs: { rax: 0n, rbx: 0n, rcx: 0n, rdx: 0n, rip: BOOT_ADDRESS, rflags: 2n }, sregs: { cr0: CR0_AFTER_RESET },
  };
}
