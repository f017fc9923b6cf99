/** What an operation has to say beside its result: exceptions and condition codes, where MXCSR and x87's status word have them. */

export const INVALID: u32 = 1;
export const DENORMAL: u32 = 1 << 1;
export const DIVIDE_BY_ZERO: u32 = 1 << 2;
export const OVERFLOW: u32 = 1 << 3;
export const UNDERFLOW: u32 = 1 << 4;
export const INEXACT: u32 = 1 << 5;

export const C0: u32 = 1 << 8;
/** After an inexact x87 operation: the magnitude was rounded up. */
export const C1: u32 = 1 << 9;
export const C2: u32 = 1 << 10;
export const C3: u32 = 1 << 14;

/** Collected over operations until the caller clears it. */
export let flags: u32 = 0;

export function raise(bits: u32): void {
  flags |= bits;
}

/** Sets the flags to what they were before an operation, and some more. */
export function replaceFlags(bits: u32): void {
  flags = bits;
}

/** Rounding modes, as both control registers encode them. */
export const TO_NEAREST: u32 = 0;
export const DOWN: u32 = 1;
export const UP: u32 = 2;
export const TO_ZERO: u32 = 3;
