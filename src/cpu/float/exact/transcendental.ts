/**
 * x87's transcendental instructions, by power series on 256 bits behind the point: far more than a result has, so that it is rounded rightly but for one
 * case in 2^180. Silicon promises one unit of the last place only; what it does with flags and at the corners is here as AMD's processors have it.
 */

import { add, divide, exact, F80, infinity, multiply, zero, type Decoded, type Exact } from './number.ts';
import { exponentOf, FLAG, roundToWhole } from './rounding.ts';
import { CODE, encodeExtended, invalid, ofOne, ofTwo, plain, shown, type X87Operation, type X87Outcome } from './x87.ts';

const places = 256n;
const ONE = 1n << places;

const whole = (value: number): Exact => exact(value < 0, BigInt(Math.abs(value)), 0);
const negated = (value: Exact): Exact => ({ ...value, negative: !value.negative });
/** As a fixed-point number, signed. */
const fixed = ({ negative, numerator, denominator }: Exact): bigint => ((negative ? -numerator : numerator) << places) / denominator;
/** What a fixed-point number stands for, if it is not quite exact. */
const unfixed = (value: bigint): Exact => exact(value < 0n, value < 0n ? -value : value, -Number(places), true);
const times = (a: bigint, b: bigint): bigint => (a * b) >> places;

/** 1 + the terms that follow from one another, until they vanish. What is below 1 by less than can be told, is told to be. */
function series(next: (term: bigint, index: bigint) => bigint): bigint {
  let sum = ONE;
  for (let [term, index] = [ONE, 1n]; ; index++) {
    term = next(term, index);
    if (term === 0n || term === -1n) break;
    sum += term;
  }
  return sum;
}

/** A result below its leading factor, however little. */
const below = (unit: bigint): bigint => (unit === ONE ? ONE - 1n : unit);

/** sin r / r and cos r, of z = r². */
const sineUnit = (z: bigint): bigint => below(series((term, k) => -times(term, z) / (2n * k * (2n * k + 1n))));
const cosineUnit = (z: bigint): bigint => below(series((term, k) => -times(term, z) / ((2n * k - 1n) * 2n * k)));
/** (e^u - 1) / u. */
const exponentialUnit = (u: bigint): bigint => (u < 0n ? below : (unit: bigint) => unit)(series((term, k) => times(term, u) / (k + 1n)));

/** 1 ± z/3 + z²/5 ± ... */
function oddReciprocals(z: bigint, sign: bigint): bigint {
  let [sum, power] = [ONE, ONE];
  for (let k = 1n; power !== 0n; k++) {
    power = times(power, z);
    sum += (k % 2n === 0n ? 1n : sign) * (power / (2n * k + 1n));
  }
  return sum;
}

const arctangentUnit = (z: bigint): bigint => below(oddReciprocals(z, -1n));
const areaTangentUnit = (z: bigint): bigint => oddReciprocals(z, 1n);

const arctangentOfInverse = (n: bigint): bigint => oddReciprocals(ONE / (n * n), -1n) / n;
/** By Machin's formula. */
const PI = 4n * (4n * arctangentOfInverse(5n) - arctangentOfInverse(239n));
/** 2 artanh 1/3. */
const LN2 = (2n * areaTangentUnit(ONE / 9n)) / 3n;
/** The half turn that arguments are reduced by has 66 bits (SDM volume 1, 8.3.8). */
const quarterTurn = exact(false, 0x3_243f6a8885a308d3n, -65);

function squareOf(value: Exact): bigint {
  return fixed(multiply(value, value));
}

interface Reduced {
  readonly left: Exact;
  readonly quarters: bigint;
}

function reduced(value: Exact): Reduced {
  const { whole: count } = roundToWhole({ ...divide(value, quarterTurn), negative: false }, 0);
  const quarters = value.negative ? -count : count;
  return { left: add(value, negated(multiply(exact(value.negative, count, 0), quarterTurn))), quarters: BigInt.asUintN(2, quarters) };
}

const sineOf = (left: Exact): Exact => multiply(left, unfixed(sineUnit(squareOf(left))));
const cosineOf = (left: Exact): Exact => unfixed(cosineUnit(squareOf(left)));

/** Sine, or with `shift` 1 cosine. */
function turned(value: Exact, shift: bigint): Exact {
  const { left, quarters } = reduced(value);
  const place = quarters + shift;
  const result = place % 2n === 1n ? cosineOf(left) : sineOf(left);
  return (place & 2n) === 0n ? result : negated(result);
}

function tangent(value: Exact): Exact {
  const { left, quarters } = reduced(value);
  if (quarters % 2n === 1n) return negated(divide(cosineOf(left), sineOf(left)));
  return exponentOf(left) < -70 ? { ...left, more: true } : divide(sineOf(left), cosineOf(left));
}

type Trigonometric = (value: Exact) => Exact;

/** @param ofZero what zero gives; infinities are invalid, and beyond 2^63 the argument comes back with C2 */
function trigonometric(meaning: Trigonometric, ofZero: (a: Decoded) => bigint): X87Operation {
  return ofOne((a) => {
    if (a.kind === 'infinity') return invalid;
    if (a.kind === 'zero') return plain(ofZero(a));
    return exponentOf(a.value) >= 63 ? { result: a.bits, flags: CODE.c2 } : meaning(a.value);
  });
}

const one = 0x3fffn << 64n | 1n << 63n;

