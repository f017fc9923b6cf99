/** x87's operations on exact numbers, by the names of build/float.wasm's exports. The transcendental ones are in transcendental.ts. */

import {
  add, compare, decode, divide, encode, exact, F32, F64, F80, indefinite, infinity, isFinite, isNan, multiply, quieted, squareRoot, zero,
  type Decoded, type Exact, type Format,
} from './number.ts';
import { exponentOf, FLAG, MODE, roundToPrecision, roundToWhole, type Rounded } from './rounding.ts';
import { encodeRounded, encodeWhole, visible } from './sse.ts';

export interface X87Outcome {
  readonly result: bigint;
  /** Exceptions and C0 to C3, as the status word has them. */
  readonly flags: number;
}

/** Condition codes beside {@link FLAG.c1}. */
export const CODE = { c0: 0x100, c1: 0x200, c2: 0x400, c3: 0x4000 } as const;

const WRAP = 24576;
export const roundingMode = (control: number): number => (control >> 10) & 3;
const precisionOf = (control: number): number => [24, 64, 53, 64][(control >> 8) & 3] ?? 64;
const isMasked = (control: number, flag: number): boolean => (control & flag) !== 0;

/** Rounds and encodes a number that is not zero (SDM volume 1, 8.5.4 to 8.5.6). @param precision 24, 53 or 64 */
export function encodeExtended(value: Exact, precision: number, control: number): X87Outcome {
  const mode = roundingMode(control);
  const { negative } = value;
  const least = 1 - F80.bias;
  const free = roundToPrecision(value, precision, mode);
  const inexact = (free.inexact ? FLAG.inexact : 0) | (free.up ? FLAG.c1 : 0);
  if (free.exponent > F80.bias && isMasked(control, FLAG.overflow)) {
    const away = mode === MODE.nearest || mode === (negative ? MODE.down : MODE.up);
    const largest = ((1n << BigInt(precision)) - 1n) << BigInt(64 - precision);
    const flags = FLAG.overflow | FLAG.inexact;
    return away ? { result: infinity(F80, negative), flags: flags | FLAG.c1 } : { result: encode(F80, negative, 2 * F80.bias, largest), flags };
  }
  if (free.exponent > F80.bias) return { result: encodeWhole(F80, negative, free.whole, free.power - WRAP), flags: FLAG.overflow | inexact };
  if (free.exponent < least && !isMasked(control, FLAG.underflow)) {
    return { result: encodeWhole(F80, negative, free.whole, free.power + WRAP), flags: FLAG.underflow | inexact };
  }
  const bounded = roundToPrecision(value, precision, mode, least - precision + 1);
  const tiny = bounded.inexact && free.exponent < least ? FLAG.underflow : 0;
  const flags = (bounded.inexact ? FLAG.inexact : 0) | (bounded.up ? FLAG.c1 : 0) | tiny;
  return { result: encodeWhole(F80, negative, bounded.whole, bounded.power), flags };
}

export const invalid: X87Outcome = { result: indefinite(F80), flags: FLAG.invalid };
export const plain = (result: bigint): X87Outcome => ({ result, flags: 0 });
export const isOdd = (a: Decoded): boolean => isNan(a) || a.kind === 'unsupported';

/** What comes of operands of which one at least is a NaN or unsupported (SDM volume 1, table 4-7). */
function oddResult(operands: readonly Decoded[]): X87Outcome {
  if (operands.some(({ kind }) => kind === 'unsupported')) return invalid;
  const nans = operands.filter(isNan);
  const flags = nans.some(({ kind }) => kind === 'signalling') ? FLAG.invalid : 0;
  const quiet = nans.filter(({ kind }) => kind === 'quiet');
  const candidates = nans.length === 2 && quiet.length === 1 ? quiet : nans;
  const [first, second = first] = candidates.map(({ bits }) => bits);
  const [a = 0n, b = 0n] = [first, second];
  const size = BigInt.asUintN(64, a) - BigInt.asUintN(64, b);
  return { result: quieted(F80, size > 0n || (size === 0n && a < b) ? a : b), flags };
}

export const denormalFlag = (...operands: readonly Decoded[]): number => (operands.some(({ kind }) => kind === 'denormal') ? FLAG.denormal : 0);

export type X87Operation = (a: bigint, b: bigint, control: number, immediate: number) => X87Outcome;
type Meaning = (a: Decoded, b: Decoded, control: number) => X87Outcome | Exact;

