/** SSE's scalar operations on exact numbers, by the names of build/float.wasm's exports. */

import {
  add, compare, decode, divide, encode, exact, F32, F64, indefinite, infinity, isNan, multiply, quieted, squareRoot, zero,
  type Decoded, type Exact, type Format,
} from './number.ts';
import { bitLength, FLAG, MODE, roundToPrecision, roundToWhole } from './rounding.ts';

export interface Outcome {
  readonly result: bigint;
  /** Exceptions, as MXCSR shows them. */
  readonly flags: number;
}

const DAZ = 1 << 6;
const FTZ = 1 << 15;
const roundingMode = (mxcsr: number): number => (mxcsr >> 13) & 3;
const isMasked = (mxcsr: number, flag: number): boolean => (mxcsr & (flag << 7)) !== 0;

/** Rounds and encodes a number that is not zero (SDM volume 1, 4.9.1 and 10.2.3). */
export function encodeRounded(format: Format, value: Exact, mxcsr: number): Outcome {
  const mode = roundingMode(mxcsr);
  const least = 1 - format.bias;
  const free = roundToPrecision(value, format.precision, mode);
  const inexact = free.inexact ? FLAG.inexact : 0;
  if (free.exponent > format.bias) return overflowed(format, value.negative, mxcsr, inexact);
  if (free.exponent < least) {
    if (!isMasked(mxcsr, FLAG.underflow)) return { result: 0n, flags: FLAG.underflow | inexact };
    if ((mxcsr & FTZ) !== 0) return { result: zero(format, value.negative), flags: FLAG.underflow | FLAG.inexact };
  }
  const bounded = roundToPrecision(value, format.precision, mode, least - format.precision + 1);
  const flags = bounded.inexact ? FLAG.inexact | (free.exponent < least ? FLAG.underflow : 0) : 0;
  return { result: encodeWhole(format, value.negative, bounded.whole, bounded.power), flags };
}

/** whole · 2^power, which the format has. */
export function encodeWhole(format: Format, negative: boolean, whole: bigint, power: number): bigint {
  if (whole === 0n) return zero(format, negative);
  const least = 2 - format.bias - format.precision;
  const at = Math.max(power + bitLength(whole) - format.precision, least);
  const significand = at >= power ? whole >> BigInt(at - power) : whole << BigInt(power - at);
  const normal = significand >= 1n << BigInt(format.precision - 1);
  return encode(format, negative, normal ? at - least + 1 : 0, significand);
}

function overflowed(format: Format, negative: boolean, mxcsr: number, inexact: number): Outcome {
  const mode = roundingMode(mxcsr);
  const away = mode === MODE.nearest || mode === (negative ? MODE.down : MODE.up);
  const flags = FLAG.overflow | (isMasked(mxcsr, FLAG.overflow) ? FLAG.inexact : inexact);
  return { result: away ? infinity(format, negative) : infinity(format, negative) - 1n, flags };
}

/** An operand as MXCSR lets it in: a denormal is zero or has its flag. */
function admit(format: Format, bits: bigint, mxcsr: number): Decoded {
  const decoded = decode(format, bits);
  return decoded.kind === 'denormal' && (mxcsr & DAZ) !== 0 ? decode(format, zero(format, decoded.negative)) : decoded;
}

const denormalFlag = (...operands: readonly Decoded[]): number => (operands.some(({ kind }) => kind === 'denormal') ? FLAG.denormal : 0);
const signalling = (...operands: readonly Decoded[]): number => (operands.some(({ kind }) => kind === 'signalling') ? FLAG.invalid : 0);
const invalid = (format: Format): Outcome => ({ result: indefinite(format), flags: FLAG.invalid });

type Arithmetic = (format: Format, a: Decoded, b: Decoded, mxcsr: number) => Outcome | Exact;

/** What is common to the four operations: NaNs before, rounding after. */
function binary(format: Format, operation: Arithmetic): Operation {
  return (x, y, mxcsr) => {
    const [a, b] = [admit(format, x, mxcsr), admit(format, y, mxcsr)];
    if (isNan(a) || isNan(b)) return { result: quieted(format, isNan(a) ? x : y), flags: signalling(a, b) };
    const made = operation(format, a, b, mxcsr);
    if ('flags' in made) return made.flags !== 0 ? made : { ...made, flags: denormalFlag(a, b) };
    const rounded = encodeRounded(format, made, mxcsr);
    return { ...rounded, flags: rounded.flags | denormalFlag(a, b) };
  };
}

