/** What the document refuses (sections 4.5 and 4.8), and what it prints as right and is not. */

import {
  ESCAPE_CPUID_DETECT, ESCAPE_HYPERCALL_ABUSE, ESCAPE_MEMORY_PROBE, ESCAPE_NONE, ESCAPE_TIMING_ATTACK, KVM_EXIT_HLT, KVM_EXIT_IO, KVM_EXIT_UNKNOWN,
} from '../hypervisor-sim.ts';
import type { Solution } from '../hypervisor-sim.ts';
import { assemble, zeroes } from '../host.ts';
import type { Mapping } from '../mapping.ts';

/** The host is lost when kvm_open fails, or anything after it. */
export const leakyError: Solution = {
  ford_creates_host(memory_mb) {
    if (memory_mb === 0) return null;
    const host = this.calloc('WestworldHost', zeroes());
    if (host === null) return null;
    host.conscious = assemble(this, host, BigInt(memory_mb) << 20n);
    return host.conscious ? host : null;
  },
};

/** Everything but HLT is passed over, without moving on. */
export const onlyHlt: Solution = {
  emulate_instruction(vcpu, code) {
    if (code[0] !== 0xf4) return 0;
    vcpu.kvm_run.exit_reason = KVM_EXIT_HLT;
    return 1;
  },
};

/** Sees no attempt at all. */
export const blind: Solution = { maeve_tries_to_escape: () => ESCAPE_NONE };

/** Sees an attempt in everything, and stops honest work. */
export const paranoid: Solution = { maeve_tries_to_escape: () => ESCAPE_CPUID_DETECT };

const startsWith = (memory: Mapping, rip: bigint, bytes: readonly number[]): boolean => bytes.every((byte, at) => memory.bytes(rip + BigInt(at), 1)[0] === byte);

/** The document accepts it, yet it suspects every CPUID, RDTSC and VMCALL alike, which is what it refuses the paranoid one for. */
export const patternsAlone: Solution = {
  maeve_tries_to_escape(host, rip) {
    const memory = host?.park?.guest_memory as Mapping;
    if (startsWith(memory, rip, [0x0f, 0xa2])) return ESCAPE_CPUID_DETECT;
    if (startsWith(memory, rip, [0x0f, 0x31])) return ESCAPE_TIMING_ATTACK;
    if (startsWith(memory, rip, [0x0f, 0x01, 0xc1])) return ESCAPE_HYPERCALL_ABUSE;
    return ESCAPE_NONE;
  },
};

/** The document's reference for ford_creates_host: 0 MB is left to mmap, and on failure only the device and the host are released. */
export const printedCreation: Solution = {
  ford_creates_host(memory_mb) {
    const host = this.calloc('WestworldHost', zeroes());
    if (host === null) return null;
    const memory_size = BigInt(memory_mb) * 1024n * 1024n;
    const abandon = (): null => {
      this.kvm_close(host.ford);
      this.free(host);
      return null;
    };
    host.ford = this.kvm_open();
    if (host.ford === null) return abandon();
    host.park = this.kvm_create_vm(host.ford);
    if (host.park === null) return abandon();
    if (this.kvm_set_user_memory_region(host.park, 0, 0n, memory_size, null) < 0) return abandon();
    host.brain = this.kvm_create_vcpu(host.park, 0);
    if (host.brain === null) return abandon();
    host.memories = this.ept_create(memory_size);
    host.voice = this.serial_create();
    host.conscious = true;
    return host;
  },
};

/** The document's reference for ford_implants_memories: the sum overflows, and 2^64 - 1 passes. */
export const printedBounds: Solution = {
  ford_implants_memories(host, narrative, addr) {
    if (host === null || narrative === null) return -1;
    if (!host.park?.guest_memory || host.brain === null) return -1;
    if (BigInt.asUintN(64, addr + BigInt(narrative.length)) > host.park.memory_size) return -1;
    this.memcpy(host.park.guest_memory, addr, narrative);
    this.printf(`[VM] Loaded ${narrative.length} bytes at 0x${addr.toString(16)}\n`);
    host.brain.regs.rip = addr;
    return 0;
  },
};

/** The document's reference for emulate_instruction: operands are read behind the end of memory, and `mov dx` overwrites all of RDX. */
export const printedEmulator: Solution = {
  emulate_instruction({ kvm_run, regs }, code) {
    const [opcode, low = 0, high = 0] = code;
    if (opcode === 0xba) {
      regs.rdx = BigInt(low | (high << 8));
      regs.rip += 3n;
      return 0;
    }
    if (opcode === 0xb0) {
      regs.rax = (regs.rax & ~0xffn) | BigInt(low);
      regs.rip += 2n;
      return 0;
    }
    kvm_run.exit_reason = opcode === 0xf4 ? KVM_EXIT_HLT : opcode === 0xee ? KVM_EXIT_IO : KVM_EXIT_UNKNOWN;
    if (opcode !== 0xee) return 1;
    kvm_run.io = { direction: 0, size: 1, port: Number(regs.rdx & 0xffffn) };
    regs.rip++;
    return 1;
  },
};

/** Of the process, so that one host's RDTSC counts for another. */
let last_tsc = 0n;

/** The document's reference for the bonus: memory is read before the bounds are asked, the clock stands still, and all hosts share it. */
export const printedMaeve: Solution = {
  maeve_tries_to_escape(host, rip) {
    if (host === null) return ESCAPE_NONE;
    const memory = host.park?.guest_memory as Mapping;
    const rax = host.brain?.regs.rax ?? 0n;
    if (startsWith(memory, rip, [0x0f, 0xa2]) && rax === 1n) return ESCAPE_CPUID_DETECT;
    if (startsWith(memory, rip, [0x0f, 0x31])) {
      const current_tsc = 1_000_000n;
      if (last_tsc !== 0n && current_tsc - last_tsc < 100n) return ESCAPE_TIMING_ATTACK;
      last_tsc = current_tsc;
    }
    if (rip >= memory.size) return ESCAPE_MEMORY_PROBE;
    return startsWith(memory, rip, [0x0f, 0x01, 0xc1]) && rax > 10n ? ESCAPE_HYPERCALL_ABUSE : ESCAPE_NONE;
  },
};

/** Calls what the norm forbids. */
export const realDevice: Solution = {
  kvm_open() {
    const open = (path: string): number => path.length;
    return { fd: open('/dev/kvm'), api_version: 12 };
  },
};
