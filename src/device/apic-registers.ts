/** A local APIC's registers: SDM volume 3, tables "Local APIC Register Address Map" and "Local APIC Register Address Map Supported by x2APIC". */

import { struct } from '../lib/layout.ts';
import type { RecordOf } from '../lib/record.ts';

export const LVT_ENTRIES = 6;

const members = {
  /** Start of the timer's count and its next expiry, as times of the clock; Infinity when it does not run. */
  timerStart: 'f64', timerDeadline: 'f64',
  /** IA32_APIC_BASE without its upper half, which is 0. */
  base: 'u32',
  id: 'u32', tpr: 'u32', ldr: 'u32', dfr: 'u32', svr: 'u32',
  /** The errors that can be read, and those that were found since. */
  esr: 'u32', errors: 'u32',
  icrLow: 'u32', icrHigh: 'u32',
  initialCount: 'u32', divide: 'u32',
  /** IA32_TSC_DEADLINE; 0 is none. */
  deadlineLow: 'u32', deadlineHigh: 'u32',
  /** In the order of their addresses from 320h. */
  lvt: ['u32', LVT_ENTRIES],
  isr: ['u32', 8], tmr: ['u32', 8], irr: ['u32', 8],
  /** What the pins LINT0 and LINT1 are. */
  lint: ['u8', 2],
} as const;
export const apicLayout = struct('local_apic', members);
export type ApicRegisters = RecordOf<typeof members>;

export const APIC_ADDRESS = 0xfee00000;

export const BASE_BSP = 1 << 8;
export const BASE_X2APIC = 1 << 10;
export const BASE_ENABLED = 1 << 11;

/** Offsets in the page; an MSR is 800h and the offset divided by 16. */
export const ID = 0x020;
export const VERSION = 0x030;
export const TPR = 0x080;
export const APR = 0x090;
export const PPR = 0x0a0;
export const EOI = 0x0b0;
export const RRD = 0x0c0;
export const LDR = 0x0d0;
export const DFR = 0x0e0;
export const SVR = 0x0f0;
export const ISR = 0x100;
export const TMR = 0x180;
export const IRR = 0x200;
export const ESR = 0x280;
export const ICR = 0x300;
export const ICR_HIGH = 0x310;
export const LVT = 0x320;
export const INITIAL_COUNT = 0x380;
export const CURRENT_COUNT = 0x390;
export const DIVIDE = 0x3e0;
export const SELF_IPI = 0x3f0;

/** Indices of the LVT. */
export const LVT_TIMER = 0;
export const LVT_LINT0 = 3;
export const LVT_ERROR = 5;

export const LVT_MASKED = 1 << 16;

/** The bits of each entry that can be written: vector and mask, then delivery mode, polarity and trigger, the timer's mode. */
export const LVT_WRITABLE = [0x700ff, 0x107ff, 0x107ff, 0x1a7ff, 0x1a7ff, 0x100ff] as const;

/** Version 14h (an integrated APIC), the index of the last LVT entry. */
export const VERSION_VALUE = ((LVT_ENTRIES - 1) << 16) | 0x14;

export const SVR_ENABLED = 1 << 8;
/** Vector, enable, focus checking. */
export const SVR_WRITABLE = 0x3ff;
export const DFR_FLAT = 0xffffffff;

export const ERROR_SEND_VECTOR = 1 << 5;
export const ERROR_RECEIVE_VECTOR = 1 << 6;
export const ERROR_REGISTER = 1 << 7;

/** The highest bit that is set in 256, or -1. */
export function highest(bits: Uint32Array): number {
  for (let word = 7; word >= 0; word--) {
    const value = bits[word] as number;
    if (value !== 0) return word * 32 + 31 - Math.clz32(value);
  }
  return -1;
}

export function has(bits: Uint32Array, vector: number): boolean {
  return ((bits[vector >> 5] as number) & (1 << (vector & 31))) !== 0;
}

export function put(bits: Uint32Array, vector: number, set: boolean): void {
  const bit = 1 << (vector & 31);
  bits[vector >> 5] = set ? (bits[vector >> 5] as number) | bit : (bits[vector >> 5] as number) & ~bit;
}
