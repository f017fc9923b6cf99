/** Addition, multiplication, division and square root of f80. */

import { divideWide, low, multiplyWide } from './bits.ts';
import { DIVIDE_BY_ZERO, DOWN, raise } from './flags.ts';
import {
  exponentOf, f80, infinity, invalid, isInfinite, isOdd, isZero, LEADING, negative, oddResult, oddResults, pack, roundingMode, shiftedRest,
  tellDenormal, zero,
} from './extended.ts';

/** The common case, in which nothing is special. */
function areNormal(upperA: u32, a: u64, upperB: u32, b: u64): bool {
  return (upperA & 0x7fff) - 1 < 0x7ffe && (upperB & 0x7fff) - 1 < 0x7ffe && (a & b & LEADING) !== 0;
}

export function add(upperA: u32, a: u64, upperB: u32, b: u64, control: u32): u64 {
  return areNormal(upperA, a, upperB, b) ? addFinite(upperA, a, upperB, b, control) : addAny(upperA, a, upperB, b, control);
}

function addAny(upperA: u32, a: u64, upperB: u32, b: u64, control: u32): u64 {
  if (isOdd(upperA, a) || isOdd(upperB, b)) return oddResults(upperA, a, upperB, b);
  const infiniteA = isInfinite(upperA, a);
  if (infiniteA && isInfinite(upperB, b) && upperA !== upperB) return invalid();
  tellDenormal(upperA, a);
  tellDenormal(upperB, b);
  if (infiniteA || isInfinite(upperB, b)) return infinity(negative(infiniteA ? upperA : upperB));
  return addFinite(upperA, a, upperB, b, control);
}

function addFinite(upperA: u32, a: u64, upperB: u32, b: u64, control: u32): u64 {
  const powerA = exponentOf(upperA), powerB = exponentOf(upperB);
  const swap = powerA < powerB || powerA === powerB && a < b;
  return swap ? addOrdered(upperB, b, upperA, a, control) : addOrdered(upperA, a, upperB, b, control);
}

/** Finite numbers, the larger magnitude first. */
function addOrdered(upperA: u32, a: u64, upperB: u32, b: u64, control: u32): u64 {
  const sign = negative(upperA);
  if (b === 0 && a === 0) return zero(sign === negative(upperB) ? sign : roundingMode(control) === DOWN);
  const power = exponentOf(upperA);
  const count = power - exponentOf(upperB);
  const aligned = count < 64 ? b >> count : 0;
  const rest = count === 0 ? 0 : shiftedRest(b, 0, count);
  if (sign === negative(upperB)) {
    const sum = a + aligned;
    if (sum < a) return pack(sign, power + 1, sum >> 1 | LEADING, sum << 63 | rest >> 1 | rest & 1, control);
    return packNormalized(sign, power, sum, rest, control);
  }
  const top = a - aligned - u64(rest !== 0);
  if (top === 0 && rest === 0) return zero(roundingMode(control) === DOWN);
  return packNormalized(sign, power, top, 0 - rest, control);
}

function packNormalized(sign: bool, exponent: i32, top: u64, rest: u64, control: u32): u64 {
  if (top === 0) {
    const shift = i32(clz(rest));
    return pack(sign, exponent - 64 - shift, rest << shift, 0, control);
  }
  const shift = i32(clz(top));
  return shift === 0 ? pack(sign, exponent, top, rest, control) : pack(sign, exponent - shift, top << shift | rest >> (64 - shift), rest << shift, control);
}

export function subtract(upperA: u32, a: u64, upperB: u32, b: u64, control: u32): u64 {
  return add(upperA, a, isOdd(upperB, b) ? upperB : upperB ^ 0x8000, b, control);
}

export function multiply(upperA: u32, a: u64, upperB: u32, b: u64, control: u32): u64 {
  return areNormal(upperA, a, upperB, b) ? multiplyFinite(upperA, a, upperB, b, control) : multiplyAny(upperA, a, upperB, b, control);
}

function multiplyAny(upperA: u32, a: u64, upperB: u32, b: u64, control: u32): u64 {
  if (isOdd(upperA, a) || isOdd(upperB, b)) return oddResults(upperA, a, upperB, b);
  const sign = negative(upperA) !== negative(upperB);
  if (isInfinite(upperA, a) && isZero(upperB, b) || isZero(upperA, a) && isInfinite(upperB, b)) return invalid();
  tellDenormal(upperA, a);
  tellDenormal(upperB, b);
  if (isInfinite(upperA, a) || isInfinite(upperB, b)) return infinity(sign);
  if (a === 0 || b === 0) return zero(sign);
  return multiplyFinite(upperA, a, upperB, b, control);
}

