/** The pure operations of a builder, as WebAssembly. */

import type { Binary, Compare, Unary, Value, Width } from '../builder.ts';
import { helpers, type Helper, type HelperName } from '../helpers.ts';
import type { Code } from '../wasm/code.ts';
import { emitted, pushValue, typeOf, valueOf } from './value.ts';

const binaryNames: Readonly<Record<Binary, string>> = {
  add: 'add', sub: 'sub', mul: 'mul', and: 'and', or: 'or', xor: 'xor', shl: 'shl', shr: 'shr_u', sar: 'shr_s', rotl: 'rotl', rotr: 'rotr',
};
const compareNames: Readonly<Record<Compare, string>> = { eq: 'eq', ne: 'ne', ltU: 'lt_u', ltS: 'lt_s', leU: 'le_u', leS: 'le_s' };

const vectorLogic: Partial<Record<Binary, string>> = { and: 'v128.and', or: 'v128.or', xor: 'v128.xor' };

const laneShape = { 8: 'i8x16', 16: 'i16x8', 32: 'i32x4', 64: 'i64x2' } as const;

const mask = (width: number): bigint => (1n << BigInt(width)) - 1n;

export abstract class Arithmetic {
  readonly code: Code;

  constructor(code: Code) {
    this.code = code;
  }

  constant(width: Width, value: number | bigint): Value {
    return valueOf({ width, constant: BigInt.asUintN(width, BigInt(value)) });
  }

  /** The result of what `emit` leaves on the stack. */
  protected keep(width: Width, emit: (code: Code) => void): Value {
    emit(this.code);
    const local = this.code.local(typeOf(width));
    this.code.set(local);
    return valueOf({ width, local });
  }

  binary(operation: Binary, x: Value, y: Value): Value {
    const { width } = x;
    if (y.width !== width) throw new Error(`${operation} of ${width} and ${y.width} bits`);
    const [left, right] = [emitted(x), emitted(y)];
    // Adding or shifting by nothing is common where an encoding has the number.
    if ('constant' in right && right.constant === 0n && operation !== 'mul' && operation !== 'and') return x;
    if ('constant' in left && 'constant' in right && (operation === 'add' || operation === 'sub')) {
      return this.constant(width, operation === 'add' ? left.constant + right.constant : left.constant - right.constant);
    }
    if (width === 128) return this.keep(128, (code) => pushValue(pushValue(code, x), y).op(vectorName(operation)));
    if (width < 32 && (operation === 'rotl' || operation === 'rotr')) return this.#rotateNarrow(operation, x, y);
    const wide = width < 32 && operation === 'sar' ? this.signExtend(x, 32) : x;
    const result = this.keep(width, (code) => {
      pushValue(pushValue(code, wide), y).op(`${typeOf(width)}.${binaryNames[operation]}`);
      if (width < 32 && !['and', 'or', 'xor', 'shr'].includes(operation)) code.i32(Number(mask(width))).op('i32.and');
    });
    return result;
  }

