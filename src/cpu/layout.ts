/**
 * Where the software processor keeps things in the WebAssembly.Memory, in front of the guest's memory: its state, the TLB, decoded instructions.
 * Addresses are constants of the emitted code.
 */

import { struct } from '../lib/layout.ts';
import { cpuState } from './state.ts';

/** The cpu_state; offsets of registers in records count from here. */
export const STATE = 0x1000;

/** What the engine keeps beside it; also counted from {@link STATE}, so that records reach its members like registers. */
export const internal = struct('cpu_internal', {
  /** Always zero: the base or index of an address that has none. */
  zero: 'u64',
  /** What RIP is at the first byte of the page that instructions come from. */
  pageBase: 'u64',
  /** All ones in 64-bit mode, else 32 of them: linear addresses wrap there. */
  linearMask: 'u64',
  /** 16, 32 or 64 ones: how far pushes and pops count (SS.B). */
  stackMask: 'u64',
  /** Bits of a TLB tag: {@link USER_TAG}, {@link LIFTED_TAG} or none. */
  mode: 'u64',
  /** The flags: a {@link FLAGS} kind, and of its operation the first operand and the result, shifted so that their top bit is bit 63. */
  flagX: 'u64',
  flagResult: 'u64',
  flagKind: 'u32',
  /** By how much they are shifted: 64 less the width. */
  flagShift: 'u32',
  /** Behind an `inc` or `dec` CF, which they leave as it was; behind `given` CF, AF and OF at their places. */
  carry: 'u32',
  /** Counts down by an instruction each, at the end of a block; the loop is left when it has come to {@link floor}. */
  fuel: 'i32',
  /** 0; or more than any fuel, by whoever wants the loop to be left, of any thread. */
  floor: 'i32',
  /** Something waits for the interrupt flag to be set. */
  interruptRequest: 'u32',
  /** The record that the last fault or exit came from. */
  record: 'u32',
  /** Where the current block of records was entered: instructions are counted at its end. */
  blockStart: 'u32',
  /** Why the loop was left: {@link EXIT}. */
  exit: 'u32',
  vector: 'u32',
  errorCode: 'u32',
  /** A record is to be run alone: a region leaves that to the record's own handler. */
  single: 'u32',
  /** The vector of the fault that an instruction of a unit is now, or 0. */
  x87Fault: 'u8', mmxFault: 'u8', sseFault: 'u8', reserved: 'u8',
  /** Where an access is made that no TLB entry serves: device registers, page crossings, pages of code. */
  scratch: 'u64',
  scratchHigh: 'u64',
});

export const INTERNAL = STATE + 0x800;
if (cpuState.size > INTERNAL - STATE) throw new Error('cpu_state has outgrown its place');

/** Of a member, counted from {@link STATE}. */
export const stateOffset = (name: keyof typeof cpuState.fields): number => cpuState.fields[name].offset;
export const internalOffset = (name: keyof typeof internal.fields): number => INTERNAL - STATE + internal.fields[name].offset;

export const SCRATCH = INTERNAL + internal.fields.scratch.offset;

/** Kinds of `flagKind`. With `explicit` the flags are in rflags; from `inc` on CF is in `carry`. */
export const FLAGS = { explicit: 0, add: 1, sub: 2, logic: 3, inc: 4, dec: 5, given: 6 } as const;

/** Values of `exit`. */
export const EXIT = {
  /** An exception: `vector` and `errorCode`, of the instruction at `record`. */
  fault: 1,
  /** Go on at state.rip. */
  resume: 2,
  /** `fuel` has come to `floor`, at state.rip. */
  budget: 3,
} as const;

/** In a TLB tag: the access is a user's; it is the supervisor's with SMAP lifted. */
export const USER_TAG = 0x10;
export const LIFTED_TAG = 0x20;
/** A user's accesses have to be aligned: no entry has this tag, so that each of them is looked at. */
export const ALIGNED_TAG = 0x40;

/** Direct-mapped, 16 bytes an entry: tag, addend (host address less the lower 32 bits of the linear one), whether it is global. */
export const TLB_ENTRIES = 4096;
export const TLB_READ = 0x10000;
export const TLB_WRITE = TLB_READ + 16 * TLB_ENTRIES;
/** Of pages that instructions come from: tag, the address of the page's table of records, whether it is global. */
export const CODE_TLB_ENTRIES = 1024;
export const CODE_TLB = TLB_WRITE + 16 * TLB_ENTRIES;

/** Tables of 4096 addresses of records, one for each byte of a page that an instruction can begin at. */
export const PAGE_TABLES = 0x100000;
export const PAGE_TABLE_SIZE = 4 * 4096;
export const PAGE_TABLE_COUNT = 3000;

/**
 * A decoded instruction, 32 bytes. Registers are offsets from {@link STATE}.
 *   0 u16 handler   2 u16 offset in its page (4096 for what follows the page)   4 u8 length   5 u8 scale   6 u8 segment   7 u8 bits (see RECORD_BITS)
 *   8 u16 base   10 u16 index   12 u16 first register   14 u16 second   16 i64 immediate   24 i32 displacement   28 u32 link | u16 third, u16 fourth
 */
export const RECORDS = PAGE_TABLES + PAGE_TABLE_SIZE * PAGE_TABLE_COUNT;
export const RECORD_SIZE = 32;
export const RECORD_COUNT = 1 << 20;
export const RECORD = {
  handler: 0, offset: 2, length: 4, scale: 5, segment: 6, bits: 7, base: 8, index: 10, registers: [12, 14, 28, 30], immediate: 16, displacement: 24, link: 28,
} as const;

/** Bits of a record: the address size is 16 or 32; a jump stays in its page; no record of the instruction behind it follows. */
export const RECORD_BITS = { address16: 1, address32: 2, local: 4, ends: 8 } as const;

/** Bytes in front of the guest's memory; whole pages of 64 KiB. */
export const RESERVED = Math.ceil((RECORDS + RECORD_SIZE * RECORD_COUNT) / 0x10000) * 0x10000;
