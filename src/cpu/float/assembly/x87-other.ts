/** Remainders, scaling, taking apart, rounding to integers, and the constants of x87. */

import { divideWide, low } from './bits.ts';
import { C0, C1, C2, C3, DIVIDE_BY_ZERO, INEXACT, OVERFLOW, raise, TO_NEAREST, UNDERFLOW, UP } from './flags.ts';
import {
  BIAS, exponentOf, f80, infinity, invalid, isInfinite, isOdd, isZero, LEADING, negative, oddResult, oddResults, packFull, roundingMode, roundsUp,
  shiftedRest, signed, tellDenormal, WRAP, zero,
} from './extended.ts';
import { loadInteger } from './x87-convert.ts';

/** FPREM (the quotient towards zero) and, with `nearest`, FPREM1. C2 tells that only a part was done, C0, C3 and C1 the quotient's lowest bits. */
export function remainder(upperA: u32, a: u64, upperB: u32, b: u64, nearest: bool, control: u32): u64 {
  if (isOdd(upperA, a) || isOdd(upperB, b)) return oddResults(upperA, a, upperB, b);
  if (isInfinite(upperA, a) || isZero(upperB, b)) return invalid();
  tellDenormal(upperA, a);
  tellDenormal(upperB, b);
  if (isZero(upperA, a) || isInfinite(upperB, b)) return unchanged(upperA, a, control);
  const sign = negative(upperA);
  const shiftA = i32(clz(a)), shiftB = i32(clz(b));
  const powerA = exponentOf(upperA) - shiftA, powerB = exponentOf(upperB) - shiftB;
  const difference = powerA - powerB;
  const top = a << shiftA, bottom = b << shiftB;
  if (difference < -1 || difference === -1 && !nearest) return unchanged(upperA, a, control);
  if (difference === -1) return top > bottom ? packRest(!sign, powerB - 1, bottom - (top - bottom), 1, control) : unchanged(upperA, a, control);
  if (difference >= 64) return partial(sign, difference, powerB, top, bottom, control);
  const quotient = wholeQuotient(top, bottom, difference);
  const left = low;
  const missing = bottom - left;
  if (nearest && (left > missing || left === missing && (quotient & 1) !== 0)) return packRest(!sign, powerB, missing, quotient + 1, control);
  return packRest(sign, powerB, left, quotient, control);
}

/** top · 2^count / bottom for a count below 64, the remainder in {@link low}; of a quotient of 65 bits the lowest. */
function wholeQuotient(top: u64, bottom: u64, count: i32): u64 {
  const first = u64(top >= bottom);
  const left = top - (first !== 0 ? bottom : 0);
  const quotient = count === 0 ? divideWide(0, left, bottom) : divideWide(left >> (64 - count), left << count, bottom);
  return first << count | quotient;
}

/** Takes 32 to 63 bits off the quotient, so that a multiple of 32 is left, as AMD's processors do; how many is theirs to choose. */
function partial(sign: bool, difference: i32, powerB: i32, top: u64, bottom: u64, control: u32): u64 {
  const count = 32 + difference % 32;
  wholeQuotient(top, bottom, count);
  raise(C2);
  return packBits(sign, powerB + difference - count, low, control);
}

/** A number that is its own remainder, normalized. */
function unchanged(upper: u32, a: u64, control: u32): u64 {
  return a === 0 ? f80(upper, a) : packBits(negative(upper), exponentOf(upper), a, control);
}

function packRest(sign: bool, exponent: i32, left: u64, quotient: u64, control: u32): u64 {
  raise(((quotient & 4) !== 0 ? C0 : 0) | ((quotient & 2) !== 0 ? C3 : 0) | ((quotient & 1) !== 0 ? C1 : 0));
  return packBits(sign, exponent, left, control);
}

/** left · 2^(exponent - 63), which is exact. */
function packBits(sign: bool, exponent: i32, left: u64, control: u32): u64 {
  if (left === 0) return zero(sign);
  const shift = i32(clz(left));
  return packFull(sign, exponent - shift, left << shift, 0, control);
}