function multiplyFinite(upperA: u32, a: u64, upperB: u32, b: u64, control: u32): u64 {
  const shiftA = i32(clz(a)), shiftB = i32(clz(b));
  const product = multiplyWide(a << shiftA, b << shiftB);
  return packNormalized(negative(upperA) !== negative(upperB), exponentOf(upperA) - shiftA + exponentOf(upperB) - shiftB + 1, product, low, control);
}

export function divide(upperA: u32, a: u64, upperB: u32, b: u64, control: u32): u64 {
  return areNormal(upperA, a, upperB, b) ? divideFinite(upperA, a, upperB, b, control) : divideAny(upperA, a, upperB, b, control);
}

function divideAny(upperA: u32, a: u64, upperB: u32, b: u64, control: u32): u64 {
  if (isOdd(upperA, a) || isOdd(upperB, b)) return oddResults(upperA, a, upperB, b);
  const sign = negative(upperA) !== negative(upperB);
  const infiniteA = isInfinite(upperA, a), infiniteB = isInfinite(upperB, b);
  if (infiniteA && infiniteB || a === 0 && b === 0) return invalid();
  if (b === 0) {
    if (!infiniteA) raise(DIVIDE_BY_ZERO);
    return infinity(sign);
  }
  tellDenormal(upperA, a);
  tellDenormal(upperB, b);
  if (infiniteA) return infinity(sign);
  if (infiniteB || a === 0) return zero(sign);
  return divideFinite(upperA, a, upperB, b, control);
}

function divideFinite(upperA: u32, a: u64, upperB: u32, b: u64, control: u32): u64 {
  const shiftA = i32(clz(a)), shiftB = i32(clz(b));
  const top = a << shiftA, bottom = b << shiftB;
  const less = i32(top < bottom);
  const quotient = less !== 0 ? divideWide(top, 0, bottom) : divideWide(top >> 1, top << 63, bottom);
  const sign = negative(upperA) !== negative(upperB);
  return pack(sign, exponentOf(upperA) - shiftA - exponentOf(upperB) + shiftB - less, quotient, half(low, bottom - low), control);
}

/** What is left of a unit as `rest`, by how it compares to what is missing to the next one. */
function half(left: u64, missing: u64): u64 {
  return left === 0 ? 0 : left === missing ? LEADING : left > missing ? LEADING | 1 : 1;
}

export function squareRoot(upper: u32, a: u64, control: u32): u64 {
  if (isOdd(upper, a)) return oddResult(upper, a);
  if (isZero(upper, a)) return f80(upper, a);
  if (negative(upper)) return invalid();
  if (isInfinite(upper, a)) return f80(upper, a);
  tellDenormal(upper, a);
  const shift = i32(clz(a));
  const power = exponentOf(upper) - shift;
  // The radicand is of 127 or 128 bits, so that the root has 64.
  const normal = a << shift;
  const odd = (power & 1) !== 0;
  const radicand = odd ? normal : normal >> 1, lower = odd ? <u64>0 : normal << 63;
  const root = rootOf(radicand, lower);
  const square = multiplyWide(root, root);
  const left = lower - low;
  const more = radicand - square - u64(lower < low) !== 0 || left > root;
  return pack(false, power >> 1, root, more ? LEADING | 1 : u64(left !== 0), control);
}

/**
 * The root of high · 2^64 + lower, rounded down, for high of 63 or 64 bits. The host's root has 53 bits, one step of Newton's doubles them, and what
 * is wrong by one is put right.
 */
function rootOf(high: u64, lower: u64): u64 {
  const estimate = sqrt(f64(high)) * 4294967296.0;
  const first = estimate >= 18446744073709551616.0 ? ~(<u64>0) : u64(estimate);
  const other = high >= first ? ~(<u64>0) : divideWide(high, lower, first);
  let root = (first >> 1) + (other >> 1) + (first & other & 1);
  while (exceeds(root, high, lower)) root -= 1;
  while (root !== ~(<u64>0) && !exceeds(root + 1, high, lower)) root += 1;
  return root;
}

function exceeds(root: u64, high: u64, lower: u64): bool {
  const square = multiplyWide(root, root);
  return square > high || square === high && low > lower;
}