const sum: Arithmetic = (format, a, b, mxcsr) => {
  if (a.kind === 'infinity' && b.kind === 'infinity' && a.negative !== b.negative) return invalid(format);
  if (a.kind === 'infinity' || b.kind === 'infinity') return { result: a.kind === 'infinity' ? a.bits : b.bits, flags: 0 };
  const total = add(a.value, b.value);
  const bothMinus = a.negative === b.negative ? a.negative : roundingMode(mxcsr) === MODE.down;
  return total.numerator === 0n ? { result: zero(format, bothMinus), flags: 0 } : total;
};

const difference: Arithmetic = (format, a, b, mxcsr) => sum(format, a, decode(format, b.bits ^ zero(format, true)), mxcsr);

const product: Arithmetic = (format, a, b) => {
  const negative = a.negative !== b.negative;
  const none = a.kind === 'zero' || b.kind === 'zero';
  if (a.kind === 'infinity' || b.kind === 'infinity') return none ? invalid(format) : { result: infinity(format, negative), flags: 0 };
  return none ? { result: zero(format, negative), flags: 0 } : multiply(a.value, b.value);
};

const ratio: Arithmetic = (format, a, b) => {
  const negative = a.negative !== b.negative;
  if (a.kind === b.kind && (a.kind === 'infinity' || a.kind === 'zero')) return invalid(format);
  if (a.kind === 'infinity') return { result: infinity(format, negative), flags: 0 };
  if (b.kind === 'zero') return { result: infinity(format, negative), flags: FLAG.divideByZero };
  return a.kind === 'zero' || b.kind === 'infinity' ? { result: zero(format, negative), flags: 0 } : divide(a.value, b.value);
};

type Operation = (a: bigint, b: bigint, mxcsr: number, immediate: number) => Outcome;

const root = (format: Format): Operation => binary(format, (_, a) => {
  if (a.kind === 'zero') return { result: a.bits, flags: 0 };
  if (a.negative) return invalid(format);
  return a.kind === 'infinity' ? { result: a.bits, flags: 0 } : squareRoot(a.value);
});

/** L, E, G and U of a comparison, with its flags; `quiet` lets quiet NaNs pass. */
function relation(format: Format, x: bigint, y: bigint, quiet: boolean, mxcsr: number): { readonly is: string; readonly flags: number } {
  const [a, b] = [admit(format, x, mxcsr), admit(format, y, mxcsr)];
  if (isNan(a) || isNan(b)) return { is: 'U', flags: quiet ? signalling(a, b) : FLAG.invalid };
  const order = a.kind === 'infinity' || b.kind === 'infinity' ? rank(a) - rank(b) : compare(a.value, b.value);
  return { is: order < 0 ? 'L' : order > 0 ? 'G' : 'E', flags: denormalFlag(a, b) };
}

const rank = ({ kind, negative }: Decoded): number => (kind !== 'infinity' ? 0 : negative ? -1 : 1);

function extreme(format: Format, wanted: 'L' | 'G'): Operation {
  return (a, b, mxcsr) => {
    const { is, flags } = relation(format, a, b, false, mxcsr);
    return { result: admit(format, is === wanted ? a : b, mxcsr).bits, flags };
  };
}

/** The relations that make each of the predicates true (SDM volume 2, CMPPD); from 16 on they repeat with the other behaviour for quiet NaNs. */
const predicates = ['E', 'L', 'LE', 'U', 'LGU', 'EGU', 'GU', 'LEG', 'EU', 'LU', 'LEU', '', 'LG', 'EG', 'G', 'LEGU'] as const;
const loud = new Set([1, 2, 5, 6, 9, 10, 13, 14]);

function comparison(format: Format): Operation {
  return (a, b, mxcsr, immediate) => {
    const { is, flags } = relation(format, a, b, loud.has(immediate % 16) === immediate >= 16, mxcsr);
    return { result: BigInt((predicates[immediate % 16] ?? '').includes(is)), flags };
  };
}

const rflags: Readonly<Record<string, bigint>> = { L: 0x01n, E: 0x40n, G: 0n, U: 0x45n };

