/** FSIN, FCOS, FPTAN and FPATAN. */

import { C2, raise } from './flags.ts';
import {
  BIAS, exponentOf, f80, invalid, isInfinite, isOdd, isZero, LEADING, negative, oddResult, oddResults, packFull, tellDenormal, zero,
} from './extended.ts';
import { arctangent, cosine, sine } from './series.ts';
import { add, exponent, halves, low, multiply, normalized, product, quotient, remains, shiftRight, subtract } from './wide.ts';

/** The processor's π has 66 bits (SDM volume 1, 8.3.8): this times 2^-64. Half of it is this times 2^-65. */
const PI_HIGH: u64 = 3;
const PI_LOW: u64 = 0x243f6a8885a308d3;

/** What is left of an argument after whole quarters of a turn: a wide number of at most π/4, its sign; and how many quarters. */
let leftHigh: u64 = 0;
let leftLow: u64 = 0;
let leftExponent: i32 = 0;
let leftNegative: bool = false;
let quarters: u32 = 0;

/** For a finite positive number that is not zero, of an exponent below 63. */
function reduce(power: i32, significand: u64): void {
  let high: u64 = 0, lower = significand;
  let count: u32 = 0;
  // The number is significand · 2^(power - 63), a quarter turn is PI · 2^-65: doubled power + 2 times, it counts in the same unit.
  for (let bit = -2; bit < power; bit++) {
    high = high << 1 | lower >> 63;
    lower <<= 1;
    count <<= 1;
    if (high > PI_HIGH || high === PI_HIGH && lower >= PI_LOW) {
      high = subtract(high, lower, PI_HIGH, PI_LOW);
      lower = low;
      count += 1;
    }
  }
  const otherHigh = subtract(PI_HIGH, PI_LOW, high, lower), otherLow = low;
  leftNegative = power >= -2 && (otherHigh < high || otherHigh === high && otherLow < lower);
  quarters = count + u32(leftNegative);
  leftHigh = leftNegative ? normalized(otherHigh, otherLow, 62) : normalized(high, lower, power < -2 ? power + 64 : 62);
  leftLow = low;
  leftExponent = exponent;
}

/** The square of what is left, as a fraction. */
function squareOfLeft(): u64 {
  const high = multiply(leftHigh, leftLow, leftHigh, leftLow);
  // A square of 1.x² has its point behind bit 126; that of 2^-60 is beyond all that counts.
  const count = -2 * leftExponent - 2;
  return shiftRight(high, low, max(count, 0));
}

/** Sine of what is left, wide. */
function sineOfLeft(): u64 {
  const square = squareOfLeft();
  const series = sine(square, low);
  return product(leftHigh, leftLow, series, low, leftExponent);
}

function cosineOfLeft(): u64 {
  const square = squareOfLeft();
  const series = cosine(square, low);
  return normalized(series, low, 0);
}

/** Sine, or with `shift` 1 cosine, of a reduced argument: bit 0 of the quarters tells which series, bit 1 the sign. */
function turned(shift: u32, sign: bool, control: u32): u64 {
  const place = quarters + shift;
  const isCosine = (place & 1) !== 0;
  const high = isCosine ? cosineOfLeft() : sineOfLeft();
  const flipped = ((place & 2) !== 0) !== (!isCosine && leftNegative);
  const minus = flipped !== sign;
  return packFull(minus, exponent, high, low | 1, control);
}

/** Whether it is beyond 2^63, where nothing is done and C2 tells so. */
function isOutOfRange(upper: u32): bool {
  if (exponentOf(upper) < 63) return false;
  raise(C2);
  return true;
}

export function fsin(upper: u32, a: u64, control: u32): u64 {
  if (isOdd(upper, a)) return oddResult(upper, a);
  if (isInfinite(upper, a)) return invalid();
  if (isZero(upper, a) || isOutOfRange(upper)) return f80(upper, a);
  tellDenormal(upper, a);
  const shift = i32(clz(a));
  reduce(exponentOf(upper) - shift, a << shift);
  return turned(0, negative(upper), control);
}

export function fcos(upper: u32, a: u64, control: u32): u64 {
  if (isOdd(upper, a)) return oddResult(upper, a);
  if (isInfinite(upper, a)) return invalid();
  if (isZero(upper, a)) return f80(BIAS, LEADING);
  if (isOutOfRange(upper)) return f80(upper, a);
  tellDenormal(upper, a);
  const shift = i32(clz(a));
  reduce(exponentOf(upper) - shift, a << shift);
  return turned(1, false, control);
}

