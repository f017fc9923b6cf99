/** Comparisons of f80 and what kind of number one is. */

import { C0, C1, C2, C3, INVALID, raise } from './flags.ts';
import { exponentOf, isDenormal, isInfinite, isNan, isOdd, isSignalling, isUnsupported, isZero, negative, tellDenormal } from './extended.ts';

const UNORDERED: u32 = C0 | C2 | C3;

/** C3, C2 and C0 of FCOM, or with `quiet` of FUCOM, which finds only signalling NaNs invalid. */
export function compare(upperA: u32, a: u64, upperB: u32, b: u64, quiet: bool): u32 {
  if (isOdd(upperA, a) || isOdd(upperB, b)) {
    const loud = isUnsupported(upperA, a) || isUnsupported(upperB, b) || isSignalling(upperA, a) || isSignalling(upperB, b);
    if (!quiet || loud) raise(INVALID);
    return UNORDERED;
  }
  tellDenormal(upperA, a);
  tellDenormal(upperB, b);
  if (a === 0 && b === 0) return C3;
  const negativeA = negative(upperA);
  if (negativeA !== negative(upperB)) return negativeA ? C0 : 0;
  const order = magnitudeOrder(upperA, a, upperB, b);
  return order === 0 ? C3 : (order < 0) !== negativeA ? C0 : 0;
}

/** Negative, 0 or positive. A zero has an exponent, too, which is the least. */
function magnitudeOrder(upperA: u32, a: u64, upperB: u32, b: u64): i32 {
  const powers = exponentOf(upperA) - exponentOf(upperB);
  return powers !== 0 ? powers : i32(a > b) - i32(a < b);
}

/** FXAM of a register that is not empty: C3, C2 and C0, and the sign in C1. */
export function classify(upper: u32, a: u64): u32 {
  const sign = negative(upper) ? C1 : 0;
  if (isUnsupported(upper, a)) return sign;
  if (isNan(upper, a)) return sign | C0;
  if (isInfinite(upper, a)) return sign | C2 | C0;
  if (isZero(upper, a)) return sign | C3;
  return sign | (isDenormal(upper, a) ? C3 | C2 : C2);
}
