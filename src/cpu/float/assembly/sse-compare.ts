/** Minimum, maximum and the comparisons of f32 and f64. */

import { INVALID, raise } from './flags.ts';
import { admitted, flushed, isNan, isSignalling, magnitude, signBit } from './format.ts';

/** How two operands stand to one another. */
const LESS: u32 = 1;
const EQUAL: u32 = 2;
const GREATER: u32 = 4;
const UNORDERED: u32 = 8;

/** Neither is a NaN, and denormals have been admitted. */
function ordered<F>(a: u64, b: u64): u32 {
  if (a === b || (magnitude<F>(a) | magnitude<F>(b)) === 0) return EQUAL;
  const negativeA = (a & signBit<F>()) !== 0, negativeB = (b & signBit<F>()) !== 0;
  if (negativeA !== negativeB) return negativeA ? LESS : GREATER;
  return (a < b) !== negativeA ? LESS : GREATER;
}

/** @param signalling whether a quiet NaN is invalid too */
function relation<F>(a: u64, b: u64, signalling: bool, mxcsr: u32): u32 {
  if (isNan<F>(a) || isNan<F>(b)) {
    if (signalling || isSignalling<F>(a) || isSignalling<F>(b)) raise(INVALID);
    return UNORDERED;
  }
  return ordered<F>(admitted<F>(a, mxcsr), admitted<F>(b, mxcsr));
}

/** The smaller one; the second where either is a NaN or both are zeros (SDM volume 2, MINPS). */
export function minimum<F>(a: u64, b: u64, mxcsr: u32): u64 {
  return flushed<F>(relation<F>(a, b, true, mxcsr) === LESS ? a : b, mxcsr);
}

export function maximum<F>(a: u64, b: u64, mxcsr: u32): u64 {
  return flushed<F>(relation<F>(a, b, true, mxcsr) === GREATER ? a : b, mxcsr);
}

/** For each of the 16 predicates, four bits: the relations that make it true (SDM volume 2, CMPPD). */
const predicates: u64 = <u64>0xf4650b9a << 32 | 0x7ced8312;

/** @param predicate 0 to 7 for SSE, to 31 for AVX; 16 and up signal a quiet NaN where 0 to 15 don't, and the other way round */
export function compare<F>(a: u64, b: u64, predicate: u32, mxcsr: u32): bool {
  const signalling = ((predicate + 1 & 2) !== 0) !== ((predicate & 16) !== 0);
  const holds = u32(predicates >> u64((predicate & 15) << 2)) & 15;
  return (relation<F>(a, b, signalling, mxcsr) & holds) !== 0;
}

/** COMISS and UCOMISS: ZF, PF and CF at their places in RFLAGS. */
export function order<F>(a: u64, b: u64, signalling: bool, mxcsr: u32): u32 {
  const is = relation<F>(a, b, signalling, mxcsr);
  if (is === GREATER) return 0;
  return is === LESS ? 0x01 : is === EQUAL ? 0x40 : 0x45;
}