/** FPTAN's first result; the second is 1. */
export function fptan(upper: u32, a: u64, control: u32): u64 {
  if (isOdd(upper, a)) return oddResult(upper, a);
  if (isInfinite(upper, a)) return invalid();
  if (isZero(upper, a) || isOutOfRange(upper)) return f80(upper, a);
  tellDenormal(upper, a);
  const shift = i32(clz(a));
  reduce(exponentOf(upper) - shift, a << shift);
  // Above the argument, which has 66 bits at most, by less than what rounding looks at.
  if (leftExponent < -40 && (quarters & 1) === 0) return packFull(leftNegative !== negative(upper), leftExponent, leftHigh, leftLow | 1, control);
  const sineHigh = sineOfLeft(), sineLow = low, sinePower = exponent;
  const cosineHigh = cosineOfLeft(), cosineLow = low, cosinePower = exponent;
  const swapped = (quarters & 1) !== 0;
  const high = swapped
    ? quotient(cosineHigh, cosineLow, sineHigh, sineLow, cosinePower - sinePower)
    : quotient(sineHigh, sineLow, cosineHigh, cosineLow, sinePower - cosinePower);
  const minus = leftNegative !== swapped;
  return packFull(minus !== negative(upper), exponent, high, low | 1, control);
}

/** Multiples of π/4 up to π, with the point behind bit 126. */
function eighthTurns(count: i32): u64 {
  const piHigh: u64 = 0xc90fdaa22168c234, piLow: u64 = 0xc4c6628b80dc1cd1;
  const quarterHigh = shiftRight(piHigh, piLow, 2), quarterLow = low;
  if (count === 3) return subtract(piHigh, piLow, quarterHigh, quarterLow);
  return shiftRight(piHigh, piLow, count === 4 ? 0 : 3 - count);
}

/** atan(k/8), a fraction. */
function arctangentOfEighth(k: i32): u64 {
  switch (k) {
    case 1: return halves(0x1fd5ba9aac2f6dc6, 0x5912f313e7d111df);
    case 2: return halves(0x3eb6ebf25901bac5, 0x5b71e7bd7de885f9);
    case 3: return halves(0x5bd86507937bc239, 0xc55190916e7f2242);
    case 4: return halves(0x76b19c1586ed3da2, 0xb7f222f65e1d4682);
    case 5: return halves(0x8f005d5ef7f59f9b, 0x5c835e1665c43748);
    case 6: return halves(0xa4bc7d1934f70924, 0x19a87f2a457dac9f);
    case 7: return halves(0xb8053e2bc2319e73, 0xcb2da55210a4443d);
    default: return halves(0xc90fdaa22168c234, 0xc4c6628b80dc1cd1);
  }
}

/** atan2(y, x): FPATAN with y in ST(1) and x in ST(0). */
export function fpatan(upperX: u32, x: u64, upperY: u32, y: u64, control: u32): u64 {
  if (isOdd(upperX, x) || isOdd(upperY, y)) return oddResults(upperX, x, upperY, y);
  tellDenormal(upperX, x);
  tellDenormal(upperY, y);
  const sign = negative(upperY), behind = negative(upperX);
  if (isInfinite(upperX, x) || isInfinite(upperY, y) || x === 0 || y === 0) {
    const steep = isInfinite(upperY, y) ? (isInfinite(upperX, x) ? 1 : 2) : x === 0 && y !== 0 ? 2 : 0;
    const count = behind && steep !== 2 ? 4 - steep : steep;
    return count === 0 ? zero(sign) : packAngle(sign, eighthTurns(count), low, control);
  }
  const shiftX = i32(clz(x)), shiftY = i32(clz(y));
  const powerX = exponentOf(upperX) - shiftX, powerY = exponentOf(upperY) - shiftY;
  const largeX = powerX > powerY || powerX === powerY && x << shiftX >= y << shiftY;
  angle(largeX ? x << shiftX : y << shiftY, largeX ? y << shiftY : x << shiftX, largeX ? powerX - powerY : powerY - powerX);
  const high = angleHigh, lower = angleLow;
  if (largeX && !behind) return packFull(sign, anglePower, high, lower | 1, control);
  // What is added is at least π/2: 126 bits behind the point are enough.
  const fixed = shiftRight(high, lower, min(1 - anglePower, 128)), fixedLow = low;
  const base = eighthTurns(largeX ? 4 : 2), baseLow = low;
  return packAngle(sign, largeX || !behind ? subtract(base, baseLow, fixed, fixedLow) : add(base, baseLow, fixed, fixedLow), low, control);
}

