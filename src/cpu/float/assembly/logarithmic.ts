/** F2XM1, FYL2X and FYL2XP1. */

import { DIVIDE_BY_ZERO, INEXACT, raise, UNDERFLOW } from './flags.ts';
import {
  exponentOf, f80, high as resultUpper, infinity, invalid, isInfinite, isOdd, isZero, LEADING, negative, oddResult, oddResults, packFull, signed,
  tellDenormal, zero,
} from './extended.ts';
import { areaTangent, exponential } from './series.ts';
import { add, exponent, halves, low, multiply, normalized, product, quotient, shiftRight, subtract } from './wide.ts';

/** ln 2 is this wide number of exponent -1, its inverse of exponent 0. */
const LN2_HIGH: u64 = 0xb17217f7d1cf79ab, LN2_LOW: u64 = 0xc9e3b39803f2f6af;
const LOG2E_HIGH: u64 = 0xb8aa3b295c17f0bb, LOG2E_LOW: u64 = 0xbe87fed0691d3e88;
/** The significand of the root of 2. */
const ROOT2: u64 = 0xb504f333f9de6484;

/** 2^x - 1 for x from -1 to 1; what it is beyond is undefined, and here x. */
export function power2Minus1(upper: u32, a: u64, control: u32): u64 {
  if (isOdd(upper, a)) return oddResult(upper, a);
  const sign = negative(upper);
  if (isInfinite(upper, a)) return sign ? f80(signed(true) | 0x3fff, LEADING) : infinity(false);
  if (isZero(upper, a)) return f80(upper, a);
  tellDenormal(upper, a);
  const shift = i32(clz(a));
  const power = exponentOf(upper) - shift;
  if (power >= 0) {
    raise(INEXACT);
    return power === 0 && a === LEADING ? f80(sign ? signed(true) | 0x3ffe : 0x3fff, LEADING) : f80(upper, a);
  }
  const high = product(a << shift, 0, LN2_HIGH, LN2_LOW, power - 1), lower = low, top = exponent;
  const fraction = shiftRight(high, lower, min(-1 - top, 128));
  const series = exponential(fraction, low, sign);
  const result = product(high, lower, series, low, top);
  return packFull(sign, exponent, result, low | 1, control);
}

/** A logarithm to the base of 2: wide, its sign, whether it is exact. */
let logHigh: u64 = 0;
let logLow: u64 = 0;
let logExponent: i32 = 0;
let logNegative: bool = false;
let logExact: bool = false;

/** log2 of (1 + s) / (1 - s) for a wide s of at most 0.172: 2 / ln 2 · artanh s. */
function logOfRatio(high: u64, lower: u64, power: i32): void {
  const square = multiply(high, lower, high, lower);
  const fraction = shiftRight(square, low, min(-2 * power - 2, 128));
  const series = areaTangent(fraction, low);
  const artanh = product(high, lower, series, low, power);
  logHigh = product(artanh, low, LOG2E_HIGH, LOG2E_LOW, exponent + 1);
  logLow = low;
  logExponent = exponent;
}

/** log2 of a wide number, with m between the roots of 1/2 and 2: the exponent, and the logarithm of m by s = (m - 1) / (m + 1). */
function logarithm(power: i32, high: u64, lower: u64): void {
  const halved = high > ROOT2;
  const whole = power + i32(halved);
  // m - 1 with the point behind bit 127, or in front of it when halved.
  const difference = halved ? subtract(0, 0, high, lower) : halves(high - LEADING, lower), differenceLow = low;
  logExact = (difference | differenceLow) === 0;
  if (logExact) {
    logNegative = whole < 0;
    logHigh = normalized(0, u64(abs(whole)), 127);
    logLow = low;
    logExponent = exponent;
    return;
  }
  // m + 1 with one bit less, so that there is room.
  const halfHigh = shiftRight(high, lower, 1), halfLow = low;
  const bottom = normalized(halfHigh + (halved ? LEADING : LEADING >> 1), halfLow, 128), bottomLow = low, bottomPower = exponent;
  const top = normalized(difference, differenceLow, 127), topLow = low;
  const ratio = quotient(top, topLow, bottom, bottomLow, exponent - bottomPower);
  logOfRatio(ratio, low, exponent);
  logNegative = halved;
  if (whole !== 0) addWhole(whole);
}

/** A whole number to the logarithm, 16 bits in front of the point and 112 behind it. */
function addWhole(whole: i32): void {
  const high = shiftRight(logHigh, logLow, min(15 - logExponent, 128)), lower = low;
  const size = u64(abs(whole)) << 48;
  const sum = (whole < 0) === logNegative ? add(size, 0, high, lower) : subtract(size, 0, high, lower);
  logNegative = whole < 0;
  logHigh = normalized(sum, low, 15);
  logLow = low;
  logExponent = exponent;
}

