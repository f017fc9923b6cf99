/**
 * build/float.wasm as JavaScript sees it; emitted WebAssembly imports the same functions. A number is its encoding: f64 and i64 are an i64 (bigint), f32 and
 * i32 an i32 (number). The module's only state are `flags`, to which each function adds what it raises, and `high`.
 */

type Unary32 = (a: number, mxcsr: number) => number;
type Binary32 = (a: number, b: number, mxcsr: number) => number;
type Unary64 = (a: bigint, mxcsr: number) => bigint;
type Binary64 = (a: bigint, b: bigint, mxcsr: number) => bigint;

/** SSE's arithmetic. What truncates (CVTT...) is the conversion with the rounding mode of the MXCSR that is given set to 3. */
export interface SseFloat {
  readonly addF32: Binary32;
  readonly subtractF32: Binary32;
  readonly multiplyF32: Binary32;
  readonly divideF32: Binary32;
  readonly squareRootF32: Unary32;
  /** RCPSS and RSQRTSS, nearer than silicon's 12 bits; they raise nothing. */
  readonly reciprocalF32: (a: number) => number;
  readonly reciprocalRootF32: (a: number) => number;
  readonly minimumF32: Binary32;
  readonly maximumF32: Binary32;
  /** 1 or 0 by a predicate of CMPSS: 0 to 7, for AVX to 31. */
  readonly compareF32: (a: number, b: number, predicate: number, mxcsr: number) => number;
  /** ZF, PF and CF where RFLAGS has them; `signalling` is 1 for COMISS, 0 for UCOMISS. */
  readonly orderF32: (a: number, b: number, signalling: number, mxcsr: number) => number;
  /** ROUNDSS with its immediate. */
  readonly roundF32: (a: number, immediate: number, mxcsr: number) => number;
  readonly f32ToF64: (a: number, mxcsr: number) => bigint;
  readonly f32ToI32: Unary32;
  readonly f32ToI64: (a: number, mxcsr: number) => bigint;
  readonly i32ToF32: Unary32;
  readonly i64ToF32: (a: bigint, mxcsr: number) => number;

  readonly addF64: Binary64;
  readonly subtractF64: Binary64;
  readonly multiplyF64: Binary64;
  readonly divideF64: Binary64;
  readonly squareRootF64: Unary64;
  readonly minimumF64: Binary64;
  readonly maximumF64: Binary64;
  readonly compareF64: (a: bigint, b: bigint, predicate: number, mxcsr: number) => number;
  readonly orderF64: (a: bigint, b: bigint, signalling: number, mxcsr: number) => number;
  readonly roundF64: (a: bigint, immediate: number, mxcsr: number) => bigint;
  readonly f64ToF32: (a: bigint, mxcsr: number) => number;
  readonly f64ToI32: (a: bigint, mxcsr: number) => number;
  readonly f64ToI64: Unary64;
  readonly i32ToF64: (a: number) => bigint;
  readonly i64ToF64: Unary64;

  /** What MXCSR gains by all that was raised since `flags` was cleared; an unmasked exception before computing hides the ones after it. */
  readonly exceptions: (mxcsr: number) => number;
}

/** An f80 is passed as its upper 16 bits and its significand; one that is given is the significand, its upper bits are in `high`. */
type Unary80 = (upper: number, significand: bigint, control: number) => bigint;
type Binary80 = (upperA: number, significandA: bigint, upperB: number, significandB: bigint, control: number) => bigint;
type Store<Value> = (upper: number, significand: bigint, control: number) => Value;

/**
 * x87. `control` is the control word. C0 to C3 come to the flags, where the status word has them; stack faults are the caller's. Of an unmasked
 * invalid, denormal or divide by zero the result is not stored, of an unmasked overflow or underflow it is, but not to memory.
 */
export interface X87Float {
  readonly addF80: Binary80;
  readonly subtractF80: Binary80;
  readonly multiplyF80: Binary80;
  readonly divideF80: Binary80;
  readonly squareRootF80: Unary80;
  /** FPREM and FPREM1. */
  readonly remainderF80: Binary80;
  readonly remainderNearestF80: Binary80;
  readonly scaleF80: Binary80;
  /** FXTRACT's results, of which the exponent goes to ST(1). */
  readonly exponentF80: (upper: number, significand: bigint) => bigint;
  readonly significandF80: (upper: number, significand: bigint) => bigint;
  readonly roundF80: Unary80;
  /** C3, C2 and C0 of FCOM (`quiet` 0) and FUCOM (1), which are given and not added to the flags. */
  readonly compareF80: (upperA: number, significandA: bigint, upperB: number, significandB: bigint, quiet: number) => number;
  /** FXAM's codes, of a register that is not empty. */
  readonly classifyF80: (upper: number, significand: bigint) => number;
  /** FLD1, FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2, FLDZ: 0 to 6. */
  readonly constantF80: (index: number, control: number) => bigint;
  readonly f32ToF80: (a: number) => bigint;
  readonly f64ToF80: (a: bigint) => bigint;
  readonly i64ToF80: (a: bigint) => bigint;
  readonly bcdToF80: (upper: number, digits: bigint) => bigint;
  readonly f80ToF32: Store<number>;
  readonly f80ToF64: Store<bigint>;
  /** FIST; with the rounding mode set to 3, FISTTP. */
  readonly f80ToI16: Store<number>;
  readonly f80ToI32: Store<number>;
  readonly f80ToI64: Store<bigint>;
  /** FBSTP: the lower 64 bits, the upper 16 are in `high`. */
  readonly f80ToBcd: Store<bigint>;
  readonly power2F80: Unary80;
  /** x is ST(0), y is ST(1). */
  readonly yLog2xF80: Binary80;
  readonly yLog2xPlus1F80: Binary80;
  readonly arctangentF80: Binary80;
  /** Within one unit of the last place of silicon. C2 tells of an argument beyond 2^63, which comes back as it is. */
  readonly sineF80: Unary80;
  readonly cosineF80: Unary80;
  readonly tangentF80: Unary80;

  /** What the status word gains by all that was raised since `flags` was cleared. */
  readonly exceptionsF80: (control: number) => number;
  /** Sign and exponent of the last f80 that was given. */
  readonly high: { readonly value: number };
}

/** The module's exports. */
export interface Float extends SseFloat, X87Float {
  readonly flags: { value: number };
}

/** An instance of its own `flags` for each processor. @param bytes build/float.wasm */
export function instantiateFloat(bytes: Uint8Array): Float {
  // A browser's types say what is always so: bytes of a module are no shared memory.
  return new WebAssembly.Instance(new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>)).exports as unknown as Float;
}
