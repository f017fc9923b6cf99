import type { Random } from '../../fuzz/support/generator.ts';

export type Kind = 'f32' | 'f64' | 'f80' | 'i16' | 'i32' | 'i64' | 'bcd';

/** Fraction bits and bias. An f80's fraction is what stands below its explicit one. */
const formats = { f32: [23, 127], f64: [52, 1023], f80: [63, 16383] } as const;

function bits(random: Random, count: number): bigint {
  let value = 0n;
  for (let at = 0; at < count; at += 32) value = value << 32n | BigInt(random(0x1_0000_0000));
  return BigInt.asUintN(count, value);
}

/** A fraction with many ties, carries and near misses among them. */
function fraction(random: Random, width: number): bigint {
  const all = bits(random, width);
  const full = (1n << BigInt(width)) - 1n;
  const at = BigInt(random(width));
  switch (random(9)) {
    case 0: return 0n;
    case 1: return 1n << at;
    case 2: return full;
    case 3: return full & ~(1n << at);
    case 4: return all >> at;
    case 5: return all >> at << at;
    case 6: return full >> at << at;
    case 7: return BigInt(random(4));
    default: return all;
  }
}

/** An exponent field: the edges of the format, the neighbourhood of one, that of another exponent, or any. */
function exponentField(random: Random, bias: number, near: number): number {
  const last = 2 * bias + 1;
  const edges = [random(3), last - random(3), bias - 1 + random(3)];
  const any = [...edges, bias - 66 + random(132), near - 3 + random(7), Math.floor(bias / 2) + random(5), random(last + 1)];
  return Math.min(last, Math.max(0, any[random(any.length)] ?? 0));
}

/** An encoding; of an f80 also those that the processor refuses. `near` is another operand whose exponent it likes to have. */
export function operand(kind: Kind, random: Random, near: bigint | undefined): bigint {
  if (kind === 'bcd') return decimal(random);
  if (kind === 'i16' || kind === 'i32' || kind === 'i64') return integer(random, Number(kind.slice(1)));
  const [width, bias] = formats[kind];
  const significandBits = kind === 'f80' ? width + 1 : width;
  const nearField = near === undefined ? bias : Number(near >> BigInt(significandBits)) & (2 * bias + 1);
  const sign = BigInt(random(2));
  const exponent = exponentField(random, bias, nearField);
  const explicit = kind === 'f80' ? BigInt(random(16) === 0 ? random(2) : Math.min(1, exponent)) << 63n : 0n;
  // Now and then the other's digits: equal numbers, quotients of 1, NaNs that differ in sign.
  const digits = near !== undefined && random(8) === 0 ? BigInt.asUintN(width, near) : fraction(random, width);
  return (sign * BigInt(2 * bias + 2) + BigInt(exponent)) << BigInt(significandBits) | explicit | digits;
}

function integer(random: Random, width: number): bigint {
  const value = fraction(random, width);
  return BigInt.asUintN(width, random(2) === 0 ? value : -value);
}

/** Eighteen decimal digits and a sign; digits above nine now and then. */
function decimal(random: Random): bigint {
  const digits = Array.from({ length: 18 }, () => random(random(20) === 0 ? 16 : 10));
  return BigInt(`0x${random(2) === 0 ? '00' : '80'}${digits.map((digit) => digit.toString(16)).join('')}`);
}
