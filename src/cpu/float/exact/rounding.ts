/** The one rounding of every format (IEEE 754-2008, clause 4). */

import { exact, type Exact } from './number.ts';

/** As both control registers encode them. */
export const MODE = { nearest: 0, down: 1, up: 2, toZero: 3 } as const;

/** Exceptions and condition code C1, where MXCSR and x87's status word have them. */
export const FLAG = { invalid: 1, denormal: 2, divideByZero: 4, overflow: 8, underflow: 16, inexact: 32, c1: 0x200 } as const;

export interface Rounded {
  readonly whole: bigint;
  readonly inexact: boolean;
  /** Its magnitude is larger than what was rounded. */
  readonly up: boolean;
}

/** A number to a whole one. */
export function roundToWhole({ negative, numerator, denominator, more }: Exact, mode: number): Rounded {
  const whole = numerator / denominator;
  const rest = numerator % denominator;
  const inexact = rest !== 0n || more;
  const half = 2n * rest - denominator;
  const nearer = half > 0n || (half === 0n && (more || whole % 2n === 1n));
  const up = inexact && (mode === MODE.nearest ? nearer : mode === (negative ? MODE.down : MODE.up));
  return { whole: whole + BigInt(up), inexact, up };
}

/** The power of 2 at or below a number that is not zero. */
export function exponentOf({ numerator, denominator }: Exact): number {
  const estimate = bitLength(numerator) - bitLength(denominator);
  const [top, bottom] = estimate >= 0 ? [numerator, denominator << BigInt(estimate)] : [numerator << BigInt(-estimate), denominator];
  return top >= bottom ? estimate : estimate - 1;
}

export function bitLength(value: bigint): number {
  const hex = value.toString(16);
  return hex.length * 4 - Math.clz32(parseInt(hex[0] ?? '0', 16)) + 28;
}

export interface RoundedNumber extends Rounded {
  /** The number is whole · 2^power. */
  readonly power: number;
  /** The power of 2 at or below the rounded number. */
  readonly exponent: number;
}

/** To so many bits, or fewer so that no place is below `least`, a power of 2. */
export function roundToPrecision(value: Exact, precision: number, mode: number, least = -Infinity): RoundedNumber {
  const power = Math.max(exponentOf(value) - precision + 1, least);
  const shift = BigInt(Math.abs(power));
  const scaled = power >= 0 ? { ...value, denominator: value.denominator << shift } : { ...value, numerator: value.numerator << shift };
  const rounded = roundToWhole(scaled, mode);
  const exponent = rounded.whole === 0n ? power : exponentOf(exact(false, rounded.whole, power));
  return { ...rounded, power, exponent };
}
