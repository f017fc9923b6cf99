/**
 * SSE's arithmetic on vectors: a function of src/cpu/float on each of the lower lanes. The functions are called as helpers and take the vector
 * whose other lanes stay (and whose lanes are the first operands), the second operands, MXCSR, and an immediate where there is one. What they raise is
 * collected until `raised` asks for it.
 */

import type { Width } from './builder.ts';
import { sse } from './float/exact/sse.ts';
import type { SseFloat } from './float/float.ts';

export type FloatFunction = keyof SseFloat;

export interface LaneOperation {
  /** Of the lanes with even numbers and, if it is another one, of the odd ones. */
  readonly function: FloatFunction;
  readonly odd?: FloatFunction;
  /** Bits of an operand and of a result. */
  readonly from: 32 | 64;
  readonly to: 32 | 64;
  readonly lanes: number;
  readonly operands: 1 | 2;
  readonly immediate?: true;
  /** The result is a truth: all ones or zero. */
  readonly mask?: true;
  /** It knows no MXCSR. */
  readonly plain?: true;
}

const shapes = [['F32', 32, 4], ['F64', 64, 2]] as const;

/** Both formats, one lane and all of them: addF32x1, addF32x4, addF64x1, addF64x2. */
function arithmetic(name: string, operands: 1 | 2, more: Partial<LaneOperation> = {}): [string, LaneOperation][] {
  return shapes.flatMap(([format, width, all]) => [1, all].map((lanes): [string, LaneOperation] => (
    [`${name}${format}x${lanes}`, { function: `${name}${format}` as FloatFunction, from: width, to: width, lanes, operands, ...more }]
  )));
}

const binary = ['add', 'subtract', 'multiply', 'divide', 'minimum', 'maximum'] as const;
type BinaryName = (typeof binary)[number];
type Shaped<Name extends string> = `${Name}${'F32x1' | 'F32x4' | 'F64x1' | 'F64x2'}`;

const conversions = {
  f32ToF64: [32, 64, [1, 2]], f64ToF32: [64, 32, [1, 2]], f32ToI32: [32, 32, [1, 2, 4]], f32ToI64: [32, 64, [1]], f64ToI32: [64, 32, [1, 2]], f64ToI64: [64, 64, [1]],
  i32ToF32: [32, 32, [1, 2, 4]], i64ToF32: [64, 32, [1]], i32ToF64: [32, 64, [1, 2]], i64ToF64: [64, 64, [1]],
} as const;
type ConversionName = keyof typeof conversions;

const converted = (Object.entries(conversions) as [ConversionName, readonly [32 | 64, 32 | 64, readonly number[]]][]).flatMap(([name, [from, to, counts]]) => (
  counts.map((lanes): [string, LaneOperation] => [`${name}x${lanes}`, { function: name, from, to, lanes, operands: 1, ...(name === 'i32ToF64' && { plain: true }) }])
));

export type VectorFloat = Shaped<BinaryName | 'squareRoot' | 'compare' | 'round'> | `${ConversionName}x${1 | 2 | 4}`
  | 'addSubtractF32x4' | 'addSubtractF64x2' | 'reciprocalF32x1' | 'reciprocalF32x4' | 'reciprocalRootF32x1' | 'reciprocalRootF32x4';

export const laneOperations = Object.fromEntries([
  ...binary.flatMap((name) => arithmetic(name, 2)),
  ...arithmetic('squareRoot', 1), ...arithmetic('compare', 2, { immediate: true, mask: true }), ...arithmetic('round', 1, { immediate: true }),
  ...arithmetic('reciprocal', 1, { plain: true }).slice(0, 2), ...arithmetic('reciprocalRoot', 1, { plain: true }).slice(0, 2),
  ['addSubtractF32x4', { function: 'subtractF32', odd: 'addF32', from: 32, to: 32, lanes: 4, operands: 2 }],
  ['addSubtractF64x2', { function: 'subtractF64', odd: 'addF64', from: 64, to: 64, lanes: 2, operands: 2 }],
  ...converted,
]) as Readonly<Record<VectorFloat, LaneOperation>>;