/** What operations have in common: odd operands first, the denormal flag unless the result is invalid, rounding to `precision`. */
export function ofTwo(meaning: Meaning, precision: (control: number) => number = () => 64): X87Operation {
  return (x, y, control) => {
    const [a, b] = [decode(F80, x), decode(F80, y)];
    if (isOdd(a) || isOdd(b)) return oddResult([a, b]);
    const made = meaning(a, b, control);
    const denormal = denormalFlag(a, b);
    if ('flags' in made) return (made.flags & (FLAG.invalid | FLAG.divideByZero)) !== 0 ? made : { ...made, flags: made.flags | denormal };
    const rounded = encodeExtended(made, precision(control), control);
    return { ...rounded, flags: rounded.flags | denormal };
  };
}

export function ofOne(meaning: Meaning, precision?: (control: number) => number): X87Operation {
  const operation = ofTwo(meaning, precision);
  return (a, _, control) => operation(a, a, control, 0);
}

const sum: Meaning = (a, b, control) => {
  if (a.kind === 'infinity' && b.kind === 'infinity' && a.negative !== b.negative) return invalid;
  if (a.kind === 'infinity' || b.kind === 'infinity') return plain(a.kind === 'infinity' ? a.bits : b.bits);
  const total = add(a.value, b.value);
  const minus = a.kind === 'zero' && b.kind === 'zero' && a.negative === b.negative ? a.negative : roundingMode(control) === MODE.down;
  return total.numerator === 0n ? plain(zero(F80, minus)) : total;
};

const difference: Meaning = (a, b, control) => sum(a, decode(F80, b.bits ^ (1n << 79n)), control);

const product: Meaning = (a, b) => {
  const negative = a.negative !== b.negative;
  const none = a.kind === 'zero' || b.kind === 'zero';
  if (a.kind === 'infinity' || b.kind === 'infinity') return none ? invalid : plain(infinity(F80, negative));
  return none ? plain(zero(F80, negative)) : multiply(a.value, b.value);
};

const ratio: Meaning = (a, b) => {
  const negative = a.negative !== b.negative;
  if (a.kind === b.kind && (a.kind === 'infinity' || a.kind === 'zero')) return invalid;
  if (a.kind === 'infinity') return plain(infinity(F80, negative));
  if (b.kind === 'zero') return { result: infinity(F80, negative), flags: FLAG.divideByZero };
  return a.kind === 'zero' || b.kind === 'infinity' ? plain(zero(F80, negative)) : divide(a.value, b.value);
};

const root: Meaning = (a) => {
  if (a.kind === 'zero') return plain(a.bits);
  if (a.negative) return invalid;
  return a.kind === 'infinity' ? plain(a.bits) : squareRoot(a.value);
};

/** The codes of a quotient's three lowest bits. */
const quotientCodes = (quotient: bigint): number =>
  ((quotient & 4n) === 0n ? 0 : CODE.c0) | ((quotient & 2n) === 0n ? 0 : CODE.c3) | ((quotient & 1n) === 0n ? 0 : CODE.c1);

/** FPREM and FPREM1. What a partial one takes off is up to the processor; 32 to 63 bits, so that a multiple of 32 is left, is what AMD's does. */
function remainder(mode: number): X87Operation {
  return ofTwo((a, b, control) => {
    if (a.kind === 'infinity' || b.kind === 'zero') return invalid;
    if (a.kind === 'zero') return plain(a.bits);
    if (b.kind === 'infinity') return a.value;
    const apart = exponentOf(a.value) - exponentOf(b.value);
    const partial = apart >= 64;
    const unit = partial ? multiply(b.value, exact(false, 1n, apart - 32 - (apart % 32))) : b.value;
    const { whole } = roundToWhole({ ...divide(a.value, unit), negative: false }, partial ? MODE.toZero : mode);
    const left = add(a.value, { ...multiply(exact(false, whole, 0), unit), negative: !a.negative });
    const codes = partial ? CODE.c2 : quotientCodes(whole);
    if (left.numerator === 0n) return { result: zero(F80, a.negative), flags: codes };
    const encoded = encodeExtended(left, 64, control);
    return { ...encoded, flags: encoded.flags | codes };
  });
}

