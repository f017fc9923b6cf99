/**
 * The exercise's header: structures, exit reasons and prototypes, under the names that its document and linux/kvm.h give them. In TypeScript a
 * pointer is an object or null, uint64_t is a bigint, an array brings its length, and an int that reports is 0 or -1.
 */

import type { Ledger } from './ledger.ts';
import type { Mapping } from './mapping.ts';

/** Why the guest stopped: the numbers of linux/kvm.h. */
export {
  KVM_EXIT_FAIL_ENTRY, KVM_EXIT_HLT, KVM_EXIT_HYPERCALL, KVM_EXIT_INTR, KVM_EXIT_IO, KVM_EXIT_MMIO, KVM_EXIT_SHUTDOWN, KVM_EXIT_UNKNOWN,
} from '../abi/kvm.ts';

/** The directions of KVM_EXIT_IO as the document numbers them; linux/kvm.h has IN 0 and OUT 1. */
export const IO_OUT = 0;
export const IO_IN = 1;

export const ESCAPE_NONE = 0;
export const ESCAPE_CPUID_DETECT = 1;
export const ESCAPE_TIMING_ATTACK = 2;
export const ESCAPE_MEMORY_PROBE = 3;
export const ESCAPE_HYPERCALL_ABUSE = 4;

export type EscapeAttempt =
  | typeof ESCAPE_NONE | typeof ESCAPE_CPUID_DETECT | typeof ESCAPE_TIMING_ATTACK | typeof ESCAPE_MEMORY_PROBE | typeof ESCAPE_HYPERCALL_ABUSE;

export interface KvmDevice {
  fd: number;
  api_version: number;
}

export interface KvmVm {
  fd: number;
  kvm: KvmDevice | null;
  guest_memory: Mapping | null;
  /** In bytes. */
  memory_size: bigint;
  /** The caller brought the memory, and will unmap it. */
  memory_borrowed: boolean;
}

/** What the guest leaves behind when it stops. Only the part that belongs to `exit_reason` means something. */
export interface KvmRun {
  exit_reason: number;
  io: { direction: number; size: number; port: number };
  mmio: { phys_addr: bigint; len: number; is_write: boolean };
}

export interface KvmRegs {
  rax: bigint;
  rbx: bigint;
  rcx: bigint;
  rdx: bigint;
  rip: bigint;
  rflags: bigint;
}

export interface KvmVcpu {
  fd: number;
  vm: KvmVm | null;
  vcpu_id: number;
  /** What mmap gave for kvm_run, and its size in bytes. */
  kvm_run_map: Mapping | null;
  kvm_run_size: bigint;
  kvm_run: KvmRun;
  regs: KvmRegs;
  sregs: { cr0: bigint };
  /** Cycles since the processor was made: what RDTSC reads. */
  tsc: bigint;
}

/** Which guest-physical addresses are memory: 0 up to `size`. All others are an EPT violation. */
export interface EptContext {
  size: bigint;
  violations: number;
}

/** A UART of which only the transmitter is there. */
export interface SerialPort {
  base: number;
}

export interface WestworldHost {
  ford: KvmDevice | null;
  park: KvmVm | null;
  brain: KvmVcpu | null;
  memories: EptContext | null;
  voice: SerialPort | null;
  conscious: boolean;
  /** When RDTSC was last seen, for {@link Westworld.maeve_tries_to_escape}; null before the first. */
  last_tsc: bigint | null;
}

/** The C library, as far as the exercise allows it. A structure is allocated by its name and what calloc leaves in it. */
export interface Libc {
  malloc<T extends object>(type: string, fields: T): T | null;
  calloc<T extends object>(type: string, zeroes: T): T | null;
  free(pointer: object | null): void;
  /** Private anonymous memory, all zero, that costs nothing before it is written. MAP_FAILED is null. */
  mmap(what: string, size: bigint): Mapping | null;
  munmap(mapping: Mapping | null): number;
  memcpy(mapping: Mapping, at: bigint, bytes: Uint8Array): void;
  memset(mapping: Mapping, at: bigint, value: number, length: number): void;
  printf(text: string): void;
  putchar(byte: number): void;
}

/** A whole program: functions that find each other, and its variables, through `this`. `link` of link.ts makes one. */
export interface Westworld extends Libc {
  readonly ledger: Ledger;
  next_fd: number;
  write(text: string): void;

  kvm_open(): KvmDevice | null;
  kvm_create_vm(kvm: KvmDevice | null): KvmVm | null;
  kvm_set_user_memory_region(vm: KvmVm | null, slot: number, guest_addr: bigint, size: bigint, host_addr: Mapping | null): number;
  kvm_create_vcpu(vm: KvmVm | null, vcpu_id: number): KvmVcpu | null;
  kvm_run(vcpu: KvmVcpu | null): number;
  kvm_destroy_vcpu(vcpu: KvmVcpu | null): void;
  kvm_destroy_vm(vm: KvmVm | null): void;
  kvm_close(kvm: KvmDevice | null): void;

  /** Runs the instruction that `code` begins with: 0 go on, 1 a VM exit, -1 it can't even be fetched. */
  emulate_instruction(vcpu: KvmVcpu, code: Uint8Array): number;

  ept_create(size: bigint): EptContext | null;
  ept_destroy(ept: EptContext | null): void;
  serial_create(): SerialPort | null;
  serial_destroy(serial: SerialPort | null): void;

  ford_creates_host(memory_mb: number): WestworldHost | null;
  ford_implants_memories(host: WestworldHost | null, narrative: Uint8Array | null, addr: bigint): number;
  dolores_wakes_up(host: WestworldHost | null): number;
  ford_says_freeze(host: WestworldHost | null, analysis: KvmRun | null): void;
  ford_retires_host(host: WestworldHost | null): void;
  maeve_tries_to_escape(host: WestworldHost | null, rip: bigint): EscapeAttempt;
}

/** Some of a program's functions: one answer to the exercise, or what it does differently from the reference. */
export type Solution = Partial<Westworld> & ThisType<Westworld>;
