/** The pure operations of a builder on bigints: as short and as slow as they come, so that nothing can hide in them. */

import type { Binary, Compare, Unary, Value, Width } from '../builder.ts';
import { helpers, type Helper, type HelperName } from '../helpers.ts';
import { vectorOperation } from './vector.ts';

/** A value that is there: unsigned, below 2^width. */
export interface Known extends Value {
  readonly bits: bigint;
}

export const bitsOf = (value: Value): bigint => (value as Known).bits;

export const known = (width: Width, bits: bigint): Known => ({ width, bits: BigInt.asUintN(width, bits) });

export const signedOf = (value: Value): bigint => BigInt.asIntN(value.width, bitsOf(value));

const ones = (x: bigint): number => x.toString(2).replaceAll('0', '').length;

export abstract class ExactArithmetic {
  constant(width: Width, value: number | bigint): Value {
    return known(width, BigInt(value));
  }

  binary(operation: Binary, x: Value, y: Value): Value {
    if (x.width !== y.width) throw new Error(`${operation} of ${x.width} and ${y.width} bits`);
    const [a, b, width] = [bitsOf(x), bitsOf(y), BigInt(x.width)];
    if (/sh|sar|rot/.test(operation) && b >= width) throw new Error(`${operation} of ${width} bits by ${b}`);
    switch (operation) {
      case 'add': return known(x.width, a + b);
      case 'sub': return known(x.width, a - b);
      case 'mul': return known(x.width, a * b);
      case 'and': return known(x.width, a & b);
      case 'or': return known(x.width, a | b);
      case 'xor': return known(x.width, a ^ b);
      case 'shl': return known(x.width, a << b);
      case 'shr': return known(x.width, a >> b);
      case 'sar': return known(x.width, signedOf(x) >> b);
      case 'rotl': return known(x.width, (a << b) | (a >> (width - b)));
      case 'rotr': return known(x.width, (a >> b) | (a << (width - b)));
      default: return operation satisfies never;
    }
  }

  unary(operation: Unary, x: Value): Value {
    const a = bitsOf(x);
    switch (operation) {
      case 'not': return known(x.width, ~a);
      case 'neg': return known(x.width, -a);
      case 'popcnt': return known(x.width, BigInt(ones(a)));
      case 'clz': return known(x.width, BigInt(x.width - (a === 0n ? 0 : a.toString(2).length)));
      case 'ctz': return known(x.width, BigInt(a === 0n ? x.width : (a & -a).toString(2).length - 1));
      case 'bswap': return known(x.width, BigInt(`0x${(a.toString(16).padStart(x.width / 4, '0').match(/../g) ?? []).toReversed().join('')}`));
      default: return operation satisfies never;
    }
  }

  compare(operation: Compare, x: Value, y: Value): Value {
    const [a, b] = operation.endsWith('S') ? [signedOf(x), signedOf(y)] : [bitsOf(x), bitsOf(y)];
    const holds = { eq: a === b, ne: a !== b, ltU: a < b, ltS: a < b, leU: a <= b, leS: a <= b }[operation];
    return known(1, holds ? 1n : 0n);
  }

  select(condition: Value, yes: Value, no: Value): Value {
    if (yes.width !== no.width) throw new Error(`a choice of ${yes.width} and ${no.width} bits`);
    return bitsOf(condition) === 1n ? yes : no;
  }

  zeroExtend(x: Value, width: Width): Value {
    return known(width, bitsOf(x));
  }

  signExtend(x: Value, width: Width): Value {
    return known(width, signedOf(x));
  }

  truncate(x: Value, width: Width): Value {
    return known(width, bitsOf(x));
  }

  mulHigh(x: Value, y: Value, signed: boolean): Value {
    const product = signed ? signedOf(x) * signedOf(y) : bitsOf(x) * bitsOf(y);
    return known(x.width, product >> BigInt(x.width));
  }

  vector(operation: string, ...values: Value[]): Value {
    const width = /bitmask|any_true|all_true/.test(operation) ? 32 : 128;
    return known(width, vectorOperation(operation, values.map(bitsOf)));
  }

  extractLane(vector: Value, width: 8 | 16 | 32 | 64, lane: number): Value {
    return known(width, bitsOf(vector) >> BigInt(width * lane));
  }

  replaceLane(vector: Value, lane: number, value: Value): Value {
    const place = BigInt(value.width * lane);
    const hole = ((1n << BigInt(value.width)) - 1n) << place;
    return known(128, (bitsOf(vector) & ~hole) | (bitsOf(value) << place));
  }

  shuffle(x: Value, y: Value, bytes: readonly number[]): Value {
    const both = bitsOf(x) | (bitsOf(y) << 128n);
    return known(128, bytes.reduce((sum, from, to) => sum | (((both >> BigInt(8 * from)) & 0xffn) << BigInt(8 * to)), 0n));
  }

  call(helper: HelperName, ...values: Value[]): Value {
    const { result, compute }: Helper = helpers[helper];
    return known(result, compute(...values.map(bitsOf)));
  }
}
