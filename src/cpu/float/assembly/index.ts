/**
 * Floating point as x86 has it. Every number is its encoding: f64 in an i64, f32 in an i32. What is raised is added to the exported `flags`, bits as in MXCSR;
 * the caller clears them, looks at them before it commits, and truncates by setting the rounding mode in the MXCSR that it gives.
 */

import { DENORMAL, DIVIDE_BY_ZERO, flags, INVALID } from './flags.ts';
import { add, divide, multiply, reciprocal, reciprocalRoot, squareRoot, subtract } from './sse-arithmetic.ts';
import { compare, maximum, minimum, order } from './sse-compare.ts';
import { convert, fromInteger, roundToIntegral, toInteger } from './sse-convert.ts';
import { roundingMode } from './format.ts';
import { high } from './extended.ts';
import { power2Minus1, yLog2x, yLog2xPlus1 } from './logarithmic.ts';
import { fcos, fpatan, fptan, fsin } from './trigonometric.ts';
import * as x87 from './x87-arithmetic.ts';
import { classify, compare as compareExtended } from './x87-compare.ts';
import { load, loadDecimal, loadInteger, store, storeDecimal, storeInteger } from './x87-convert.ts';
import { constant, extractExponent, extractSignificand, remainder, roundToIntegral as roundExtended, scale } from './x87-other.ts';

export { flags, high };

/**
 * The flags collected since the caller cleared them, of all elements of an instruction, as MXCSR is to show them. An unmasked invalid, denormal
 * or divide by zero keeps the processor from computing, so nothing else shows then (SDM volume 1, 11.5.4).
 */
export function exceptions(mxcsr: u32): u32 {
  return exceptionsF80(mxcsr >> 7) & 63;
}

export function addF32(a: u32, b: u32, mxcsr: u32): u32 { return u32(add<f32>(a, b, mxcsr)); }
export function subtractF32(a: u32, b: u32, mxcsr: u32): u32 { return u32(subtract<f32>(a, b, mxcsr)); }
export function multiplyF32(a: u32, b: u32, mxcsr: u32): u32 { return u32(multiply<f32>(a, b, mxcsr)); }
export function divideF32(a: u32, b: u32, mxcsr: u32): u32 { return u32(divide<f32>(a, b, mxcsr)); }
export function squareRootF32(a: u32, mxcsr: u32): u32 { return u32(squareRoot<f32>(a, mxcsr)); }
/** RCPSS and RSQRTSS. */
export function reciprocalF32(a: u32): u32 { return reciprocal(a); }
export function reciprocalRootF32(a: u32): u32 { return reciprocalRoot(a); }
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

// x87. An f80 is passed as its upper 16 bits and its significand; one that is given has its upper bits in the exported `high`. `control` is the
// control word. To the flags come C0 to C3, where the status word has them.

export function addF80(upperA: u32, a: u64, upperB: u32, b: u64, control: u32): u64 { return x87.add(upperA, a, upperB, b, control); }
export function subtractF80(upperA: u32, a: u64, upperB: u32, b: u64, control: u32): u64 { return x87.subtract(upperA, a, upperB, b, control); }
export function multiplyF80(upperA: u32, a: u64, upperB: u32, b: u64, control: u32): u64 { return x87.multiply(upperA, a, upperB, b, control); }
export function divideF80(upperA: u32, a: u64, upperB: u32, b: u64, control: u32): u64 { return x87.divide(upperA, a, upperB, b, control); }
export function squareRootF80(upper: u32, a: u64, control: u32): u64 { return x87.squareRoot(upper, a, control); }
/** FPREM. */
export function remainderF80(upperA: u32, a: u64, upperB: u32, b: u64, control: u32): u64 { return remainder(upperA, a, upperB, b, false, control); }
/** FPREM1. */
export function remainderNearestF80(upperA: u32, a: u64, upperB: u32, b: u64, control: u32): u64 { return remainder(upperA, a, upperB, b, true, control); }
export function scaleF80(upperA: u32, a: u64, upperB: u32, b: u64, control: u32): u64 { return scale(upperA, a, upperB, b, control); }
/** FXTRACT's two results, to be asked for in this order. */
export function exponentF80(upper: u32, a: u64): u64 { return extractExponent(upper, a); }
export function significandF80(upper: u32, a: u64): u64 { return extractSignificand(upper, a); }
export function roundF80(upper: u32, a: u64, control: u32): u64 { return roundExtended(upper, a, control); }
/** C3, C2 and C0 of FCOM (`quiet` 0) and FUCOM (1); they are given, not added to the flags. */
export function compareF80(upperA: u32, a: u64, upperB: u32, b: u64, quiet: u32): u32 { return compareExtended(upperA, a, upperB, b, quiet !== 0); }
/** FXAM of a register that is not empty. */
export function classifyF80(upper: u32, a: u64): u32 { return classify(upper, a); }
export function constantF80(index: u32, control: u32): u64 { return constant(index, control); }
export function f32ToF80(a: u32): u64 { return load<f32>(a); }
export function f64ToF80(a: u64): u64 { return load<f64>(a); }
/** FILD, of 16 and 32 bits too. */
export function i64ToF80(a: i64): u64 { return loadInteger(a); }
/** FBLD: the upper 16 bits and the lower 64. */
export function bcdToF80(upper: u32, a: u64): u64 { return loadDecimal(upper, a); }
export function f80ToF32(upper: u32, a: u64, control: u32): u32 { return u32(store<f32>(upper, a, control)); }
export function f80ToF64(upper: u32, a: u64, control: u32): u64 { return store<f64>(upper, a, control); }
export function f80ToI16(upper: u32, a: u64, control: u32): i32 { return i16(storeInteger(upper, a, 16, control)); }
export function f80ToI32(upper: u32, a: u64, control: u32): i32 { return i32(storeInteger(upper, a, 32, control)); }
export function f80ToI64(upper: u32, a: u64, control: u32): i64 { return storeInteger(upper, a, 64, control); }
/** FBSTP. */
export function f80ToBcd(upper: u32, a: u64, control: u32): u64 { return storeDecimal(upper, a, control); }

export function power2F80(upper: u32, a: u64, control: u32): u64 { return power2Minus1(upper, a, control); }
/** FYL2X and FYL2XP1: x is ST(0), y is ST(1). */
export function yLog2xF80(upperX: u32, x: u64, upperY: u32, y: u64, control: u32): u64 { return yLog2x(upperX, x, upperY, y, control); }
export function yLog2xPlus1F80(upperX: u32, x: u64, upperY: u32, y: u64, control: u32): u64 { return yLog2xPlus1(upperX, x, upperY, y, control); }
/** FPATAN: x is ST(0), y is ST(1). */
export function arctangentF80(upperX: u32, x: u64, upperY: u32, y: u64, control: u32): u64 { return fpatan(upperX, x, upperY, y, control); }
/** FSIN, FCOS and FPTAN; FSINCOS is the first two. C2 tells that the argument is beyond 2^63 and comes back as it is. */
export function sineF80(upper: u32, a: u64, control: u32): u64 { return fsin(upper, a, control); }
export function cosineF80(upper: u32, a: u64, control: u32): u64 { return fcos(upper, a, control); }
export function tangentF80(upper: u32, a: u64, control: u32): u64 { return fptan(upper, a, control); }

/** As {@link exceptions}, with x87's control word: what the status word gains. */
export function exceptionsF80(control: u32): u32 {
  const before = flags & (INVALID | DENORMAL | DIVIDE_BY_ZERO);
  return (before & ~control) !== 0 ? before : flags;
}
