/**
 * Positive numbers with a significand of 128 bits, for what is computed beyond f80. A wide number is its exponent and two halves with the leading one at
 * bit 127: (high · 2^64 + low) · 2^(exponent - 127). A fraction is two halves with the point in front of bit 127, a unit has it behind: 1 is {@link ONE}.
 * What is returned is the upper half; {@link low} is the lower one, {@link exponent} that of wide results. Errors are some units of the last place.
 */

import { divideWide, low as wordLow, multiplyWide } from './bits.ts';

export const ONE: u64 = <u64>1 << 63;

export let low: u64 = 0;
export let exponent: i32 = 0;

/** Two halves as a result. */
export function halves(high: u64, lower: u64): u64 {
  low = lower;
  return high;
}

/** The upper 128 bits of the product of 128 by 128. */
export function multiply(aHigh: u64, aLow: u64, bHigh: u64, bLow: u64): u64 {
  let high = multiplyWide(aHigh, bHigh);
  let lower = wordLow;
  const first = multiplyWide(aHigh, bLow), second = multiplyWide(aLow, bHigh);
  lower += first;
  high += u64(lower < first);
  lower += second;
  high += u64(lower < second);
  return halves(high, lower);
}

/** By a divisor below 2^32. */
export function divideSmall(high: u64, lower: u64, divisor: u64): u64 {
  const first = high / divisor;
  const middle = (high % divisor) << 32 | lower >> 32;
  const last = (middle % divisor) << 32 | lower & 0xffffffff;
  return halves(first, middle / divisor << 32 | last / divisor);
}

/** a - b of two halves each. */
export function subtract(aHigh: u64, aLow: u64, bHigh: u64, bLow: u64): u64 {
  return halves(aHigh - bHigh - u64(aLow < bLow), aLow - bLow);
}

export function add(aHigh: u64, aLow: u64, bHigh: u64, bLow: u64): u64 {
  const lower = aLow + bLow;
  return halves(aHigh + bHigh + u64(lower < aLow), lower);
}

export function shiftRight(high: u64, lower: u64, count: i32): u64 {
  if (count === 0) return halves(high, lower);
  if (count >= 128) return halves(0, 0);
  if (count >= 64) return halves(0, high >> (count - 64));
  return halves(high >> count, lower >> count | high << (64 - count));
}

/** A wide number out of two halves that are not both zero and stand for (high · 2^64 + lower) · 2^(power - 127). */
export function normalized(high: u64, lower: u64, power: i32): u64 {
  if (high === 0) {
    exponent = power - 64 - i32(clz(lower));
    return halves(lower << clz(lower), 0);
  }
  const shift = i32(clz(high));
  exponent = power - shift;
  return shift === 0 ? halves(high, lower) : halves(high << shift | lower >> (64 - shift), lower << shift);
}

/** The product of two wide numbers whose exponents' sum is `power`; a unit counts as a wide number of exponent 0. */
export function product(aHigh: u64, aLow: u64, bHigh: u64, bLow: u64, power: i32): u64 {
  const high = multiply(aHigh, aLow, bHigh, bLow);
  return normalized(high, low, power + 1);
}

/** The quotient of two wide numbers whose exponents' difference is `power`. */
export function quotient(aHigh: u64, aLow: u64, bHigh: u64, bLow: u64, power: i32): u64 {
  const half = aHigh > bHigh || aHigh === bHigh && aLow >= bLow;
  const top = half ? shiftRight(aHigh, aLow, 1) : halves(aHigh, aLow);
  const first = digit(top, low, 0, bHigh, bLow);
  const second = digit(restHigh, restLow, 0, bHigh, bLow);
  remains = (restHigh | restLow) !== 0;
  return normalized(first, second, power + i32(half) - 1);
}

/** Whether the last quotient is less than the true one. */
export let remains: bool = false;

let restHigh: u64 = 0;
let restLow: u64 = 0;

/** One digit of 64 bits: (a · 2^64 + next) / b for a < b, what is left in restHigh and restLow (Knuth, algorithm D, with digits of 64 bits). */
function digit(aHigh: u64, aLow: u64, next: u64, bHigh: u64, bLow: u64): u64 {
  let estimate = aHigh >= bHigh ? ~(<u64>0) : divideWide(aHigh, aLow, bHigh);
  // b · estimate in 192 bits, taken off; the estimate is too large by two at most.
  const upper = multiplyWide(estimate, bHigh), upperLow = wordLow;
  const lower = multiplyWide(estimate, bLow), lowest = wordLow;
  const middle = upperLow + lower;
  let top = aHigh - upper - u64(middle < lower);
  restHigh = aLow - middle;
  top -= u64(aLow < middle);
  restLow = next - lowest;
  const borrow = u64(next < lowest);
  top -= u64(restHigh < borrow);
  restHigh -= borrow;
  while (top !== 0) {
    estimate -= 1;
    restLow += bLow;
    const carry = u64(restLow < bLow);
    const before = restHigh;
    restHigh += bHigh + carry;
    if (carry !== 0 ? restHigh <= before : restHigh < before) top += 1;
  }
  return estimate;
}
