/**
 * Power series on 128 bits, each as a unit to be multiplied by what stands in front of it: sin x = x · sine(x²). Summed from the last term down, divided on
 * the way by small integers, so there are no tables. The counts of terms leave less than 2^-80 for the largest argument that is told.
 */

import { add, divideSmall, halves, low, multiply, ONE, subtract } from './wide.ts';

/** What is too close to 1 to be told from it is less nevertheless, which directed rounding shows. */
function below1(high: u64, lower: u64): u64 {
  return high === ONE && lower === 0 ? halves(ONE - 1, ~(<u64>0)) : halves(high, lower);
}

/** 1 - z/(2·3) + z²/(2·3·4·5) ..., for a fraction z up to 0.62, (π/4)². */
export function sine(zHigh: u64, zLow: u64): u64 {
  return alternating(zHigh, zLow, 1);
}

/** 1 - z/(1·2) + z²/(1·2·3·4) ..., for the same. */
export function cosine(zHigh: u64, zLow: u64): u64 {
  return alternating(zHigh, zLow, 0);
}

function alternating(zHigh: u64, zLow: u64, odd: u64): u64 {
  let high = ONE, lower: u64 = 0;
  for (let term: u64 = 12; term > 0; term--) {
    high = multiply(high, lower, zHigh, zLow);
    high = divideSmall(high, low, (2 * term + odd) * (2 * term + odd - 1));
    high = subtract(ONE, 0, high, low);
    lower = low;
  }
  return below1(high, lower);
}

/** (e^z - 1) / z, for a fraction z up to 0.7, or with `negative` -z. */
export function exponential(zHigh: u64, zLow: u64, negative: bool): u64 {
  let high = ONE, lower: u64 = 0;
  for (let term: u64 = 23; term > 1; term--) {
    high = multiply(high, lower, zHigh, zLow);
    high = divideSmall(high, low, term);
    high = negative ? subtract(ONE, 0, high, low) : add(ONE, 0, high, low);
    lower = low;
  }
  return negative ? below1(high, lower) : halves(high, lower);
}

/** atan(t) / t for z = t² up to 2^-8. */
export function arctangent(zHigh: u64, zLow: u64): u64 {
  return oddReciprocals(zHigh, zLow, 10, true);
}

/** artanh(s) / s for z = s² up to 0.03: half of the logarithm of (1 + s) / (1 - s). */
export function areaTangent(zHigh: u64, zLow: u64): u64 {
  return oddReciprocals(zHigh, zLow, 17, false);
}

/** 1 ± z/3 + z²/5 ± z³/7 ... */
function oddReciprocals(zHigh: u64, zLow: u64, terms: i32, minus: bool): u64 {
  let high: u64 = 0, lower: u64 = 0;
  for (let term = terms; term >= 0; term--) {
    const sumHigh = multiply(high, lower, zHigh, zLow), sumLow = low;
    high = divideSmall(ONE, 0, 2 * term + 1);
    high = minus ? subtract(high, low, sumHigh, sumLow) : add(high, low, sumHigh, sumLow);
    lower = low;
  }
  return minus ? below1(high, lower) : halves(high, lower);
}
