/**
 * f80, the format of x87: a significand of 64 bits with its leading one, and sign and exponent in 16. A function that gives one returns the
 * significand and leaves the rest in {@link high}. A significand in flight stands for significand · 2^(exponent - 63), with `rest` below it.
 */

import { C1, DENORMAL, INEXACT, INVALID, OVERFLOW, raise, TO_NEAREST, UNDERFLOW, UP, DOWN } from './flags.ts';

export const BIAS: i32 = 16383;
export const LEADING: u64 = <u64>1 << 63;
const QUIET: u64 = <u64>1 << 62;
const SIGN: u32 = 0x8000;
const LAST: u32 = 0x7fff;
/** By how much an exponent is moved that is out of range while the exception is unmasked (SDM volume 1, 8.5.4). */
export const WRAP: i32 = 24576;

/** Sign and exponent of the last f80 that was returned. */
export let high: u32 = 0;

export function f80(upper: u32, significand: u64): u64 {
  high = upper;
  return significand;
}

export function isZero(upper: u32, significand: u64): bool {
  return (upper & LAST) === 0 && significand === 0;
}

export function isInfinite(upper: u32, significand: u64): bool {
  return (upper & LAST) === LAST && significand === LEADING;
}

export function isNan(upper: u32, significand: u64): bool {
  return (upper & LAST) === LAST && significand > LEADING;
}

export function isSignalling(upper: u32, significand: u64): bool {
  return isNan(upper, significand) && (significand & QUIET) === 0;
}

/** Encodings of the 8087 and 80287 that no processor takes any more: an exponent without a leading one. */
export function isUnsupported(upper: u32, significand: u64): bool {
  return (upper & LAST) !== 0 && (significand & LEADING) === 0;
}

/** With a leading one they are pseudo-denormals, which count as denormals. */
export function isDenormal(upper: u32, significand: u64): bool {
  return (upper & LAST) === 0 && significand !== 0;
}

export function negative(upper: u32): bool {
  return (upper & SIGN) !== 0;
}

/** The exponent that a finite number's significand counts from, normalized or not. */
export function exponentOf(upper: u32): i32 {
  return max(i32(upper & LAST), 1) - BIAS;
}

export function signed(sign: bool): u32 {
  return sign ? SIGN : 0;
}

export function zero(sign: bool): u64 {
  return f80(signed(sign), 0);
}

export function infinity(sign: bool): u64 {
  return f80(signed(sign) | LAST, LEADING);
}

export function invalid(): u64 {
  raise(INVALID);
  return f80(SIGN | LAST, LEADING | QUIET);
}

/** Neither a number nor an infinity. */
export function isOdd(upper: u32, significand: u64): bool {
  return isUnsupported(upper, significand) || isNan(upper, significand);
}

/** What an operation gives for one odd operand. */
export function oddResult(upper: u32, significand: u64): u64 {
  if (isUnsupported(upper, significand)) return invalid();
  if (isSignalling(upper, significand)) raise(INVALID);
  return f80(upper, significand | QUIET);
}

/** For two, of which one at least is odd: the quiet NaN beside a signalling one, else the larger significand, then the positive one (SDM 1, table 4-7). */
export function oddResults(upperA: u32, a: u64, upperB: u32, b: u64): u64 {
  if (isUnsupported(upperA, a) || isUnsupported(upperB, b)) return invalid();
  if (!isNan(upperA, a)) return oddResult(upperB, b);
  if (!isNan(upperB, b)) return oddResult(upperA, a);
  const signallingA = isSignalling(upperA, a), signallingB = isSignalling(upperB, b);
  if (signallingA || signallingB) raise(INVALID);
  const first = signallingA !== signallingB ? signallingB : a !== b ? a > b : !negative(upperA);
  return first ? f80(upperA, a | QUIET) : f80(upperB, b | QUIET);
}

export function tellDenormal(upper: u32, significand: u64): void {
  if (isDenormal(upper, significand)) raise(DENORMAL);
}

export function roundingMode(control: u32): u32 {
  return control >> 10 & 3;
}

/** How many of a significand's bits are not used, by the control word's precision: 24, 53 or 64 bits are. */
function unused(control: u32): i32 {
  const precision = control >> 8 & 3;
  return precision === 0 ? 40 : precision === 2 ? 11 : 0;
}

