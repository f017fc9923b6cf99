/** The document's five mutants (section 4.10), made whole but for one mistake each, and what its author was thinking. */

import { assemble, zeroes } from '../host.ts';
import { KVM_EXIT_FAIL_ENTRY, KVM_EXIT_HLT, KVM_EXIT_IO } from '../hypervisor-sim.ts';
import type { Solution, WestworldHost } from '../hypervisor-sim.ts';
import { LONGEST_INSTRUCTION } from '../instruction.ts';

/** "memory_size is the last valid position": it lets the guest begin right behind its memory. */
export const boundary: Solution = {
  kvm_run(vcpu) {
    if (vcpu === null || vcpu.vm === null || vcpu.vm.guest_memory === null) return -1;
    const { guest_memory, memory_size } = vcpu.vm;
    let result = 0;
    while (result === 0) {
      const { rip } = vcpu.regs;
      if (rip <= memory_size) {
        const left = Number(memory_size - rip);
        result = this.emulate_instruction(vcpu, guest_memory.bytes(rip, Math.max(1, Math.min(LONGEST_INSTRUCTION, left))));
      } else {
        vcpu.kvm_run.exit_reason = KVM_EXIT_FAIL_ENTRY;
        result = -1;
      }
    }
    return result < 0 ? -1 : 0;
  },
};

/** "calloc can't fail": the document's first refused solution too. */
export const safety: Solution = {
  ford_creates_host(memory_mb) {
    if (memory_mb === 0) return null;
    const host = this.calloc('WestworldHost', zeroes()) as WestworldHost;
    host.conscious = assemble(this, host, BigInt(memory_mb) << 20n);
    if (host.conscious) return host;
    this.ford_retires_host(host);
    return null;
  },
};

/** "The park takes its memory with it". */
export const resource: Solution = {
  ford_retires_host(host) {
    if (host === null) return;
    this.serial_destroy(host.voice);
    this.ept_destroy(host.memories);
    this.kvm_destroy_vcpu(host.brain);
    this.free(host.park);
    this.kvm_close(host.ford);
    this.free(host);
  },
};

/** "break leaves the loop". */
export const logic: Solution = {
  dolores_wakes_up(host) {
    if (host === null || host.brain === null) return -1;
    while (host.conscious) {
      const result = this.kvm_run(host.brain);
      if (result < 0) return result;
      switch (host.brain.kvm_run.exit_reason) {
        case KVM_EXIT_HLT:
          break;
        case KVM_EXIT_IO:
          this.ford_says_freeze(host, host.brain.kvm_run);
          break;
        default:
          host.conscious = false;
      }
    }
    return 0;
  },
};

/** "0 means fine, whatever happened". */
export const always: Solution = {
  ford_implants_memories(host, narrative, addr) {
    if (!host?.park?.guest_memory || host.brain === null || narrative === null) return 0;
    this.memcpy(host.park.guest_memory, addr, narrative);
    this.printf(`[VM] Loaded ${narrative.length} bytes at 0x${addr.toString(16)}\n`);
    host.brain.regs.rip = addr;
    return 0;
  },
};
