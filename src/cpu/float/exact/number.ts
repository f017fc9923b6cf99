/** Floating-point numbers as exact fractions of bigints: how each format encodes them. */

export interface Format {
  /** Bits of the significand, the leading one included. */
  readonly precision: number;
  readonly bias: number;
  /** The leading one is in the encoding, as x87 has it. */
  readonly explicit: boolean;
}

export const F32: Format = { precision: 24, bias: 127, explicit: false };
export const F64: Format = { precision: 53, bias: 1023, explicit: false };
export const F80: Format = { precision: 64, bias: 16383, explicit: true };

/** ±(numerator / denominator), and `more`: the number meant is beyond it by less than can be told (the rest of a root or a series). */
export interface Exact {
  readonly negative: boolean;
  readonly numerator: bigint;
  readonly denominator: bigint;
  readonly more: boolean;
}

export type NumberClass = 'zero' | 'denormal' | 'normal' | 'infinity' | 'quiet' | 'signalling' | 'unsupported';

/** What an encoding stands for; `value` is 0 for what is no finite number. */
export interface Decoded {
  readonly bits: bigint;
  readonly kind: NumberClass;
  readonly negative: boolean;
  readonly value: Exact;
}

/** 2^power times a whole number. */
export function exact(negative: boolean, whole: bigint, power: number, more = false): Exact {
  const shift = BigInt(Math.abs(power));
  return power >= 0 ? { negative, numerator: whole << shift, denominator: 1n, more } : { negative, numerator: whole, denominator: 1n << shift, more };
}

/** Bits of a format's fraction field; of an explicit one the leading one is among them. */
const fractionBits = ({ precision, explicit }: Format): number => (explicit ? precision : precision - 1);

export function decode(format: Format, bits: bigint): Decoded {
  const width = fractionBits(format);
  const field = Number(bits >> BigInt(width)) & (2 * format.bias + 1);
  const negative = Number(bits >> BigInt(width)) > 2 * format.bias + 1;
  const fraction = BigInt.asUintN(width, bits);
  const leading = 1n << BigInt(format.precision - 1);
  const significand = format.explicit || field === 0 ? fraction : fraction | leading;
  const kind = classOf(field === 0, field === 2 * format.bias + 1, significand, leading);
  const finite = kind === 'denormal' || kind === 'normal';
  return { bits, kind, negative, value: exact(negative, finite ? significand : 0n, Math.max(field, 1) - format.bias - format.precision + 1) };
}

/** @param leading the leading one's place; what has none in spite of its exponent, is unsupported */
function classOf(first: boolean, last: boolean, significand: bigint, leading: bigint): NumberClass {
  if (first) return significand === 0n ? 'zero' : 'denormal';
  if ((significand & leading) === 0n) return 'unsupported';
  if (!last) return 'normal';
  if (significand === leading) return 'infinity';
  return (significand & (leading >> 1n)) === 0n ? 'signalling' : 'quiet';
}

/** The encoding with this exponent field and significand; a leading one where the format implies it, is left out. */
export function encode(format: Format, negative: boolean, field: number, significand: bigint): bigint {
  const width = fractionBits(format);
  return (BigInt(negative ? 2 * format.bias + 2 : 0) + BigInt(field)) << BigInt(width) | BigInt.asUintN(width, significand);
}

export const zero = (format: Format, negative: boolean): bigint => encode(format, negative, 0, 0n);
export const infinity = (format: Format, negative: boolean): bigint => encode(format, negative, 2 * format.bias + 1, 1n << BigInt(format.precision - 1));
/** What an invalid operation gives. */
export const indefinite = (format: Format): bigint => encode(format, true, 2 * format.bias + 1, 3n << BigInt(format.precision - 2));
export const quieted = (format: Format, bits: bigint): bigint => bits | 1n << BigInt(format.precision - 2);

export const isNan = ({ kind }: Decoded): boolean => kind === 'quiet' || kind === 'signalling';
export const isFinite = ({ kind }: Decoded): boolean => kind === 'zero' || kind === 'denormal' || kind === 'normal';

export function add(a: Exact, b: Exact): Exact {
  const sum = signed(a) * b.denominator + signed(b) * a.denominator;
  return { negative: sum < 0n, numerator: sum < 0n ? -sum : sum, denominator: a.denominator * b.denominator, more: false };
}

export function multiply(a: Exact, b: Exact): Exact {
  return { negative: a.negative !== b.negative, numerator: a.numerator * b.numerator, denominator: a.denominator * b.denominator, more: a.more || b.more };
}

export function divide(a: Exact, b: Exact): Exact {
  return { negative: a.negative !== b.negative, numerator: a.numerator * b.denominator, denominator: a.denominator * b.numerator, more: a.more || b.more };
}

/** The root of a positive number, to more places than any format has. */
export function squareRoot({ numerator, denominator }: Exact): Exact {
  const places = 200n;
  const radicand = (numerator * denominator) << (2n * places);
  const root = integerRoot(radicand);
  return { negative: false, numerator: root, denominator: denominator << places, more: root * root !== radicand };
}

/** The largest whole number whose square is no larger (Newton's method from above). */
function integerRoot(radicand: bigint): bigint {
  let root = 1n << BigInt(Math.ceil((radicand.toString(16).length * 4) / 2));
  for (;;) {
    const next = (root + radicand / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** Negative, 0 or positive. */
export function compare(a: Exact, b: Exact): number {
  const difference = signed(a) * b.denominator - signed(b) * a.denominator;
  return difference < 0n ? -1 : Number(difference > 0n);
}

const signed = ({ negative, numerator }: Exact): bigint => (negative ? -numerator : numerator);