  #rotateNarrow(operation: 'rotl' | 'rotr', x: Value, y: Value): Value {
    const size = this.constant(x.width, x.width);
    const [left, right] = operation === 'rotl' ? ['shl', 'shr'] as const : ['shr', 'shl'] as const;
    // A shift by the whole width, for a count of 0, has to give zero: 32 bits have room for that.
    const rest = this.binary('sub', size, y);
    return this.binary('or', this.binary(left, x, y), this.binary(right, x, rest));
  }

  unary(operation: Unary, x: Value): Value {
    const { width } = x;
    const type = typeOf(width);
    switch (operation) {
      case 'not':
        return width === 128 ? this.keep(128, (code) => pushValue(code, x).op('v128.not')) : this.binary('xor', x, this.constant(width, -1));
      case 'neg':
        return this.binary('sub', this.constant(width, 0), x);
      case 'popcnt':
        return this.keep(width, (code) => pushValue(code, x).op(`${type}.popcnt`));
      case 'clz': {
        const count = this.keep(width, (code) => pushValue(code, x).op(`${type}.clz`));
        return width < 32 ? this.keep(width, (code) => pushValue(code, count).i32(32 - width).op('i32.sub')) : count;
      }
      case 'ctz':
        // Bits above a narrow value stop the count at its width.
        return this.keep(width, (code) => {
          pushValue(code, x);
          if (width < 32) code.i32(1 << width).op('i32.or');
          code.op(`${type}.ctz`);
        });
      case 'bswap':
        return this.#swapBytes(x);
      default:
        return operation satisfies never;
    }
  }

  #swapBytes(x: Value): Value {
    const { width } = x;
    const shifted = (value: Value, by: number, bits: bigint): Value => {
      const count = this.constant(width, by);
      const low = this.constant(width, bits);
      return this.binary('or', this.binary('and', this.binary('shr', value, count), low), this.binary('shl', this.binary('and', value, low), count));
    };
    let value = shifted(x, 8, 0x00ff00ff00ff00ffn);
    if (width >= 32) value = shifted(value, 16, 0x0000ffff0000ffffn);
    return width === 64 ? shifted(value, 32, 0x00000000ffffffffn) : value;
  }

  compare(operation: Compare, x: Value, y: Value): Value {
    const signed = operation.endsWith('S') && x.width < 32;
    const [left, right] = signed ? [this.signExtend(x, 32), this.signExtend(y, 32)] : [x, y];
    return this.keep(1, (code) => pushValue(pushValue(code, left), right).op(`${typeOf(x.width)}.${compareNames[operation]}`));
  }

  select(condition: Value, yes: Value, no: Value): Value {
    return this.keep(yes.width, (code) => {
      pushValue(pushValue(pushValue(code, yes), no), condition);
      code.op('select');
    });
  }

  zeroExtend(x: Value, width: Width): Value {
    const it = emitted(x);
    if (x.width === width) return x;
    if ('constant' in it) return this.constant(width, it.constant);
    if (typeOf(x.width) === typeOf(width)) return valueOf({ width, local: it.local });
    if (width === 128) return this.keep(128, (code) => pushValue(code.v128(0n), this.zeroExtend(x, 64)).lane('i64x2.replace_lane', 0));
    return this.keep(width, (code) => pushValue(code, x).op('i64.extend_i32_u'));
  }

  signExtend(x: Value, width: Width): Value {
    const it = emitted(x);
    if (x.width === width) return x;
    if ('constant' in it) return this.constant(width, BigInt.asIntN(x.width, it.constant));
    if (x.width === 1) return this.binary('sub', this.constant(width, 0), this.zeroExtend(x, width));
    return this.keep(width, (code) => {
      pushValue(code, x);
      if (x.width < 32) code.op(`i32.extend${x.width}_s`);
      if (width === 64) code.op('i64.extend_i32_s');
      else if (width < 32) code.i32(Number(mask(width))).op('i32.and');
    });
  }

  truncate(x: Value, width: Width): Value {
    const it = emitted(x);
    if (x.width === width) return x;
    if ('constant' in it) return this.constant(width, it.constant);
    if (x.width === 128) return this.truncate(this.keep(64, (code) => pushValue(code, x).lane('i64x2.extract_lane', 0)), width);
    return this.keep(width, (code) => {
      pushValue(code, x);
      if (x.width === 64) code.op('i32.wrap_i64');
      if (width < 32) code.i32(Number(mask(width))).op('i32.and');
    });
  }

  /** By halves of 32 bits, since WebAssembly has no product of 128. */
  mulHigh(x: Value, y: Value, signed: boolean): Value {
    const half = this.constant(64, 32);
    const low = (value: Value): Value => this.binary('and', value, this.constant(64, mask(32)));
    const high = (value: Value): Value => this.binary('shr', value, half);
    const times = (a: Value, b: Value): Value => this.binary('mul', a, b);
    const first = this.binary('add', times(high(x), low(y)), high(times(low(x), low(y))));
    const second = this.binary('add', times(low(x), high(y)), low(first));
    const unsigned = this.binary('add', times(high(x), high(y)), this.binary('add', high(first), high(second)));
    if (!signed) return unsigned;
    const ifNegative = (a: Value, b: Value): Value => this.binary('and', this.binary('sar', a, this.constant(64, 63)), b);
    return this.binary('sub', this.binary('sub', unsigned, ifNegative(x, y)), ifNegative(y, x));
  }

  vector(operation: string, ...values: Value[]): Value {
    const width = /bitmask|any_true|all_true/.test(operation) ? 32 : 128;
    return this.keep(width, (code) => {
      for (const value of values) pushValue(code, value);
      code.op(operation);
    });
  }

  extractLane(vector: Value, width: 8 | 16 | 32 | 64, lane: number): Value {
    return this.keep(width, (code) => pushValue(code, vector).lane(`${laneShape[width]}.extract_lane${width < 32 ? '_u' : ''}`, lane));
  }

  replaceLane(vector: Value, lane: number, value: Value): Value {
    const shape = laneShape[value.width as keyof typeof laneShape];
    return this.keep(128, (code) => pushValue(pushValue(code, vector), value).lane(`${shape}.replace_lane`, lane));
  }

  shuffle(x: Value, y: Value, bytes: readonly number[]): Value {
    return this.keep(128, (code) => pushValue(pushValue(code, x), y).shuffle(bytes));
  }

  call(helper: HelperName, ...values: Value[]): Value {
    const { result, parameters, inline, emitted: whole }: Helper = helpers[helper];
    parameters.forEach((width, at) => {
      if (values[at]?.width !== width) throw new Error(`${helper} wants ${width} bits, not ${values[at]?.width}`);
    });
    return this.keep(result, (code) => {
      for (const value of values) {
        if (value.width === 128 && whole !== true) pushHalves(code, value);
        else pushValue(code, value);
      }
      if (inline === undefined) code.call(this.helperFunction(helper));
      else code.op(inline);
      if (result === 128 && whole !== true) joinHalves(code);
    });
  }

  /** The number of the function that does what a helper does. */
  protected abstract helperFunction(helper: HelperName): number;
}

function pushHalves(code: Code, value: Value): void {
  pushValue(code, value).lane('i64x2.extract_lane', 0);
  pushValue(code, value).lane('i64x2.extract_lane', 1);
}

/** Of two words on the stack, the upper one on top, makes a vector. */
function joinHalves(code: Code): void {
  const high = code.local('i64');
  code.set(high).op('i64x2.splat').get(high).lane('i64x2.replace_lane', 1);
}

function vectorName(operation: Binary): string {
  const name = vectorLogic[operation];
  if (name === undefined) throw new Error(`${operation} of vectors`);
  return name;
}