const scale: Meaning = (a, b, control) => {
  if (b.kind === 'infinity') {
    if (a.kind === (b.negative ? 'infinity' : 'zero')) return invalid;
    return plain(b.negative ? zero(F80, a.negative) : infinity(F80, a.negative));
  }
  if (a.kind === 'infinity' || a.kind === 'zero') return plain(a.bits);
  const whole = roundToWhole(b.value, MODE.toZero).whole;
  const size = Number(whole > 0x20000n ? 0x20000n : whole) * (b.negative ? -1 : 1);
  const exponent = exponentOf(a.value) + size;
  if (exponent - WRAP > F80.bias && !isMasked(control, FLAG.overflow)) {
    return { result: infinity(F80, a.negative), flags: FLAG.overflow | FLAG.inexact | FLAG.c1 };
  }
  if (exponent + WRAP < 1 - F80.bias && !isMasked(control, FLAG.underflow)) {
    return { result: zero(F80, a.negative), flags: FLAG.underflow | FLAG.inexact };
  }
  return multiply(a.value, exact(false, 1n, size));
};

const integral: Meaning = (a, _, control) => {
  if (a.kind === 'infinity' || a.kind === 'zero') return plain(a.bits);
  const rounded = roundToWhole(a.value, roundingMode(control));
  return { result: encodeWhole(F80, a.negative, rounded.whole, 0), flags: lost(rounded) };
};

const lost = ({ inexact, up }: Rounded): number => (inexact ? FLAG.inexact : 0) | (up ? FLAG.c1 : 0);

const extractedExponent: Meaning = (a) => {
  if (a.kind === 'infinity') return plain(infinity(F80, false));
  if (a.kind === 'zero') return { result: infinity(F80, true), flags: FLAG.divideByZero };
  const exponent = exponentOf(a.value);
  return plain(encodeWhole(F80, exponent < 0, BigInt(Math.abs(exponent)), 0));
};

const extractedSignificand: Meaning = (a) =>
  (isFinite(a) && a.kind !== 'zero' ? multiply(a.value, exact(false, 1n, -exponentOf(a.value))) : plain(a.bits));

function comparison(x: bigint, y: bigint, quiet: boolean): number {
  const [a, b] = [decode(F80, x), decode(F80, y)];
  if (isOdd(a) || isOdd(b)) {
    const loud = [a, b].some(({ kind }) => kind === 'signalling' || kind === 'unsupported');
    return CODE.c0 | CODE.c2 | CODE.c3 | (loud || !quiet ? FLAG.invalid : 0);
  }
  const rank = ({ kind, negative }: Decoded): number => (kind !== 'infinity' ? 0 : negative ? -1 : 1);
  const order = a.kind === 'infinity' || b.kind === 'infinity' ? rank(a) - rank(b) : compare(a.value, b.value);
  return denormalFlag(a, b) | (order < 0 ? CODE.c0 : order > 0 ? 0 : CODE.c3);
}

const codesOfKind: Readonly<Record<Decoded['kind'], number>> = {
  unsupported: 0, quiet: CODE.c0, signalling: CODE.c0, normal: CODE.c2, infinity: CODE.c2 | CODE.c0, zero: CODE.c3, denormal: CODE.c3 | CODE.c2,
};

function classified(a: bigint): number {
  const { kind, negative } = decode(F80, a);
  return codesOfKind[kind] | (negative ? CODE.c1 : 0);
}

/** FLD1, FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2, FLDZ: 96 bits behind the point of each. */
const constants: readonly bigint[] = [
  1n << 96n, 0x3_5269e12f346e2bf924afdbfdn, 0x1_71547652b82fe1777d0ffda0n, 0x3_243f6a8885a308d313198a2en, 0x4d104d427de7fbcc47c4acd6n,
  0xb17217f7d1cf79abc9e3b398n, 0n,
];

function constant(control: number, immediate: number): X87Outcome {
  const value = constants[immediate] ?? 0n;
  return plain(value === 0n ? 0n : encodeExtended(exact(false, value, -96), 64, control).result);
}

function load(format: Format): X87Operation {
  return (x) => {
    const a = decode(format, x);
    if (isNan(a)) {
      const significand = x << BigInt(64 - format.precision) | 1n << 63n;
      return { result: quieted(F80, encode(F80, a.negative, 0x7fff, significand)), flags: a.kind === 'signalling' ? FLAG.invalid : 0 };
    }
    if (a.kind === 'infinity') return plain(infinity(F80, a.negative));
    if (a.kind === 'zero') return plain(zero(F80, a.negative));
    return { ...encodeExtended(a.value, 64, 0x37f), flags: denormalFlag(a) };
  };
}