/** y · log2 of what {@link logarithm} has made, which is not zero. */
function timesLog(upperY: u32, y: u64, control: u32): u64 {
  const shift = i32(clz(y));
  const high = product(logHigh, logLow, y << shift, 0, logExponent + exponentOf(upperY) - shift);
  const result = packFull(negative(upperY) !== logNegative, exponent, high, low | u64(!logExact), control);
  // Also an exact result is told to be inexact, which silicon does.
  raise((resultUpper & 0x7fff) === 0 ? INEXACT | UNDERFLOW : INEXACT);
  return result;
}

/** y · log2 x, with y in ST(1) and x in ST(0). */
export function yLog2x(upperX: u32, x: u64, upperY: u32, y: u64, control: u32): u64 {
  if (isOdd(upperX, x) || isOdd(upperY, y)) return oddResults(upperX, x, upperY, y);
  const sign = negative(upperY);
  if (negative(upperX) && x !== 0) return invalid();
  const isOne = upperX === 0x3fff && x === LEADING;
  if (x === 0) return logOfZero(upperY, y);
  if (isInfinite(upperX, x)) {
    if (y === 0) return invalid();
    tellDenormal(upperY, y);
    return infinity(sign);
  }
  const small = upperX < 0x3fff;
  if (isInfinite(upperY, y)) {
    if (isOne) return invalid();
    tellDenormal(upperX, x);
    return infinity(sign !== small);
  }
  tellDenormal(upperX, x);
  tellDenormal(upperY, y);
  if (y === 0 || isOne) return zero(sign !== small);
  const shift = i32(clz(x));
  logarithm(exponentOf(upperX) - shift, x << shift, 0);
  return timesLog(upperY, y, control);
}

function logOfZero(upperY: u32, y: u64): u64 {
  if (y === 0) return invalid();
  if (!isInfinite(upperY, y)) raise(DIVIDE_BY_ZERO);
  return infinity(!negative(upperY));
}

/** y · log2 (x + 1). Between the roots of 1/2 and 2, less 1, x may be as small as it likes. Of -1 and less, it is undefined, and here x. */
export function yLog2xPlus1(upperX: u32, x: u64, upperY: u32, y: u64, control: u32): u64 {
  if (isOdd(upperX, x) || isOdd(upperY, y)) return oddResults(upperX, x, upperY, y);
  const sign = negative(upperX) !== negative(upperY);
  if (isInfinite(upperX, x)) {
    if (negative(upperX) || y === 0) return invalid();
    tellDenormal(upperY, y);
    return infinity(sign);
  }
  if (isInfinite(upperY, y)) {
    if (x === 0) return invalid();
    tellDenormal(upperX, x);
    return infinity(sign);
  }
  tellDenormal(upperX, x);
  tellDenormal(upperY, y);
  if (x === 0 || y === 0) return zero(sign);
  const shift = i32(clz(x));
  const power = exponentOf(upperX) - shift;
  if (negative(upperX) && power >= 0) {
    raise(INEXACT);
    return f80(upperX, x);
  }
  if (power < -2) logOfLittle(power, x << shift, negative(upperX));
  else logOfSum(power, x << shift, negative(upperX));
  return timesLog(upperY, y, control);
}

/** log2 (1 + x) for x below 1/4, by s = x / (x + 2). */
function logOfLittle(power: i32, significand: u64, minus: bool): void {
  const fixed = shiftRight(significand, 0, min(1 - power, 128)), fixedLow = low;
  const sum = minus ? subtract(LEADING, 0, fixed, fixedLow) : add(LEADING, 0, fixed, fixedLow);
  const bottom = normalized(sum, low, 1), bottomLow = low;
  const ratio = quotient(significand, 0, bottom, bottomLow, power - exponent);
  logOfRatio(ratio, low, exponent);
  logNegative = minus;
  logExact = false;
}

/** log2 (1 + x) for x from 1/4 up, by the sum. */
function logOfSum(power: i32, significand: u64, minus: bool): void {
  // The one is beyond the last place.
  if (power >= 64) {
    logarithm(power, significand, 0);
    return;
  }
  const point = max(power, 0) + 1;
  const one = shiftRight(LEADING, 0, point), oneLow = low;
  const fixed = shiftRight(significand, 0, point - power), fixedLow = low;
  const sum = minus ? subtract(one, oneLow, fixed, fixedLow) : add(one, oneLow, fixed, fixedLow);
  const high = normalized(sum, low, point);
  logarithm(exponent, high, low);
}
