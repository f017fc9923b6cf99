/** Addition, multiplication, division and square root of f32 and f64. Operands and result are encodings. */

import { low, multiplyWide, shiftRightSticky } from './bits.ts';
import { DIVIDE_BY_ZERO, DOWN, raise } from './flags.ts';
import {
  admitted, exponent, exponentField, flushed, infinity, invalid, isInfinite, isNan, magnitude, pack, propagated, roundingMode,
  signBit, significand,
} from './format.ts';
import { arePlain, hostAdd, hostDivide, hostMultiply, hostRoot } from './host.ts';

function isNegative<F>(a: u64): bool {
  return (a & signBit<F>()) !== 0;
}

export function add<F>(first: u64, second: u64, mxcsr: u32): u64 {
  if (arePlain<F>(first, second, mxcsr)) {
    const result = hostAdd<F>(first, second);
    if (result !== 0) return result;
  }
  if (isNan<F>(first) || isNan<F>(second)) return propagated<F>(first, second);
  const a = admitted<F>(first, mxcsr), b = admitted<F>(second, mxcsr);
  const differ = ((a ^ b) & signBit<F>()) !== 0;
  if (isInfinite<F>(a) || isInfinite<F>(b)) return differ && magnitude<F>(a) === magnitude<F>(b) ? invalid<F>() : isInfinite<F>(a) ? a : b;
  const swap = magnitude<F>(a) < magnitude<F>(b);
  return addOrdered<F>(swap ? b : a, swap ? a : b, differ, mxcsr);
}

/** Finite numbers, the larger magnitude first. */
function addOrdered<F>(a: u64, b: u64, differ: bool, mxcsr: u32): u64 {
  const sign = u64(isNegative<F>(a));
  const top = exponent<F>(a);
  const aligned = shiftRightSticky(significand<F>(b), top - exponent<F>(b));
  if (differ) {
    const difference = significand<F>(a) - aligned;
    if (difference === 0) return roundingMode(mxcsr) === DOWN ? signBit<F>() : 0;
    const shift = i32(clz(difference)) - 1;
    return pack<F>(sign, top - shift, difference << shift, mxcsr);
  }
  const sum = significand<F>(a) + aligned;
  if (sum === 0) return a;
  if (sum >> 63 !== 0) return pack<F>(sign, top + 1, sum >> 1 | sum & 1, mxcsr);
  const shift = i32(clz(sum)) - 1;
  return pack<F>(sign, top - shift, sum << shift, mxcsr);
}

export function subtract<F>(a: u64, b: u64, mxcsr: u32): u64 {
  return add<F>(a, isNan<F>(b) ? b : b ^ signBit<F>(), mxcsr);
}

export function multiply<F>(first: u64, second: u64, mxcsr: u32): u64 {
  if (arePlain<F>(first, second, mxcsr)) {
    const result = hostMultiply<F>(first, second);
    if (result !== 0) return result;
  }
  if (isNan<F>(first) || isNan<F>(second)) return propagated<F>(first, second);
  const a = admitted<F>(first, mxcsr), b = admitted<F>(second, mxcsr);
  const signed = (a ^ b) & signBit<F>();
  if (isInfinite<F>(a) || isInfinite<F>(b)) return magnitude<F>(a) === 0 || magnitude<F>(b) === 0 ? invalid<F>() : signed | infinity<F>();
  if (magnitude<F>(a) === 0 || magnitude<F>(b) === 0) return signed;
  const shiftA = i32(clz(significand<F>(a))) - 1, shiftB = i32(clz(significand<F>(b))) - 1;
  const upper = multiplyWide(significand<F>(a) << shiftA, significand<F>(b) << shiftB << 1);
  const product = upper | u64(low !== 0);
  const shift = 1 - i32(product >> 62);
  return pack<F>(u64(signed !== 0), exponent<F>(a) - shiftA + exponent<F>(b) - shiftB + 1 - shift, product << shift, mxcsr);
}

