/** Conversions of f32 and f64: to one another, from and to integers, to integral values. */

import { shiftRightSticky } from './bits.ts';
import { INEXACT, INVALID, raise, TO_NEAREST } from './flags.ts';
import {
  admitted, bias, exponent, exponentField, flushed, fractionBits, increment, infinity, isInfinite, isNan, isSignalling, magnitude, pack, quietBit,
  roundingMode, signBit, significand,
} from './format.ts';

/** One format to the other; a NaN keeps the upper part of its payload. */
export function convert<From, To>(operand: u64, mxcsr: u32): u64 {
  const signed = (operand & signBit<From>()) !== 0 ? signBit<To>() : 0;
  if (isNan<From>(operand)) {
    if (isSignalling<From>(operand)) raise(INVALID);
    const payload = (operand & ((<u64>1 << fractionBits<From>()) - 1)) << (62 - fractionBits<From>()) >> (62 - fractionBits<To>());
    return signed | infinity<To>() | quietBit<To>() | payload;
  }
  const a = admitted<From>(operand, mxcsr);
  if (isInfinite<From>(a)) return signed | infinity<To>();
  if (magnitude<From>(a) === 0) return signed;
  const shift = i32(clz(significand<From>(a))) - 1;
  return pack<To>(u64(signed !== 0), exponent<From>(a) - shift, significand<From>(a) << shift, mxcsr);
}

/** @param mode of the four, besides what MXCSR says */
export function toInteger<F>(operand: u64, bits: u32, mode: u32, mxcsr: u32): u64 {
  const indefinite = <u64>1 << (bits - 1);
  const a = flushed<F>(operand, mxcsr);
  const power = exponent<F>(a);
  if (power >= 63) {
    // The least integer has no positive twin.
    if (bits === 64 && a === (signBit<F>() | u64(bias<F>() + 63) << fractionBits<F>())) return indefinite;
    raise(INVALID);
    return indefinite;
  }
  const sign = u64((a & signBit<F>()) !== 0);
  // With the point between bits 63 and 62 of `part`.
  const whole = power < 0 ? 0 : significand<F>(a) >> (62 - power);
  const part = power < 0 ? shiftRightSticky(significand<F>(a), -1 - power) : significand<F>(a) << (power + 1) & (<u64>1 << 63) - 1;
  const rounded = roundedWhole(sign, whole, part, mode);
  if (rounded > indefinite - u64(sign === 0)) {
    raise(INVALID);
    return indefinite;
  }
  if (part !== 0) raise(INEXACT);
  return sign !== 0 ? 0 - rounded : rounded;
}

/** `whole` and a fraction of `part` / 2^63, rounded. */
function roundedWhole(sign: u64, whole: u64, part: u64, mode: u32): u64 {
  const up = part + increment(sign, mode, 63) >> 63;
  const tie = mode === TO_NEAREST && part === <u64>1 << 62;
  return tie ? whole + (whole & 1) : whole + up;
}

export function fromInteger<F>(value: i64, mxcsr: u32): u64 {
  if (value === 0) return 0;
  const sign = u64(value < 0);
  const size = u64(value < 0 ? 0 - value : value);
  const shift = i32(clz(size));
  const normal = size << shift;
  return pack<F>(sign, 63 - shift, normal >> 1 | normal & 1, mxcsr);
}

/** ROUNDSS and ROUNDSD. @param immediate bits 0-1 mode, 2 the mode of MXCSR instead, 3 without the inexact flag */
export function roundToIntegral<F>(operand: u64, immediate: u32, mxcsr: u32): u64 {
  if (isNan<F>(operand)) {
    if (isSignalling<F>(operand)) raise(INVALID);
    return operand | quietBit<F>();
  }
  const a = flushed<F>(operand, mxcsr);
  const below = bias<F>() + fractionBits<F>() - exponentField<F>(a);
  if (below <= 0 || magnitude<F>(a) === 0) return a;
  const mode = (immediate & 4) !== 0 ? roundingMode(mxcsr) : immediate & 3;
  const rounded = cut<F>(a, below, mode);
  if (rounded !== a && (immediate & 8) === 0) raise(INEXACT);
  return rounded;
}

/** `a` without its `below` lowest places, rounded. */
function cut<F>(a: u64, below: i32, mode: u32): u64 {
  const sign = a & signBit<F>();
  if (below > fractionBits<F>()) {
    // Less than one: what is left is whether it rounds up to one.
    const half = u64(bias<F>() - 1) << fractionBits<F>();
    const up = mode === TO_NEAREST ? magnitude<F>(a) > half : increment(sign, mode, 2) !== 0;
    return sign | (up ? u64(bias<F>()) << fractionBits<F>() : 0);
  }
  const rest = a & ((<u64>1 << below) - 1);
  const rounded = a + increment(sign, mode, below) & ~((<u64>1 << below) - 1);
  const tie = mode === TO_NEAREST && rest === <u64>1 << (below - 1);
  return tie ? rounded & ~(<u64>1 << below) : rounded;
}
