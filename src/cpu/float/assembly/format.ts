/**
 * f32 and f64 as SSE has them, each function compiled once for either. Encodings are u64; those of f32 have a zero upper half.
 * A significand in flight has its leading one at bit 62: it stands for significand · 2^(exponent - 62).
 */

import { DENORMAL, INEXACT, INVALID, OVERFLOW, raise, TO_NEAREST, TO_ZERO, UNDERFLOW, UP, DOWN } from './flags.ts';
import { shiftRightSticky } from './bits.ts';

/** MXCSR: denormal operands are zeros; tiny results are zeros; masks of exceptions. */
const DAZ: u32 = 1 << 6;
const FTZ: u32 = 1 << 15;
const OVERFLOW_MASK: u32 = 1 << 10;
const UNDERFLOW_MASK: u32 = 1 << 11;

export function fractionBits<F>(): i32 {
  return sizeof<F>() === 8 ? 52 : 23;
}

export function bias<F>(): i32 {
  return sizeof<F>() === 8 ? 1023 : 127;
}

export function signBit<F>(): u64 {
  return sizeof<F>() === 8 ? <u64>1 << 63 : <u64>1 << 31;
}

export function infinity<F>(): u64 {
  return sizeof<F>() === 8 ? 0x7ff0000000000000 : 0x7f800000;
}

/** The bit that tells a quiet NaN from a signalling one. */
export function quietBit<F>(): u64 {
  return <u64>1 << (fractionBits<F>() - 1);
}

/** What an invalid operation gives: the negative quiet NaN without payload. */
export function indefinite<F>(): u64 {
  return signBit<F>() | infinity<F>() | quietBit<F>();
}

export function magnitude<F>(a: u64): u64 {
  return a & (signBit<F>() - 1);
}

export function isNan<F>(a: u64): bool {
  return magnitude<F>(a) > infinity<F>();
}

export function isSignalling<F>(a: u64): bool {
  return isNan<F>(a) && (a & quietBit<F>()) === 0;
}

export function isInfinite<F>(a: u64): bool {
  return magnitude<F>(a) === infinity<F>();
}

/** 0 for zeros and denormals. */
export function exponentField<F>(a: u64): i32 {
  return i32(magnitude<F>(a) >> fractionBits<F>());
}

export function isDenormal<F>(a: u64): bool {
  return magnitude<F>(a) - 1 < (<u64>1 << fractionBits<F>()) - 1;
}

/** The significand of a finite number with the implied one at bit 62; a denormal's begins lower. */
export function significand<F>(a: u64): u64 {
  const fraction = a & ((<u64>1 << fractionBits<F>()) - 1);
  return (fraction | u64(exponentField<F>(a) !== 0) << fractionBits<F>()) << (62 - fractionBits<F>());
}

/** The exponent that belongs to {@link significand}. */
export function exponent<F>(a: u64): i32 {
  return max(exponentField<F>(a), 1) - bias<F>();
}

export function roundingMode(mxcsr: u32): u32 {
  return mxcsr >> 13 & 3;
}

/** `a` without its denormals, where MXCSR says so. */
export function flushed<F>(a: u64, mxcsr: u32): u64 {
  return (mxcsr & DAZ) !== 0 && exponentField<F>(a) === 0 ? a & signBit<F>() : a;
}

/** {@link flushed}, and a denormal that stays raises its flag. */
export function admitted<F>(a: u64, mxcsr: u32): u64 {
  if (exponentField<F>(a) !== 0) return a;
  if ((mxcsr & DAZ) !== 0) return a & signBit<F>();
  if (isDenormal<F>(a)) raise(DENORMAL);
  return a;
}

export function invalid<F>(): u64 {
  raise(INVALID);
  return indefinite<F>();
}

/** The NaN that comes of two operands of which one is one: the first, made quiet (SDM volume 1, table 4-7). */
export function propagated<F>(a: u64, b: u64): u64 {
  if (isSignalling<F>(a) || isSignalling<F>(b)) raise(INVALID);
  return (isNan<F>(a) ? a : b) | quietBit<F>();
}

/** What is added below the last place so that cutting off rounds; ties are the caller's. `dropped` bits are cut off. */
export function increment(sign: u64, mode: u32, dropped: i32): u64 {
  if (mode === TO_NEAREST) return <u64>1 << (dropped - 1);
  return mode === (sign !== 0 ? DOWN : UP) ? (<u64>1 << dropped) - 1 : 0;
}

/**
 * Rounds and encodes a number that is not zero.
 * @param sign 0 or 1
 * @param significand leading one at bit 62, what was lost below is in bit 0
 */
export function pack<F>(sign: u64, exponent: i32, significand: u64, mxcsr: u32): u64 {
  const dropped = 62 - fractionBits<F>();
  if (exponent < 1 - bias<F>()) return packTiny<F>(sign, exponent, significand, mxcsr);
  const rest = significand & ((<u64>1 << dropped) - 1);
  const mode = roundingMode(mxcsr);
  let rounded = significand + increment(sign, mode, dropped) >> dropped;
  if (rest === <u64>1 << (dropped - 1) && mode === TO_NEAREST) rounded &= ~(<u64>1);
  const encoded = (u64(exponent + bias<F>() - 1) << fractionBits<F>()) + rounded;
  if (encoded >= infinity<F>()) return overflowed<F>(sign, mode, rest !== 0 || (mxcsr & OVERFLOW_MASK) !== 0);
  if (rest !== 0) raise(INEXACT);
  return (sign !== 0 ? signBit<F>() : 0) | encoded;
}

/** {@link pack} below the least normal number. Tiny is what is still so after rounding (SDM volume 1, 4.9.1.5). */
function packTiny<F>(sign: u64, exponent: i32, significand: u64, mxcsr: u32): u64 {
  const dropped = 62 - fractionBits<F>();
  const mode = roundingMode(mxcsr);
  const signed = sign !== 0 ? signBit<F>() : 0;
  const more = increment(sign, mode, dropped);
  const tiny = exponent < -bias<F>() || significand + more < <u64>1 << 63;
  if (tiny && (mxcsr & UNDERFLOW_MASK) === 0) {
    // The exception's handler is told of the result as it would be were there no least exponent.
    const inexact = (significand & ((<u64>1 << dropped) - 1)) !== 0;
    raise(inexact ? UNDERFLOW | INEXACT : UNDERFLOW);
    return signed;
  }
  if (tiny && (mxcsr & FTZ) !== 0) {
    raise(UNDERFLOW | INEXACT);
    return signed;
  }
  const shifted = shiftRightSticky(significand, 1 - bias<F>() - exponent);
  const rest = shifted & ((<u64>1 << dropped) - 1);
  let rounded = shifted + more >> dropped;
  if (rest === <u64>1 << (dropped - 1) && mode === TO_NEAREST) rounded &= ~(<u64>1);
  if (rest !== 0) raise(tiny ? UNDERFLOW | INEXACT : INEXACT);
  return signed | rounded;
}

function overflowed<F>(sign: u64, mode: u32, inexact: bool): u64 {
  raise(inexact ? OVERFLOW | INEXACT : OVERFLOW);
  const away = mode === TO_NEAREST || mode !== TO_ZERO && (mode === DOWN) === (sign !== 0);
  return (sign !== 0 ? signBit<F>() : 0) | (away ? infinity<F>() : infinity<F>() - 1);
}