export function divide<F>(first: u64, second: u64, mxcsr: u32): u64 {
  if (arePlain<F>(first, second, mxcsr)) {
    const result = hostDivide<F>(first, second);
    if (result !== 0) return result;
  }
  if (isNan<F>(first) || isNan<F>(second)) return propagated<F>(first, second);
  const signed = (first ^ second) & signBit<F>();
  if (magnitude<F>(flushed<F>(second, mxcsr)) === 0) return divideByZero<F>(flushed<F>(first, mxcsr), signed);
  const a = admitted<F>(first, mxcsr), b = admitted<F>(second, mxcsr);
  if (isInfinite<F>(a)) return isInfinite<F>(b) ? invalid<F>() : signed | infinity<F>();
  if (isInfinite<F>(b)) return signed;
  if (magnitude<F>(a) === 0) return signed;
  const shiftA = i32(clz(significand<F>(a))) - 1, shiftB = i32(clz(significand<F>(b))) - 1;
  const top = significand<F>(a) << shiftA, bottom = significand<F>(b) << shiftB;
  const less = i32(top < bottom);
  return pack<F>(u64(signed !== 0), exponent<F>(a) - shiftA - exponent<F>(b) + shiftB - less, quotient(top >> 10 << less, bottom >> 10), mxcsr);
}

/** A denormal divided by zero is not told as one. */
function divideByZero<F>(a: u64, signed: u64): u64 {
  if (magnitude<F>(a) === 0) return invalid<F>();
  if (!isInfinite<F>(a)) raise(DIVIDE_BY_ZERO);
  return signed | infinity<F>();
}

/**
 * a / b for b <= a < 2b, both of 53 bits: the quotient with its leading one at bit 62. The host's division is right to the nearest 53 bits;
 * what is missing, a - quotient · b, is small and therefore exact in 64 bits that wrap.
 */
function quotient(a: u64, b: u64): u64 {
  let whole = u64(f64(a) / f64(b) * 4503599627370496.0);
  let rest = i64((a << 52) - whole * b);
  if (rest < 0) {
    whole -= 1;
    rest += i64(b);
  }
  const twice = u64(rest) << 1;
  return whole << 10 | u64(twice >= b) << 9 | u64(twice !== b && rest !== 0);
}

export function squareRoot<F>(operand: u64, mxcsr: u32): u64 {
  if (!isNegative<F>(operand) && arePlain<F>(operand, operand, mxcsr)) {
    const result = hostRoot<F>(operand);
    if (result !== 0) return result;
  }
  if (isNan<F>(operand)) return propagated<F>(operand, operand);
  const a = flushed<F>(operand, mxcsr);
  if (magnitude<F>(a) === 0 || a === infinity<F>()) return a;
  if (isNegative<F>(a)) return invalid<F>();
  admitted<F>(a, mxcsr);
  const shift = i32(clz(significand<F>(a))) - 1;
  const power = exponent<F>(a) - shift;
  const odd = power & 1;
  return pack<F>(0, power - odd >> 1, root(significand<F>(a) << shift >> 10 << odd), mxcsr);
}

/** The root of a / 2^52 for a of 53 or 54 bits, with its leading one at bit 62; as with {@link quotient}, what is missing is exact. */
function root(a: u64): u64 {
  let whole = u64(sqrt(f64(a)) * 67108864.0);
  let rest = i64((a << 52) - whole * whole);
  if (rest < 0) {
    whole -= 1;
    rest += i64(whole << 1) + 1;
  }
  return whole << 10 | u64(rest > i64(whole)) << 9 | u64(rest !== 0);
}

/** RCPSS: a denormal counts as zero, as does a result that would be one. Nothing is raised. */
export function reciprocal(a: u32): u32 {
  if (isNan<f32>(a)) return a | 0x400000;
  if (exponentField<f32>(a) === 0) return a & 0x80000000 | 0x7f800000;
  const result = reinterpret<u32>(<f32>1 / reinterpret<f32>(a));
  return exponentField<f32>(result) === 0 ? a & 0x80000000 : result;
}

/** RSQRTSS, likewise. */
export function reciprocalRoot(a: u32): u32 {
  if (isNan<f32>(a)) return a | 0x400000;
  if (exponentField<f32>(a) === 0) return a & 0x80000000 | 0x7f800000;
  if (a >> 31 !== 0) return 0xffc00000;
  return reinterpret<u32>(<f32>(1.0 / sqrt(f64(reinterpret<f32>(a)))));
}
