/**
 * The host's own arithmetic, which rounds to nearest and tells no exceptions: where operands and result are normal, inexact is all that can be told,
 * and whether it is so is found out with integers that wrap, or by what an addition has lost. Each function gives 0 where that is not all.
 */

import { INEXACT, raise } from './flags.ts';
import { bias, exponentField, fractionBits } from './format.ts';

const ROUNDING: u32 = 3 << 13;

/** Whether the host may be asked: MXCSR rounds to nearest, the operands are normal. */
export function arePlain<F>(a: u64, b: u64, mxcsr: u32): bool {
  const last: u32 = 2 * bias<F>();
  return (mxcsr & ROUNDING) === 0 && u32(exponentField<F>(a)) - 1 < last && u32(exponentField<F>(b)) - 1 < last;
}

/** Neither infinite nor next to the denormals, where a tiny number may have been rounded. */
function isPlainResult<F>(a: u64): bool {
  return u32(exponentField<F>(a)) - 2 < u32(2 * bias<F>() - 1);
}

function numberOf<F>(a: u64): F {
  if (sizeof<F>() === 8) return <F>reinterpret<f64>(a);
  return <F>reinterpret<f32>(u32(a));
}

function encodingOf<F>(a: F): u64 {
  if (sizeof<F>() === 8) return reinterpret<u64>(f64(a));
  return reinterpret<u32>(f32(a));
}

/** With the implied one, as a whole number. */
function whole<F>(a: u64): u64 {
  return a & ((<u64>1 << fractionBits<F>()) - 1) | <u64>1 << fractionBits<F>();
}

export function hostAdd<F>(a: u64, b: u64): u64 {
  const x = numberOf<F>(a), y = numberOf<F>(b);
  const sum = x + y;
  const result = encodingOf<F>(sum);
  if (!isPlainResult<F>(result)) return 0;
  // What is lost of a sum is itself a number (Knuth, The Art of Computer Programming 2, 4.2.2, theorem B).
  const other = sum - x;
  if (x - (sum - other) + (y - other) !== 0) raise(INEXACT);
  return result;
}

/** The bits of the exact product below the result's last place: a whole number of 2 · fractionBits + 1 bits or one more, its lower part is in 64. */
export function hostMultiply<F>(a: u64, b: u64): u64 {
  const result = encodingOf<F>(numberOf<F>(a) * numberOf<F>(b));
  if (!isPlainResult<F>(result)) return 0;
  const longer = exponentField<F>(result) - exponentField<F>(a) - exponentField<F>(b) + bias<F>();
  if (whole<F>(a) * whole<F>(b) << (64 - fractionBits<F>() - longer) !== 0) raise(INEXACT);
  return result;
}

/** Inexact is where the quotient times the divisor is not the dividend. */
export function hostDivide<F>(a: u64, b: u64): u64 {
  const result = encodingOf<F>(numberOf<F>(a) / numberOf<F>(b));
  if (!isPlainResult<F>(result)) return 0;
  const shift = fractionBits<F>() + exponentField<F>(a) - exponentField<F>(b) - exponentField<F>(result) + bias<F>();
  if (whole<F>(result) * whole<F>(b) !== whole<F>(a) << shift) raise(INEXACT);
  return result;
}

export function hostRoot<F>(a: u64): u64 {
  const result = encodingOf<F>(sqrt<F>(numberOf<F>(a)));
  if (!isPlainResult<F>(result)) return 0;
  const shift = fractionBits<F>() + exponentField<F>(a) - 2 * exponentField<F>(result) + bias<F>();
  if (whole<F>(result) * whole<F>(result) !== whole<F>(a) << shift) raise(INEXACT);
  return result;
}
