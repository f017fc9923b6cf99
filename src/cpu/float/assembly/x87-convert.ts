/** Conversions of f80: from and to f32, f64, integers and packed decimals. */

import { C1, DENORMAL, flags, INEXACT, INVALID, OVERFLOW, raise, replaceFlags, UNDERFLOW } from './flags.ts';
import {
  BIAS, exponentOf, f80, infinity, isInfinite, isNan, isSignalling, isUnsupported, isZero, LEADING, negative, roundingMode,
  roundsUp, shiftedRest, signed, zero,
} from './extended.ts';
import * as sse from './format.ts';

/** FLD of f32 and f64. */
export function load<F>(a: u64): u64 {
  const sign = (a & sse.signBit<F>()) !== 0;
  const aligned = sse.significand<F>(a) << 1;
  if (sse.isNan<F>(a)) {
    if (sse.isSignalling<F>(a)) raise(INVALID);
    return f80(signed(sign) | 0x7fff, aligned | LEADING >> 1);
  }
  if (sse.isInfinite<F>(a)) return infinity(sign);
  if (aligned === 0) return zero(sign);
  if (sse.isDenormal<F>(a)) raise(DENORMAL);
  const shift = i32(clz(aligned));
  return f80(signed(sign) | u32(sse.exponent<F>(a) - shift + BIAS), aligned << shift);
}

/** FILD. */
export function loadInteger(value: i64): u64 {
  if (value === 0) return zero(false);
  const size = u64(value < 0 ? 0 - value : value);
  const shift = i32(clz(size));
  return f80(signed(value < 0) | u32(63 - shift + BIAS), size << shift);
}

/** FST to f32 and f64. */
export function store<F>(upper: u32, a: u64, control: u32): u64 {
  const sign = negative(upper) ? sse.signBit<F>() : 0;
  if (isUnsupported(upper, a)) return sse.invalid<F>();
  if (isNan(upper, a)) {
    if (isSignalling(upper, a)) raise(INVALID);
    return sign | sse.infinity<F>() | sse.quietBit<F>() | a << 1 >> (64 - sse.fractionBits<F>());
  }
  if (isInfinite(upper, a)) return sign | sse.infinity<F>();
  if (isZero(upper, a)) return sign;
  const shift = i32(clz(a));
  const normal = a << shift;
  const power = exponentOf(upper) - shift;
  // MXCSR with the rounding mode and the masks of the control word.
  const mxcsr = roundingMode(control) << 13 | (control & 63) << 7;
  const before = flags;
  // Whatever is beyond the format is so by the next power of two already.
  const result = sse.pack<F>(u64(sign !== 0), min(power, sse.bias<F>() + 1), normal >> 1 | normal & 1, mxcsr);
  const stopped = flags & ~before & ~control & (OVERFLOW | UNDERFLOW);
  // Unmasked, nothing is stored, so nothing was rounded.
  if (stopped !== 0) replaceFlags(before | stopped);
  else if (isLarger<F>(result, power, normal)) raise(C1);
  return result;
}

/** Whether an encoding's magnitude is above that of a number. */
function isLarger<F>(result: u64, power: i32, significand: u64): bool {
  if (sse.magnitude<F>(result) === 0) return false;
  if (sse.isInfinite<F>(result)) return true;
  const aligned = sse.significand<F>(result) << 1;
  const shift = i32(clz(aligned));
  const difference = sse.exponent<F>(result) - shift - power;
  return difference !== 0 ? difference > 0 : aligned << shift > significand;
}

/** FIST and, with the rounding mode set to 3, FISTTP. What does not fit is invalid and gives the least integer. */
export function storeInteger(upper: u32, a: u64, bits: u32, control: u32): u64 {
  const indefinite = <u64>1 << (bits - 1);
  const sign = negative(upper);
  const size = roundedInteger(upper, a, control);
  if (outOfRange || size > indefinite - u64(!sign)) return invalidInteger(indefinite);
  if (lost) raise(INEXACT);
  if (grown) raise(C1);
  return sign ? 0 - size : size;
}

function invalidInteger(indefinite: u64): u64 {
  raise(INVALID);
  return indefinite;
}

/** Of the last {@link roundedInteger}: it has more than 64 bits or is no number; something was lost; the magnitude was rounded up. */
let outOfRange: bool = false;
let lost: bool = false;
let grown: bool = false;

/** The magnitude. */
function roundedInteger(upper: u32, a: u64, control: u32): u64 {
  const power = exponentOf(upper);
  outOfRange = power >= 64 || isUnsupported(upper, a);
  if (outOfRange) return 0;
  const count = 63 - power;
  const whole = count < 64 ? a >> count : 0;
  const rest = count === 0 ? 0 : shiftedRest(a, 0, count);
  lost = rest !== 0;
  grown = roundsUp(negative(upper), whole, rest, roundingMode(control));
  const rounded = whole + u64(grown);
  outOfRange = grown && rounded === 0;
  return rounded;
}

const DIGITS = 18;
const MOST: u64 = 999999999999999999;

/** FBLD: two digits a byte, the sign in the uppermost bit. What digits above nine give is undefined; here they count as what they are. */
export function loadDecimal(upper: u32, digits: u64): u64 {
  let value: u64 = 0;
  for (let shift = 4; shift >= 0; shift -= 4) value = value * 10 + u64(upper >> shift & 15);
  for (let shift = 60; shift >= 0; shift -= 4) value = value * 10 + (digits >> shift & 15);
  if (value === 0) return zero(negative(upper));
  const shift = i32(clz(value));
  return f80(signed(negative(upper)) | u32(63 - shift + BIAS), value << shift);
}

/** FBSTP. */
export function storeDecimal(upper: u32, a: u64, control: u32): u64 {
  let size = roundedInteger(upper, a, control);
  if (outOfRange || size > MOST) {
    raise(INVALID);
    return f80(0xffff, <u64>3 << 62);
  }
  if (lost) raise(INEXACT);
  if (grown) raise(C1);
  let digits: u64 = 0;
  for (let at = 0; at < DIGITS - 2; at++) {
    digits = digits >> 4 | size % 10 << 60;
    size /= 10;
  }
  return f80(signed(negative(upper)) | u32(size / 10 << 4 | size % 10), digits);
}