/** Whether a whole number with a fraction of rest / 2^64 is rounded to the next one. */
export function roundsUp(sign: bool, whole: u64, rest: u64, mode: u32): bool {
  if (mode === TO_NEAREST) return rest > LEADING || rest === LEADING && (whole & 1) !== 0;
  return rest !== 0 && mode === (sign ? DOWN : UP);
}

/** {@link pack} with all 64 bits, whatever the control word says. */
export function packFull(sign: bool, exponent: i32, significand: u64, rest: u64, control: u32): u64 {
  return pack(sign, exponent, significand, rest, control | 0x300);
}

/**
 * Rounds and encodes a number that is not zero.
 * @param significand with its leading one at bit 63; what was lost below `rest` is in its lowest bit
 */
export function pack(sign: bool, exponent: i32, significand: u64, rest: u64, control: u32): u64 {
  const cut = unused(control);
  if (exponent < 1 - BIAS) return packTiny(sign, exponent, significand, rest, cut, control);
  const top = round(sign, significand, rest, cut, control);
  const power = exponent + i32(carried);
  if (power > BIAS) return packHuge(sign, power, top, control);
  if (inexact) raise(INEXACT);
  return f80(signed(sign) | u32(power + BIAS), top);
}

/** Of the last {@link round}: something was lost; it was rounded up; and to the next power of two. */
let inexact: bool = false;
let up: bool = false;
let carried: bool = false;

/** A significand without its `cut` lowest bits and `rest`. Leaves C1. */
function round(sign: bool, significand: u64, rest: u64, cut: i32, control: u32): u64 {
  const fraction = cut === 0 ? rest : significand << (64 - cut) | u64(rest !== 0);
  const whole = significand >> cut;
  inexact = fraction !== 0;
  up = roundsUp(sign, whole, fraction, roundingMode(control));
  const rounded = whole + u64(up) << cut;
  carried = up && rounded < significand >> cut << cut;
  if (up) raise(C1);
  return carried ? LEADING : rounded;
}

function packTiny(sign: bool, exponent: i32, significand: u64, rest: u64, cut: i32, control: u32): u64 {
  const fraction = cut === 0 ? rest : significand << (64 - cut) | u64(rest !== 0);
  const mode = roundingMode(control);
  const largest = significand >> cut === ~(<u64>0) >> cut;
  const tiny = exponent < -BIAS || !(largest && roundsUp(sign, significand >> cut, fraction, mode));
  if (tiny && (control & UNDERFLOW) === 0) {
    raise(UNDERFLOW);
    const top = round(sign, significand, rest, cut, control);
    if (inexact) raise(INEXACT);
    return f80(signed(sign) | u32(exponent + i32(carried) + WRAP + BIAS), top);
  }
  const count = 1 - BIAS - exponent;
  const shifted = count < 64 ? significand >> count : 0;
  const top = round(sign, shifted, shiftedRest(significand, rest, count), cut, control);
  if (inexact) raise(tiny ? UNDERFLOW | INEXACT : INEXACT);
  return f80(signed(sign) | u32(top >> 63), top);
}

/** The lower half of (significand · 2^64 + rest) >> count, what is lost in its lowest bit. `count` is positive. */
export function shiftedRest(significand: u64, rest: u64, count: i32): u64 {
  if (count > 128) return u64((significand | rest) !== 0);
  if (count === 128) return u64((significand | rest) !== 0);
  if (count > 64) return significand >> (count - 64) | u64((significand << (128 - count) | rest) !== 0);
  if (count === 64) return significand | u64(rest !== 0);
  return significand << (64 - count) | rest >> count | u64(rest << (64 - count) !== 0);
}

function packHuge(sign: bool, exponent: i32, significand: u64, control: u32): u64 {
  if ((control & OVERFLOW) === 0) {
    raise(inexact ? OVERFLOW | INEXACT : OVERFLOW);
    return f80(signed(sign) | u32(exponent - WRAP + BIAS), significand);
  }
  raise(OVERFLOW | INEXACT);
  const mode = roundingMode(control);
  if (mode === TO_NEAREST || mode === (sign ? DOWN : UP)) {
    raise(C1);
    return infinity(sign);
  }
  return f80(signed(sign) | LAST - 1, ~(<u64>0) >> unused(control) << unused(control));
}
