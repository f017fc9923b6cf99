/**
 * build/float.wasm as JavaScript sees it; emitted WebAssembly imports the same functions. A number is its encoding: f64 and i64 are an i64 (bigint), f32 and
 * i32 an i32 (number). No function has a state but `flags`, to which each adds what it raises.
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
