/**
 * Pure functions that meanings call by name because writing them out would take too much room. Each has its definition on bigints, which the
 * oracle uses; the emitter takes `inline` or a faster twin where there is one, and else calls the definition.
 */

import type { Width } from './builder.ts';
import * as crypto from './crypto.ts';
import { compareTexts, textLength } from './text-compare.ts';
import { vectorFloatHelpers } from './vector-float.ts';

export interface Helper {
  readonly parameters: readonly Width[];
  readonly result: Width;
  /** On unsigned values of those widths. */
  compute(...values: bigint[]): bigint;
  /** The same as one WebAssembly instruction. */
  readonly inline?: string;
  /** The same is a function of emitted WebAssembly (emit/vector-float.ts, emit/division.ts), which takes vectors as they are. */
  readonly emitted?: true;
}

const signed = (value: bigint): bigint => BigInt.asIntN(64, value);

/** RDX:RAX and the divisor to quotient and remainder, rounded towards zero. */
const unsignedDivision = (high: bigint, low: bigint, divisor: bigint): [bigint, bigint] => {
  const dividend = (high << 64n) | low;
  return [dividend / divisor, dividend % divisor];
};

const signedDivision = (high: bigint, low: bigint, divisor: bigint): [bigint, bigint] => {
  const dividend = (signed(high) << 64n) | low;
  return [dividend / signed(divisor), dividend % signed(divisor)];
};

const division = (compute: Helper['compute'], result: Width = 64): Helper => ({ parameters: [64, 64, 64], result, emitted: true, compute });
const ofTwo = (inline: string, compute: (x: bigint, y: bigint) => bigint): Helper => (
  { parameters: [64, 64], result: 64, inline, compute: (x = 0n, y = 0n) => BigInt.asUintN(64, compute(x, y)) }
);

const ofVectors = (compute: (x: bigint, y: bigint) => bigint): Helper => ({ parameters: [128, 128], result: 128, compute: (x = 0n, y = 0n) => compute(x, y) });

/** Reflected, with the polynomial 11EDC6F41h (SDM volume 2, CRC32). */
function crc32(before = 0n, value = 0n, bits = 0n): bigint {
  let sum = before ^ (value & 0xffffffffn);
  for (let done = 0n; done < bits; done++) {
    if (done === 32n) sum ^= value >> 32n;
    sum = sum & 1n ? (sum >> 1n) ^ 0x82f63b78n : sum >> 1n;
  }
  return sum;
}

export const helpers = {
  div_u: ofTwo('i64.div_u', (x, y) => x / y),
  rem_u: ofTwo('i64.rem_u', (x, y) => x % y),
  div_s: ofTwo('i64.div_s', (x, y) => signed(x) / signed(y)),
  rem_s: ofTwo('i64.rem_s', (x, y) => signed(x) % signed(y)),
  divideOverflows: division((high = 0n, low = 0n, divisor = 0n) => (unsignedDivision(high, low, divisor)[0] >> 64n ? 1n : 0n), 32),
  quotient: division((high = 0n, low = 0n, divisor = 0n) => BigInt.asUintN(64, unsignedDivision(high, low, divisor)[0])),
  remainder: division((high = 0n, low = 0n, divisor = 0n) => BigInt.asUintN(64, unsignedDivision(high, low, divisor)[1])),
  divideOverflowsSigned: division((high = 0n, low = 0n, divisor = 0n) => {
    const [quotient] = signedDivision(high, low, divisor);
    return signed(quotient) === quotient ? 0n : 1n;
  }, 32),
  quotientSigned: division((high = 0n, low = 0n, divisor = 0n) => BigInt.asUintN(64, signedDivision(high, low, divisor)[0])),
  remainderSigned: division((high = 0n, low = 0n, divisor = 0n) => BigInt.asUintN(64, signedDivision(high, low, divisor)[1])),
  /** CRC-32C: the sum so far, the bits that come in, how many of them. */
  crc32: { parameters: [32, 64, 32], result: 32, compute: crc32 },
  ...vectorFloatHelpers,
  aesEncrypt: ofVectors((state, key) => crypto.aesEncrypt(state, key, false)),
  aesEncryptLast: ofVectors((state, key) => crypto.aesEncrypt(state, key, true)),
  aesDecrypt: ofVectors((state, key) => crypto.aesDecrypt(state, key, false)),
  aesDecryptLast: ofVectors((state, key) => crypto.aesDecrypt(state, key, true)),
  aesInverseMix: { parameters: [128], result: 128, compute: (key = 0n) => crypto.aesInverseMix(key) },
  aesKey: { parameters: [128, 32], result: 128, compute: (key = 0n, constant = 0n) => crypto.aesKey(key, constant) },
  carrylessProduct: { parameters: [64, 64], result: 128, compute: (a = 0n, b = 0n) => crypto.carrylessProduct(a, b) },
  sha1Four: { parameters: [128, 128, 32], result: 128, compute: (state = 0n, message = 0n, number = 0n) => crypto.sha1Four(state, message, number) },
  sha1NextE: ofVectors(crypto.sha1NextE),
  sha1Message1: ofVectors(crypto.sha1Message1),
  sha1Message2: ofVectors(crypto.sha1Message2),
  sha256Two: { parameters: [128, 128, 128], result: 128, compute: (cdgh = 0n, abef = 0n, message = 0n) => crypto.sha256Two(cdgh, abef, message) },
  sha256Message1: ofVectors(crypto.sha256Message1),
  sha256Message2: ofVectors(crypto.sha256Message2),
  /** Two texts, their lengths, the control byte. */
  compareTexts: {
    parameters: [128, 128, 32, 32, 32], result: 32,
    compute: (first = 0n, second = 0n, firstLength = 0n, secondLength = 0n, control = 0n) => compareTexts(first, second, firstLength, secondLength, control),
  },
  /** Of a text that ends with zero; whether it has words. */
  textLength: { parameters: [128, 32], result: 32, compute: (text = 0n, wide = 0n) => textLength(text, wide) },
} satisfies Record<string, Helper>;

export type HelperName = keyof typeof helpers;