/** Invalid, denormal, divide by zero: found before there is a result. */
const early = 7;

/** What the exact definitions have raised. */
let collected = 0;

/** What MXCSR gains: an unmasked exception before computing hides the later ones. */
function raised(mxcsr = 0n): bigint {
  const found = collected;
  collected = 0;
  const before = found & early;
  return BigInt((before & ~(Number(mxcsr) >> 7)) !== 0 ? before : found);
}

/** One call of the exact arithmetic. */
function once(name: FloatFunction, a: bigint, b: bigint, mxcsr: bigint, immediate: bigint): bigint {
  const operation = approximations[name] ?? sse[name];
  if (operation === undefined) throw new Error(`no exact definition of ${name}`);
  const { result, flags } = operation(a, b, Number(mxcsr), Number(immediate));
  collected |= flags;
  return result;
}

type Exact = (typeof sse)[string];

/** All exceptions masked, to the nearest. */
const quiet = 0x1f80;
const one = 0x3f800000n;
const bits = (name: string, a: bigint, b = 0n): bigint => sse[name]?.(a, b, quiet, 0).result ?? 0n;

/** A denormal counts as zero, as operand and as result. */
function flushed(value: bigint): bigint {
  return (value & 0x7f800000n) === 0n ? value & 0x80000000n : value;
}

/** RCPPS and RSQRTPS give what is nearest where the manual asks for a relative error of 1.5 * 2^-12. They raise nothing. */
const approximations: Readonly<Record<string, Exact>> = {
  reciprocalF32: (a) => ({ result: flushed(bits('divideF32', one, flushed(a))), flags: 0 }),
  reciprocalRootF32: (a) => ({ result: bits('f64ToF32', bits('divideF64', bits('f32ToF64', one), bits('squareRootF64', bits('f32ToF64', flushed(a))))), flags: 0 }),
};

const lane = (vector: bigint, width: number, at: number): bigint => BigInt.asUintN(width, vector >> BigInt(width * at));

function onLanes({ function: even, odd = even, from, to, lanes, operands, mask }: LaneOperation) {
  return (x = 0n, y = 0n, mxcsr = 0n, immediate = 0n): bigint => {
    let result = x;
    for (let at = 0; at < lanes; at++) {
      const [a, b] = operands === 2 ? [lane(x, from, at), lane(y, from, at)] : [lane(y, from, at), 0n];
      const found = once(at % 2 === 0 ? even : odd, a, b, mxcsr, immediate);
      const place = BigInt(to * at);
      result = (result & ~(((1n << BigInt(to)) - 1n) << place)) | (BigInt.asUintN(to, mask === true ? -found : found) << place);
    }
    return result;
  };
}

interface VectorFloatHelper {
  readonly parameters: readonly Width[];
  readonly result: Width;
  readonly emitted: true;
  compute(...values: bigint[]): bigint;
}

const ordering = (name: 'orderF32' | 'orderF64', width: 32 | 64): VectorFloatHelper => ({
  parameters: [width, width, 32, 32], result: 32, emitted: true,
  compute: (a = 0n, b = 0n, signalling = 0n, mxcsr = 0n) => once(name, a, b, mxcsr, signalling),
});

export const vectorFloatHelpers: Readonly<Record<VectorFloat | 'orderF32' | 'orderF64' | 'raised', VectorFloatHelper>> = {
  ...Object.fromEntries(Object.entries(laneOperations).map(([name, operation]): [string, VectorFloatHelper] => [name, {
    parameters: [128, 128, 32, ...(operation.immediate === true ? [32 as const] : [])], result: 128, emitted: true, compute: onLanes(operation),
  }])) as Record<VectorFloat, VectorFloatHelper>,
  /** ZF, PF and CF: operands, whether it is COMISS, MXCSR. */
  orderF32: ordering('orderF32', 32),
  orderF64: ordering('orderF64', 64),
  /** What MXCSR gains by what was called since this was last asked. */
  raised: { parameters: [32], result: 32, emitted: true, compute: raised },
};
