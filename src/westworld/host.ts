/** The six functions of the exercise, all but the bonus: a host is made, given a narrative, lives it, and is taken apart. */

import {
  IO_IN, IO_OUT, KVM_EXIT_HLT, KVM_EXIT_HYPERCALL, KVM_EXIT_IO, KVM_EXIT_MMIO, KVM_EXIT_SHUTDOWN,
} from './hypervisor-sim.ts';
import type { KvmRegs, KvmRun, Solution, Westworld, WestworldHost } from './hypervisor-sim.ts';
import { isVoice, readPort } from './devices.ts';
import { exitName } from './exit-name.ts';

/** What an address says where nothing is. */
const NOTHING = 0xff;
/** What KVM answers to a hypercall that it does not know (-KVM_ENOSYS). */
const NO_SUCH_HYPERCALL = BigInt.asUintN(64, -1000n);

export const host: Solution = {
  /** Makes a host with its memory, processor and serial port. @returns null when one of them can't be had; then nothing is left behind */
  ford_creates_host(memory_mb) {
    if (!Number.isSafeInteger(memory_mb) || memory_mb <= 0) return null;
    const host = this.calloc('WestworldHost', zeroes());
    if (host === null) return null;
    host.conscious = assemble(this, host, BigInt(memory_mb) * 1024n * 1024n);
    if (host.conscious) return host;
    this.ford_retires_host(host);
    return null;
  },

  /** Copies code into the guest's memory and lets the processor begin there. @returns -1 when it does not fit, or something is missing */
  ford_implants_memories(host, narrative, addr) {
    if (host === null || narrative === null || !host.park?.guest_memory || host.brain === null) return -1;
    const { guest_memory, memory_size } = host.park;
    const size = BigInt(narrative.length);
    // Not addr + size > memory_size: in 64 bits the sum of a huge address and a size is small again.
    if (addr < 0n || size > memory_size || addr > memory_size - size) return -1;
    this.memcpy(guest_memory, addr, narrative);
    this.printf(`[VM] Loaded ${size} bytes at 0x${addr.toString(16)}\n`);
    host.brain.regs.rip = addr;
    return 0;
  },

  /** Runs the guest until it halts, shuts down or does what nobody here understands. @returns 0, or -1 when it could not run */
  dolores_wakes_up(host) {
    if (host === null || host.brain === null) return -1;
    const { kvm_run: analysis, regs } = host.brain;
    while (host.conscious) {
      const result = this.kvm_run(host.brain);
      if (result < 0) return result;
      switch (analysis.exit_reason) {
        case KVM_EXIT_HLT:
          this.printf('[VM] CPU halted\n');
          host.conscious = false;
          break;
        case KVM_EXIT_IO:
          this.ford_says_freeze(host, analysis);
          break;
        case KVM_EXIT_MMIO:
          answerMemory(host, analysis, regs);
          break;
        case KVM_EXIT_HYPERCALL:
          regs.rax = NO_SUCH_HYPERCALL;
          break;
        case KVM_EXIT_SHUTDOWN:
          host.conscious = false;
          break;
        default:
          this.printf(`[VM] Exit non gere: ${exitName(analysis.exit_reason)}\n`);
          host.conscious = false;
      }
    }
    return 0;
  },

  /** Does for the guest what it asked a port for: a byte to the serial port is printed. Everything else is ignored, and reads as ones. */
  ford_says_freeze(host, analysis) {
    if (host === null || analysis === null || host.brain === null || analysis.exit_reason !== KVM_EXIT_IO) return;
    const { port, direction } = analysis.io;
    if (direction === IO_IN) setAl(host.brain.regs, readPort(port));
    if (direction === IO_OUT && isVoice(port)) this.putchar(Number(host.brain.regs.rax & 0xffn));
  },

  /** Releases all that a host has, the last first: what came later may lean on what came before. */
  ford_retires_host(host) {
    if (host === null) return;
    if (host.voice !== null) this.serial_destroy(host.voice);
    if (host.memories !== null) this.ept_destroy(host.memories);
    if (host.brain !== null) this.kvm_destroy_vcpu(host.brain);
    if (host.park !== null) this.kvm_destroy_vm(host.park);
    if (host.ford !== null) this.kvm_close(host.ford);
    this.free(host);
  },
};

/** A host as calloc leaves it. */
export function zeroes(): WestworldHost {
  return { ford: null, park: null, brain: null, memories: null, voice: null, conscious: false, last_tsc: null };
}

/** Gives a host all that it has, each step needing the one before it. @returns whether all of it could be had */
export function assemble(program: Westworld, host: WestworldHost, memory_size: bigint): boolean {
  host.ford = program.kvm_open();
  if (host.ford === null) return false;
  host.park = program.kvm_create_vm(host.ford);
  if (host.park === null) return false;
  if (program.kvm_set_user_memory_region(host.park, 0, 0n, memory_size, null) < 0) return false;
  host.brain = program.kvm_create_vcpu(host.park, 0);
  if (host.brain === null) return false;
  host.memories = program.ept_create(memory_size);
  if (host.memories === null) return false;
  host.voice = program.serial_create();
  return host.voice !== null;
}

/** No device is at any address: what is written is lost, what is read is ones. */
function answerMemory(host: WestworldHost, { mmio }: KvmRun, regs: KvmRegs): void {
  if (host.memories !== null) host.memories.violations++;
  if (!mmio.is_write) setAl(regs, NOTHING);
}

function setAl(regs: KvmRegs, value: number): void {
  regs.rax = (regs.rax & ~0xffn) | BigInt(value);
}