/** FSCALE: a · 2^b, b cut to an integer. */
export function scale(upperA: u32, a: u64, upperB: u32, b: u64, control: u32): u64 {
  if (isOdd(upperA, a) || isOdd(upperB, b)) return oddResults(upperA, a, upperB, b);
  const down = negative(upperB);
  if (isInfinite(upperB, b)) {
    if (down ? isInfinite(upperA, a) : isZero(upperA, a)) return invalid();
    tellDenormal(upperA, a);
    return down ? zero(negative(upperA)) : infinity(negative(upperA));
  }
  tellDenormal(upperA, a);
  tellDenormal(upperB, b);
  if (isInfinite(upperA, a) || a === 0) return f80(upperA, a);
  const power = exponentOf(upperB);
  // More than 2^16 leaves every exponent's range, wrapped or not.
  const size = power < 0 ? 0 : power > 16 ? 1 << 17 : i32(b >> (63 - power));
  const shift = i32(clz(a));
  const exponent = exponentOf(upperA) - shift + (down ? 0 - size : size);
  if ((control & OVERFLOW) === 0 && exponent - WRAP > BIAS) return beyond(infinity(negative(upperA)), OVERFLOW | INEXACT | C1);
  if ((control & UNDERFLOW) === 0 && exponent + WRAP < 1 - BIAS) return beyond(zero(negative(upperA)), UNDERFLOW | INEXACT);
  return packFull(negative(upperA), exponent, a << shift, 0, control);
}

/** What even an exponent that is wrapped does not reach. */
function beyond(result: u64, bits: u32): u64 {
  raise(bits);
  return result;
}

/** FXTRACT's exponent, as a number; of zero it is minus infinity and a division by zero. */
export function extractExponent(upper: u32, a: u64): u64 {
  if (isOdd(upper, a)) return oddResult(upper, a);
  if (isInfinite(upper, a)) return infinity(false);
  if (isZero(upper, a)) {
    raise(DIVIDE_BY_ZERO);
    return infinity(true);
  }
  tellDenormal(upper, a);
  return loadInteger(exponentOf(upper) - i32(clz(a)));
}

/** FXTRACT's significand: the same number with the exponent zero. */
export function extractSignificand(upper: u32, a: u64): u64 {
  if (isOdd(upper, a)) return oddResult(upper, a);
  if (isInfinite(upper, a) || isZero(upper, a)) return f80(upper, a);
  return f80(signed(negative(upper)) | BIAS, a << clz(a));
}

/** FRNDINT. */
export function roundToIntegral(upper: u32, a: u64, control: u32): u64 {
  if (isOdd(upper, a)) return oddResult(upper, a);
  tellDenormal(upper, a);
  const power = exponentOf(upper);
  if (power >= 63 || a === 0) return f80(upper, a);
  const sign = negative(upper);
  const count = 63 - power;
  const whole = count < 64 ? a >> count : 0;
  const rest = shiftedRest(a, 0, count);
  const up = roundsUp(sign, whole, rest, roundingMode(control));
  if (rest !== 0) raise(up ? INEXACT | C1 : INEXACT);
  const rounded = whole + u64(up);
  if (rounded === 0) return zero(sign);
  const shift = i32(clz(rounded));
  return f80(signed(sign) | u32(63 - shift + BIAS), rounded << shift);
}

/** FLD1, FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2, FLDZ, by the last bits of their opcodes, rounded as the control word says. */
export function constant(index: u32, control: u32): u64 {
  const up = roundingMode(control) === UP;
  const near = roundingMode(control) === TO_NEAREST;
  switch (index) {
    case 0: return f80(BIAS, LEADING);
    case 1: return f80(BIAS + 1, 0xd49a784bcd1b8afe + u64(up));
    case 2: return f80(BIAS, 0xb8aa3b295c17f0bb + u64(up || near));
    case 3: return f80(BIAS + 1, 0xc90fdaa22168c234 + u64(up || near));
    case 4: return f80(BIAS - 2, 0x9a209a84fbcff798 + u64(up || near));
    case 5: return f80(BIAS - 1, 0xb17217f7d1cf79ab + u64(up || near));
    default: return zero(false);
  }
}
