/**
 * Floating point as x86 has it. Every number is its encoding: f64 in an i64, f32 in an i32. What is raised is added to the exported `flags`, bits as in MXCSR;
 * the caller clears them, looks at them before it commits, and truncates by setting the rounding mode in the MXCSR that it gives.
 */

import { DENORMAL, DIVIDE_BY_ZERO, flags, INVALID } from './flags.ts';
import { add, divide, multiply, squareRoot, subtract } from './sse-arithmetic.ts';
import { compare, maximum, minimum, order } from './sse-compare.ts';
import { convert, fromInteger, roundToIntegral, toInteger } from './sse-convert.ts';
import { roundingMode } from './format.ts';

export { flags };

/**
 * The flags collected since the caller cleared them, of all elements of an instruction, as MXCSR is to show them. An unmasked invalid, denormal
 * or divide by zero keeps the processor from computing, so nothing else shows then (SDM volume 1, 11.5.4).
 */
export function exceptions(mxcsr: u32): u32 {
  const before = flags & (INVALID | DENORMAL | DIVIDE_BY_ZERO);
  return (before & ~(mxcsr >> 7)) !== 0 ? before : flags;
}

export function addF32(a: u32, b: u32, mxcsr: u32): u32 { return u32(add<f32>(a, b, mxcsr)); }
export function subtractF32(a: u32, b: u32, mxcsr: u32): u32 { return u32(subtract<f32>(a, b, mxcsr)); }
export function multiplyF32(a: u32, b: u32, mxcsr: u32): u32 { return u32(multiply<f32>(a, b, mxcsr)); }
export function divideF32(a: u32, b: u32, mxcsr: u32): u32 { return u32(divide<f32>(a, b, mxcsr)); }
export function squareRootF32(a: u32, mxcsr: u32): u32 { return u32(squareRoot<f32>(a, mxcsr)); }
export function minimumF32(a: u32, b: u32, mxcsr: u32): u32 { return u32(minimum<f32>(a, b, mxcsr)); }
export function maximumF32(a: u32, b: u32, mxcsr: u32): u32 { return u32(maximum<f32>(a, b, mxcsr)); }
/** 1 or 0 by a predicate of CMPSS, 0 to 31. */
export function compareF32(a: u32, b: u32, predicate: u32, mxcsr: u32): u32 { return u32(compare<f32>(a, b, predicate, mxcsr)); }
/** ZF, PF and CF of COMISS (`signalling` 1) and UCOMISS (0), at their places in RFLAGS. */
export function orderF32(a: u32, b: u32, signalling: u32, mxcsr: u32): u32 { return order<f32>(a, b, signalling !== 0, mxcsr); }
/** ROUNDSS with its immediate. */
export function roundF32(a: u32, immediate: u32, mxcsr: u32): u32 { return u32(roundToIntegral<f32>(a, immediate, mxcsr)); }
export function f32ToF64(a: u32, mxcsr: u32): u64 { return convert<f32, f64>(a, mxcsr); }
export function f32ToI32(a: u32, mxcsr: u32): i32 { return i32(toInteger<f32>(a, 32, roundingMode(mxcsr), mxcsr)); }
export function f32ToI64(a: u32, mxcsr: u32): i64 { return toInteger<f32>(a, 64, roundingMode(mxcsr), mxcsr); }
export function i32ToF32(a: i32, mxcsr: u32): u32 { return u32(fromInteger<f32>(a, mxcsr)); }
export function i64ToF32(a: i64, mxcsr: u32): u32 { return u32(fromInteger<f32>(a, mxcsr)); }

export function addF64(a: u64, b: u64, mxcsr: u32): u64 { return add<f64>(a, b, mxcsr); }
export function subtractF64(a: u64, b: u64, mxcsr: u32): u64 { return subtract<f64>(a, b, mxcsr); }
export function multiplyF64(a: u64, b: u64, mxcsr: u32): u64 { return multiply<f64>(a, b, mxcsr); }
export function divideF64(a: u64, b: u64, mxcsr: u32): u64 { return divide<f64>(a, b, mxcsr); }
export function squareRootF64(a: u64, mxcsr: u32): u64 { return squareRoot<f64>(a, mxcsr); }
export function minimumF64(a: u64, b: u64, mxcsr: u32): u64 { return minimum<f64>(a, b, mxcsr); }
export function maximumF64(a: u64, b: u64, mxcsr: u32): u64 { return maximum<f64>(a, b, mxcsr); }
export function compareF64(a: u64, b: u64, predicate: u32, mxcsr: u32): u32 { return u32(compare<f64>(a, b, predicate, mxcsr)); }
export function orderF64(a: u64, b: u64, signalling: u32, mxcsr: u32): u32 { return order<f64>(a, b, signalling !== 0, mxcsr); }
export function roundF64(a: u64, immediate: u32, mxcsr: u32): u64 { return roundToIntegral<f64>(a, immediate, mxcsr); }
export function f64ToF32(a: u64, mxcsr: u32): u32 { return u32(convert<f64, f32>(a, mxcsr)); }
export function f64ToI32(a: u64, mxcsr: u32): i32 { return i32(toInteger<f64>(a, 32, roundingMode(mxcsr), mxcsr)); }
export function f64ToI64(a: u64, mxcsr: u32): i64 { return toInteger<f64>(a, 64, roundingMode(mxcsr), mxcsr); }
export function i32ToF64(a: i32): u64 { return fromInteger<f64>(a, 0x1f80); }
export function i64ToF64(a: i64, mxcsr: u32): u64 { return fromInteger<f64>(a, mxcsr); }