function packAngle(sign: bool, high: u64, lower: u64, control: u32): u64 {
  const top = normalized(high, lower, 1);
  return packFull(sign, exponent, top, low | 1, control);
}

let angleHigh: u64 = 0;
let angleLow: u64 = 0;
let anglePower: i32 = 0;

/**
 * The angle of (large, small / 2^apart), at most π/4, wide. It is the nearest angle whose tangent is a whole number of eighths and a small one: turned
 * back by that, the point is (large + k/8 small, small - k/8 large), without rounding.
 */
function angle(large: u64, small: u64, apart: i32): void {
  const k = apart > 4 ? 0 : i32((f64(small) / f64(large) * 8.0) / f64(1 << apart) + 0.5);
  if (k === 0) {
    const high = quotient(small, 0, large, 0, 0 - apart);
    angleOfTangent(high, low, exponent);
    return;
  }
  // Eight times both, with the point behind bit 119, so that nothing of `small` is lost.
  const largeHigh = large >> 8, largeLow = large << 56;
  const smallHigh = shiftRight(small >> 8, small << 56, apart), smallLow = low;
  const xHigh = timesSmall(smallHigh, smallLow, k), xLow = low;
  const sumHigh = add(largeHigh << 3 | largeLow >> 61, largeLow << 3, xHigh, xLow), sumLow = low;
  const yHigh = timesSmall(largeHigh, largeLow, k), yLow = low;
  const otherHigh = smallHigh << 3 | smallLow >> 61, otherLow = smallLow << 3;
  const below = otherHigh < yHigh || otherHigh === yHigh && otherLow < yLow;
  const restHigh = below ? subtract(yHigh, yLow, otherHigh, otherLow) : subtract(otherHigh, otherLow, yHigh, yLow), restLow = low;
  turnedBack(k, sumHigh, sumLow, restHigh, restLow, below);
}

function timesSmall(high: u64, lower: u64, k: i32): u64 {
  let sumHigh: u64 = 0, sumLow: u64 = 0;
  for (let at = 0; at < k; at++) {
    sumHigh = add(sumHigh, sumLow, high, lower);
    sumLow = low;
  }
  return sumHigh;
}

/** atan(k/8) and, or less, the angle of the small triangle. */
function turnedBack(k: i32, xHigh: u64, xLow: u64, yHigh: u64, yLow: u64, below: bool): void {
  let fixedHigh: u64 = 0, fixedLow: u64 = 0;
  if ((yHigh | yLow) !== 0) {
    const topX = normalized(xHigh, xLow, 0), topXLow = low, powerX = exponent;
    const topY = normalized(yHigh, yLow, 0), topYLow = low;
    const tangent = quotient(topY, topYLow, topX, topXLow, exponent - powerX);
    angleOfTangent(tangent, low, exponent);
    fixedHigh = shiftRight(angleHigh, angleLow, min(-1 - anglePower, 128));
    fixedLow = low;
  }
  const base = arctangentOfEighth(k), baseLow = low;
  const high = below ? subtract(base, baseLow, fixedHigh, fixedLow) : add(base, baseLow, fixedHigh, fixedLow);
  angleHigh = normalized(high, low, -1);
  angleLow = low;
  anglePower = exponent;
}

/** The angle of a wide tangent of at most 1/16. */
function angleOfTangent(high: u64, lower: u64, power: i32): void {
  if (power < -62) {
    // It is less than the tangent by nothing that 128 bits could tell, also less than what the quotient lacks.
    const less = subtract(high, lower, 0, u64(!remains));
    angleHigh = normalized(less, low, power);
    angleLow = low;
    anglePower = exponent;
    return;
  }
  const square = multiply(high, lower, high, lower);
  const fraction = shiftRight(square, low, min(-2 * power - 2, 128));
  const series = arctangent(fraction, low);
  angleHigh = product(high, lower, series, low, power);
  angleLow = low;
  anglePower = exponent;
}