function ordering(format: Format): Operation {
  return (a, b, mxcsr, immediate) => {
    const { is, flags } = relation(format, a, b, immediate === 0, mxcsr);
    return { result: rflags[is] ?? 0n, flags };
  };
}

function integral(format: Format): Operation {
  return (x, _, mxcsr, immediate) => {
    const a = admit(format, x, mxcsr);
    if (isNan(a)) return { result: quieted(format, x), flags: signalling(a) };
    if (a.kind === 'infinity' || a.kind === 'zero') return { result: a.bits, flags: 0 };
    const { whole, inexact } = roundToWhole(a.value, (immediate & 4) !== 0 ? roundingMode(mxcsr) : immediate & 3);
    return { result: encodeWhole(format, a.negative, whole, 0), flags: inexact && (immediate & 8) === 0 ? FLAG.inexact : 0 };
  };
}

function conversion(from: Format, to: Format): Operation {
  return (x, _, mxcsr) => {
    const a = admit(from, x, mxcsr);
    const shift = BigInt(from.precision - to.precision);
    if (isNan(a)) {
      const payload = shift >= 0n ? x >> shift : x << -shift;
      return { result: quieted(to, encode(to, a.negative, 2 * to.bias + 1, payload)), flags: signalling(a) };
    }
    if (a.kind === 'infinity') return { result: infinity(to, a.negative), flags: 0 };
    if (a.kind === 'zero') return { result: zero(to, a.negative), flags: 0 };
    const rounded = encodeRounded(to, a.value, mxcsr);
    return { ...rounded, flags: rounded.flags | denormalFlag(a) };
  };
}

function toInteger(format: Format, bits: number): Operation {
  return (x, _, mxcsr) => {
    const a = admit(format, x, mxcsr);
    const { whole, inexact } = roundToWhole(a.value, roundingMode(mxcsr));
    const value = a.negative ? -whole : whole;
    const none = a.kind === 'infinity' || isNan(a) || value !== BigInt.asIntN(bits, value);
    if (none) return { result: 1n << BigInt(bits - 1), flags: FLAG.invalid };
    return { result: BigInt.asUintN(bits, value), flags: inexact ? FLAG.inexact : 0 };
  };
}

function fromInteger(format: Format, bits: number): Operation {
  return (x, _, mxcsr) => {
    const value = BigInt.asIntN(bits, x);
    return value === 0n ? { result: 0n, flags: 0 } : encodeRounded(format, exact(value < 0n, value < 0n ? -value : value, 0), mxcsr);
  };
}

function operations(format: Format, name: string): Record<string, Operation> {
  const small = name.toLowerCase();
  return {
    [`add${name}`]: binary(format, sum), [`subtract${name}`]: binary(format, difference), [`multiply${name}`]: binary(format, product),
    [`divide${name}`]: binary(format, ratio), [`squareRoot${name}`]: (a, _, mxcsr) => root(format)(a, a, mxcsr, 0),
    [`minimum${name}`]: extreme(format, 'L'), [`maximum${name}`]: extreme(format, 'G'),
    [`compare${name}`]: comparison(format), [`order${name}`]: ordering(format), [`round${name}`]: integral(format),
    [`${small}ToI32`]: toInteger(format, 32), [`${small}ToI64`]: toInteger(format, 64),
    [`i32To${name}`]: fromInteger(format, 32), [`i64To${name}`]: fromInteger(format, 64),
  };
}

const all: Readonly<Record<string, Operation>> = {
  ...operations(F32, 'F32'), ...operations(F64, 'F64'), f32ToF64: conversion(F32, F64), f64ToF32: conversion(F64, F32),
};

/** Takes encodings, MXCSR and an immediate; what an unmasked exception before computing hides, is left out of the flags. */
export const sse: Readonly<Record<string, Operation>> = Object.fromEntries(Object.entries(all).map(([name, operation]) => [
  name, (a, b, mxcsr, immediate) => visible(operation(a, b, mxcsr, immediate), mxcsr >> 7),
] satisfies [string, Operation]));

/** @param masks of the exceptions, as x87's control word has them */
export function visible<Result extends { readonly flags: number }>(outcome: Result, masks: number): Result {
  const before = outcome.flags & (FLAG.invalid | FLAG.denormal | FLAG.divideByZero);
  return (before & ~masks) !== 0 ? { ...outcome, flags: before } : outcome;
}
