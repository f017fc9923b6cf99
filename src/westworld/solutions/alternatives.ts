/** Other right answers: the document's alternatives (sections 4.4 and 4.7), made whole where it leaves them unfinished. */

import { ESCAPE_CPUID_DETECT, ESCAPE_HYPERCALL_ABUSE, ESCAPE_MEMORY_PROBE, ESCAPE_NONE, ESCAPE_TIMING_ATTACK } from '../hypervisor-sim.ts';
import { zeroes } from '../host.ts';
import type { EscapeAttempt, KvmDevice, KvmVcpu, KvmVm, Solution, WestworldHost } from '../hypervisor-sim.ts';

/** What the document's macro does with `goto cleanup`: the first null ends it, and ford_retires_host clears up. */
class Failed extends Error {}

function checked<T>(pointer: T | null): T {
  if (pointer === null) throw new Failed();
  return pointer;
}

export const macro: Solution = {
  ford_creates_host(memory_mb) {
    if (memory_mb === 0) return null;
    const memory_size = BigInt(memory_mb) << 20n;
    const host = this.calloc('WestworldHost', zeroes());
    try {
      const made = checked(host);
      made.ford = checked(this.kvm_open());
      made.park = checked(this.kvm_create_vm(made.ford));
      checked(this.kvm_set_user_memory_region(made.park, 0, 0n, memory_size, null) < 0 ? null : 0);
      made.brain = checked(this.kvm_create_vcpu(made.park, 0));
      made.memories = checked(this.ept_create(memory_size));
      made.voice = checked(this.serial_create());
      made.conscious = true;
      return made;
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
      this.ford_retires_host(host);
      return null;
    }
  },
};

/** Host, device, VM and processor in one block. ford_retires_host has to know, or it frees what lies inside: the document forgets that. */
export const inline: Solution = {
  ford_creates_host(memory_mb) {
    if (memory_mb === 0) return null;
    const ford: KvmDevice = { fd: this.next_fd++, api_version: 12 };
    const park: KvmVm = { fd: this.next_fd++, kvm: ford, guest_memory: null, memory_size: 0n, memory_borrowed: false };
    const brain: KvmVcpu = {
      fd: this.next_fd++, vm: park, vcpu_id: 0, kvm_run_map: null, kvm_run_size: 4096n, tsc: 0n,
      kvm_run: { exit_reason: 0, io: { direction: 0, size: 0, port: 0 }, mmio: { phys_addr: 0n, len: 0, is_write: false } },
      regs: { rax: 0n, rbx: 0n, rcx: 0n, rdx: 0n, rip: 0x7c00n, rflags: 2n }, sregs: { cr0: 0x6000_0010n },
    };
    const host = this.calloc<WestworldHost>('WestworldHost', { ...zeroes(), ford, park, brain });
    if (host === null) return null;
    const size = BigInt(memory_mb) << 20n;
    if (this.kvm_set_user_memory_region(park, 0, 0n, size, null) === 0) brain.kvm_run_map = this.mmap('kvm_run', brain.kvm_run_size);
    if (brain.kvm_run_map !== null) host.memories = this.ept_create(size);
    if (host.memories !== null) host.voice = this.serial_create();
    host.conscious = host.voice !== null;
    if (host.conscious) return host;
    this.ford_retires_host(host);
    return null;
  },

  ford_retires_host(host) {
    if (host === null) return;
    this.serial_destroy(host.voice);
    this.ept_destroy(host.memories);
    this.munmap(host.brain?.kvm_run_map ?? null);
    this.munmap(host.park?.guest_memory ?? null);
    this.free(host);
  },
};

/** What an instruction has to look like, and the circumstances in which it is one too many. */
type Pattern = readonly [bytes: readonly number[], suspicious: (host: WestworldHost, brain: KvmVcpu) => boolean, attempt: EscapeAttempt];

const patterns: readonly Pattern[] = [
  [[0x0f, 0xa2], (_, { regs: { rax } }) => rax === 1n || (rax >= 0x4000_0000n && rax <= 0x4000_00ffn), ESCAPE_CPUID_DETECT],
  [[0x0f, 0x31], isTooSoon, ESCAPE_TIMING_ATTACK],
  [[0x0f, 0x01, 0xc1], (_, { regs: { rax } }) => rax > 10n, ESCAPE_HYPERCALL_ABUSE],
  [[0x0f, 0x01, 0xd9], (_, { regs: { rax } }) => rax > 10n, ESCAPE_HYPERCALL_ABUSE],
  [[0x67, 0xa0], readsOutside, ESCAPE_MEMORY_PROBE],
  [[0x67, 0xa2], readsOutside, ESCAPE_MEMORY_PROBE],
];

function isTooSoon(host: WestworldHost, { tsc }: KvmVcpu): boolean {
  const since = tsc - (host.last_tsc ?? -1_000_000n);
  host.last_tsc = tsc;
  return since < 100n;
}

function readsOutside({ park }: WestworldHost, { regs: { rip } }: KvmVcpu): boolean {
  if (!park?.guest_memory || park.memory_size - rip < 6n) return true;
  const [a = 0, b = 0, c = 0, d = 0] = park.guest_memory.bytes(rip + 2n, 4);
  return BigInt(a + b * 2 ** 8 + c * 2 ** 16 + d * 2 ** 24) >= park.memory_size;
}

/** The pattern table of the document, with the bounds and the circumstances that it lacks. */
export const patternTable: Solution = {
  maeve_tries_to_escape(host, rip) {
    if (!host?.park?.guest_memory || host.brain === null) return ESCAPE_NONE;
    const { guest_memory, memory_size } = host.park;
    if (rip >= memory_size) return ESCAPE_MEMORY_PROBE;
    const code = guest_memory.bytes(rip, Number(memory_size - rip < 3n ? memory_size - rip : 3n));
    const pattern = patterns.find(([bytes]) => bytes.every((byte, at) => code[at] === byte));
    if (pattern === undefined) return ESCAPE_NONE;
    const [, suspicious, attempt] = pattern;
    return suspicious(host, host.brain) ? attempt : ESCAPE_NONE;
  },
};