/** FST. Unmasked, an overflow or underflow stores nothing, so nothing is rounded. */
function store(format: Format): X87Operation {
  return (x, _, control) => {
    const a = decode(F80, x);
    if (a.kind === 'unsupported') return { result: indefinite(format), flags: FLAG.invalid };
    if (isNan(a)) {
      const result = quieted(format, encode(format, a.negative, 2 * format.bias + 1, BigInt.asUintN(64, x) >> BigInt(64 - format.precision)));
      return { result, flags: a.kind === 'signalling' ? FLAG.invalid : 0 };
    }
    if (a.kind === 'infinity') return plain(infinity(format, a.negative));
    if (a.kind === 'zero') return plain(zero(format, a.negative));
    const { result, flags } = encodeRounded(format, a.value, roundingMode(control) << 13 | (control & 63) << 7);
    const stopped = flags & ~control & (FLAG.overflow | FLAG.underflow);
    if (stopped !== 0) return { result, flags: stopped };
    const stored = decode(format, result);
    const up = stored.kind === 'infinity' || compare({ ...stored.value, negative: false }, { ...a.value, negative: false }) > 0;
    return { result, flags: flags | (up ? FLAG.c1 : 0) };
  };
}

const loadInteger = (bits: number): X87Operation => (x) => {
  const value = BigInt.asIntN(bits, x);
  return plain(encodeWhole(F80, value < 0n, value < 0n ? -value : value, 0));
};

function storeInteger(bits: number): X87Operation {
  return (x, _, control) => {
    const a = decode(F80, x);
    const rounded = roundToWhole(a.value, roundingMode(control));
    const value = a.negative ? -rounded.whole : rounded.whole;
    if (!isFinite(a) || value !== BigInt.asIntN(bits, value)) return { result: 1n << BigInt(bits - 1), flags: FLAG.invalid };
    return { result: BigInt.asUintN(bits, value), flags: lost(rounded) };
  };
}

const loadDecimal: X87Operation = (x) => {
  const digits = Array.from({ length: 18 }, (_, index) => (x >> BigInt(4 * (17 - index))) & 15n);
  return plain(encodeWhole(F80, x >> 79n !== 0n, digits.reduce((value, digit) => value * 10n + digit, 0n), 0));
};

const storeDecimal: X87Operation = (x, _, control) => {
  const a = decode(F80, x);
  const rounded = roundToWhole(a.value, roundingMode(control));
  if (!isFinite(a) || rounded.whole >= 10n ** 18n) return { result: 0xffff_c000_0000_0000_0000n, flags: FLAG.invalid };
  return { result: BigInt(`0x${rounded.whole}`) | (a.negative ? 1n << 79n : 0n), flags: lost(rounded) };
};

const operations: Readonly<Record<string, X87Operation>> = {
  addF80: ofTwo(sum, precisionOf), subtractF80: ofTwo(difference, precisionOf), multiplyF80: ofTwo(product, precisionOf),
  divideF80: ofTwo(ratio, precisionOf), squareRootF80: ofOne(root, precisionOf),
  remainderF80: remainder(MODE.toZero), remainderNearestF80: remainder(MODE.nearest), scaleF80: ofTwo(scale), roundF80: ofOne(integral),
  exponentF80: ofOne(extractedExponent), significandF80: ofOne(extractedSignificand),
  classifyF80: (a) => ({ result: a, flags: classified(a) }), constantF80: (_a, _b, control, immediate) => constant(control, immediate),
  f32ToF80: load(F32), f64ToF80: load(F64), f80ToF32: store(F32), f80ToF64: store(F64),
  i16ToF80: loadInteger(16), i32ToF80: loadInteger(32), i64ToF80: loadInteger(64),
  f80ToI16: storeInteger(16), f80ToI32: storeInteger(32), f80ToI64: storeInteger(64), bcdToF80: loadDecimal, f80ToBcd: storeDecimal,
};

/** Operations with what an unmasked exception before computing hides left out of their flags. */
export function shown(of: Readonly<Record<string, X87Operation>>): Record<string, X87Operation> {
  return Object.fromEntries(Object.entries(of).map(([name, operation]) => [
    name, (a, b, control, immediate) => visible(operation(a, b, control, immediate), control),
  ] satisfies [string, X87Operation]));
}

/** Takes encodings, the control word and an immediate. */
export const x87: Readonly<Record<string, X87Operation>> = {
  ...shown(operations),
  // Codes show whatever is masked; the result is of no account.
  compareF80: (a, b) => ({ result: a, flags: comparison(a, b, false) }),
  compareQuietF80: (a, b) => ({ result: a, flags: comparison(a, b, true) }),
};