function power2Minus1(a: Decoded): X87Outcome | Exact {
  if (a.kind === 'infinity') return plain(a.negative ? one | 1n << 79n : a.bits);
  if (a.kind === 'zero') return plain(a.bits);
  if (exponentOf(a.value) >= 0) return { result: a.bits === (one | 1n << 79n) ? a.bits - (1n << 64n) : a.bits, flags: FLAG.inexact };
  const exponent = multiply(a.value, unfixed(LN2));
  return multiply(exponent, unfixed(exponentialUnit(fixed(exponent))));
}

/** log2 of (1 + s) / (1 - s). */
const logOfRatio = (s: Exact): Exact => divide(multiply(multiply(s, whole(2)), unfixed(areaTangentUnit(squareOf(s)))), unfixed(LN2));

function log2(value: Exact): Exact {
  let power = exponentOf(value);
  let mantissa = multiply(value, exact(false, 1n, -power));
  if (mantissa.numerator * mantissa.numerator > 2n * mantissa.denominator * mantissa.denominator) {
    power += 1;
    mantissa = multiply(mantissa, exact(false, 1n, -1));
  }
  const s = divide(add(mantissa, whole(-1)), add(mantissa, whole(1)));
  if (s.numerator === 0n) return whole(power);
  const logarithm = logOfRatio(s);
  return power === 0 ? logarithm : { ...add(whole(power), logarithm), more: true };
}

/** y · log. An exact product is told to be inexact, too. */
function timesLog(logarithm: Exact, y: Exact, control: number): X87Outcome {
  const { result, flags } = encodeExtended(multiply(logarithm, y), 64, control);
  const tiny = (result >> 64n & 0x7fffn) === 0n ? FLAG.underflow : 0;
  return { result, flags: flags | FLAG.inexact | tiny };
}

function yLog2x(x: Decoded, y: Decoded, control: number): X87Outcome {
  if (x.negative && x.kind !== 'zero') return invalid;
  if (x.kind === 'zero') {
    if (y.kind === 'zero') return invalid;
    return { result: infinity(F80, !y.negative), flags: y.kind === 'infinity' ? 0 : FLAG.divideByZero };
  }
  if (x.kind === 'infinity') return y.kind === 'zero' ? invalid : plain(infinity(F80, y.negative));
  const minus = y.negative !== x.bits < one;
  if (y.kind === 'infinity') return x.bits === one ? invalid : plain(infinity(F80, minus));
  return y.kind === 'zero' || x.bits === one ? plain(zero(F80, minus)) : timesLog(log2(x.value), y.value, control);
}

function yLog2xPlus1(x: Decoded, y: Decoded, control: number): X87Outcome {
  const minus = x.negative !== y.negative;
  if (x.kind === 'infinity') return x.negative || y.kind === 'zero' ? invalid : plain(infinity(F80, minus));
  if (y.kind === 'infinity') return x.kind === 'zero' ? invalid : plain(infinity(F80, minus));
  if (x.kind === 'zero' || y.kind === 'zero') return plain(zero(F80, minus));
  const exponent = exponentOf(x.value);
  if (x.negative && exponent >= 0) return { result: x.bits, flags: FLAG.inexact };
  const small = exponent < -2 && !x.value.more;
  return timesLog(small ? logOfRatio(divide(x.value, add(x.value, whole(2)))) : log2(add(x.value, whole(1))), y.value, control);
}

/** atan of a positive number of at most 1. A larger tangent is halved three times: tan φ/2 is t / (1 + √(1 + t²)). */
function arctangentOf(t: Exact): Exact {
  if (exponentOf(t) < -4) return multiply(t, unfixed(arctangentUnit(squareOf(t))));
  let half = fixed(t);
  for (let at = 0; at < 3; at++) half = (half << places) / (ONE + integerRoot((ONE + times(half, half)) << places));
  return unfixed(8n * times(half, arctangentUnit(times(half, half))));
}

function integerRoot(radicand: bigint): bigint {
  let root = ONE * 2n;
  for (let next = (root + radicand / root) >> 1n; next < root; next = (root + radicand / root) >> 1n) root = next;
  return root;
}

const ofPi = (quarters: number): Exact => unfixed((BigInt(quarters) * PI) >> 2n);

function arctangent(x: Decoded, y: Decoded): X87Outcome | Exact {
  const signed = (value: Exact): Exact => ({ ...value, negative: y.negative, more: true });
  if (x.kind === 'infinity' || y.kind === 'infinity' || x.kind === 'zero' || y.kind === 'zero') {
    const steep = y.kind === 'infinity' ? (x.kind === 'infinity' ? 1 : 2) : x.kind === 'zero' && y.kind !== 'zero' ? 2 : 0;
    const quarters = x.negative && steep !== 2 ? 4 - steep : steep;
    return quarters === 0 ? plain(zero(F80, y.negative)) : signed(ofPi(quarters));
  }
  const [width, height] = [{ ...x.value, negative: false }, { ...y.value, negative: false }];
  const steep = height.numerator * width.denominator > width.numerator * height.denominator;
  const angle = arctangentOf(steep ? divide(width, height) : divide(height, width));
  if (!steep) return signed(x.negative ? add(ofPi(4), negated(angle)) : angle);
  return signed(add(ofPi(2), x.negative ? angle : negated(angle)));
}

/** By the names of build/float.wasm's exports; as `x87` of x87.ts. */
export const transcendental: Readonly<Record<string, X87Operation>> = shown({
  power2F80: ofOne(power2Minus1), yLog2xF80: ofTwo(yLog2x), yLog2xPlus1F80: ofTwo(yLog2xPlus1), arctangentF80: ofTwo(arctangent),
  sineF80: trigonometric((value) => turned(value, 0n), ({ bits }) => bits), cosineF80: trigonometric((value) => turned(value, 1n), () => one),
  tangentF80: trigonometric(tangent, ({ bits }) => bits),
});
