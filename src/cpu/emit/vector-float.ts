/**
 * The functions of src/cpu/vector-float.ts as WebAssembly: each calls float.wasm for every lane, unless MXCSR and operands are such that the host's own
 * instruction gives the same and raises nothing that is not raised already.
 */

import { laneOperations, type LaneOperation } from '../vector-float.ts';
import { Code, type ValueType } from '../wasm/code.ts';
import { ModuleWriter } from '../wasm/module.ts';

const [x, y, mxcsr, immediate] = [0, 1, 2, 3];

/** Every exception masked, inexact raised before, to the nearest, denormals as they are: of the bits that decide, these alone. */
const deciding = 0xffe0;
const ordinary = 0x1fa0;

/** Tests on all lanes of a vector, by their bits without the sign: each leaves a mask. */
class Lanes {
  readonly #code: Code;
  readonly #shape: 'i32x4' | 'i64x2';
  readonly #wide: boolean;

  constructor(code: Code, format: 'F32' | 'F64') {
    this.#code = code;
    this.#wide = format === 'F64';
    this.#shape = this.#wide ? 'i64x2' : 'i32x4';
  }

  #splat(value: bigint): bigint {
    const lane = BigInt.asUintN(this.#wide ? 64 : 32, value);
    return this.#wide ? lane | (lane << 64n) : lane * 0x1_00000001_00000001_00000001n;
  }

  /** low <= 2 * bits < high, without a sign. */
  #between(vector: number, low: bigint, high: bigint): void {
    const top = 1n << (this.#wide ? 63n : 31n);
    // There is no comparison of 64 bits without a sign: both sides are moved.
    this.#code.get(vector).i32(1).op(`${this.#shape}.shl`).v128(this.#splat(top - low)).op(`${this.#shape}.add`);
    this.#code.v128(this.#splat(high - low + top)).op(`${this.#shape}.lt_s`);
  }

  /** Twice the bits of the smallest normal number, and of infinity. */
  get #least(): bigint {
    return this.#wide ? 1n << 53n : 1n << 24n;
  }

  get #infinity(): bigint {
    return this.#wide ? 0x7ffn << 53n : 0xffn << 24n;
  }

  normal(vector: number): void {
    this.#between(vector, this.#least, this.#infinity);
  }

  finite(vector: number): void {
    this.#between(vector, 0n, this.#infinity);
  }

  zero(vector: number): void {
    this.#code.get(vector).i32(1).op(`${this.#shape}.shl`).v128(0n).op(`${this.#shape}.eq`);
  }

  normalOrZero(vector: number): void {
    this.normal(vector);
    this.zero(vector);
    this.#code.op('v128.or');
  }

  notNegative(vector: number): void {
    this.#code.get(vector).v128(0n).op(`${this.#shape}.ge_s`);
  }

  /** Of the mask on the stack: whether it holds in the lanes that count. */
  hold(lanes: number): void {
    if (lanes === 1) this.#code.lane('i32x4.extract_lane', 0);
    else this.#code.op(`${this.#shape}.all_true`);
  }
}

type Native = (code: Code, lanes: Lanes, shape: string) => { compute: () => void; check: (result: number) => void };

const and = 'v128.and';
const or = 'v128.or';

const sum = (operation: 'add' | 'sub'): Native => (code, lanes, shape) => ({
  compute: () => code.get(x).get(y).op(`${shape}.${operation}`),
  // A sum that is denormal is exact.
  check: (result) => { lanes.normalOrZero(x); lanes.normalOrZero(y); code.op(and); lanes.finite(result); code.op(and); },
});

const extreme = (operation: 'pmin' | 'pmax'): Native => (code, lanes, shape) => ({
  // Of two that are equal the second one is wanted.
  compute: () => code.get(y).get(x).op(`${shape}.${operation}`),
  check: () => { lanes.normalOrZero(x); lanes.normalOrZero(y); code.op(and); },
});

/** What the host does, by the name of the function in float.wasm, and whether it may. */
const natives: Readonly<Record<string, Native>> = {
  add: sum('add'), subtract: sum('sub'), minimum: extreme('pmin'), maximum: extreme('pmax'),
  multiply: (code, lanes, shape) => ({
    compute: () => code.get(x).get(y).op(`${shape}.mul`),
    check: (result) => {
      lanes.normalOrZero(x); lanes.normalOrZero(y); code.op(and);
      lanes.normal(result); lanes.zero(x); code.op(or); lanes.zero(y); code.op(or, and);
    },
  }),
  divide: (code, lanes, shape) => ({
    compute: () => code.get(x).get(y).op(`${shape}.div`),
    check: (result) => { lanes.normalOrZero(x); lanes.normal(y); code.op(and); lanes.normal(result); lanes.zero(x); code.op(or, and); },
  }),
  squareRoot: (code, lanes, shape) => ({
    compute: () => code.get(y).op(`${shape}.sqrt`),
    check: () => { lanes.normalOrZero(y); lanes.notNegative(y); code.op(and); },
  }),
};

const shapeOf = { F32: 'f32x4', F64: 'f64x2' } as const;
const laneShape = { 32: 'i32x4', 64: 'i64x2' } as const;
const typeOf = { 32: 'i32', 64: 'i64' } as const;

/** The lower lane of one vector, the others of another. */
function lowest(code: Code, width: 32 | 64, from: number, rest: number): void {
  code.get(rest).get(from).lane(`${laneShape[width]}.extract_lane`, 0).lane(`${laneShape[width]}.replace_lane`, 0);
}

function fast(code: Code, { function: name, odd, lanes: count, from }: LaneOperation): void {
  const [, operation = '', format = ''] = /^(\w+)(F32|F64)$/.exec(name) ?? [];
  const native = natives[operation];
  if (native === undefined || odd !== undefined) return;
  const lanes = new Lanes(code, format as 'F32' | 'F64');
  const { compute, check } = native(code, lanes, shapeOf[format as 'F32' | 'F64']);
  const result = code.local('v128');
  code.get(mxcsr).i32(deciding).op('i32.and').i32(ordinary).op('i32.eq').if();
  compute();
  code.set(result);
  check(result);
  lanes.hold(count);
  code.if();
  if (count === 1) lowest(code, from, result, x);
  else code.get(result);
  code.op('return').end().end();
}

function slow(code: Code, operation: LaneOperation, number: (name: string) => number): void {
  const { from, to, lanes, operands, mask, plain } = operation;
  const result = code.local('v128');
  code.get(x).set(result);
  for (let at = 0; at < lanes; at++) {
    code.get(result);
    if (mask === true && to === 32) code.i32(0);
    if (mask === true && to === 64) code.i64(0n);
    if (operands === 2) code.get(x).lane(`${laneShape[from]}.extract_lane`, at);
    code.get(y).lane(`${laneShape[from]}.extract_lane`, at);
    if (operation.immediate === true) code.get(immediate);
    if (plain !== true) code.get(mxcsr);
    code.call(number(at % 2 === 0 ? operation.function : operation.odd ?? operation.function));
    if (mask === true) {
      if (to === 64) code.op('i64.extend_i32_u');
      code.op(`${typeOf[to]}.sub`);
    }
    code.lane(`${laneShape[to]}.replace_lane`, at).set(result);
  }
  code.get(result);
}

function parametersOf({ from, operands, immediate: takes, plain }: LaneOperation): ValueType[] {
  return [...Array.from({ length: operands }, () => typeOf[from]), ...(takes === true ? ['i32' as const] : []), ...(plain === true ? [] : ['i32' as const])];
}

/** Adds what was raised since it was last asked to what MXCSR has: a function of MXCSR. */
function raisedFunction(flags: number, exceptions: number): Code {
  const code = new Code(1);
  code.getGlobal(flags).op('i32.eqz').if().i32(0).op('return').end();
  code.get(0).call(exceptions).i32(0).setGlobal(flags);
  return code;
}

/** A module that imports float.wasm's exports as `float` and exports the helpers by their names. */
export function buildVectorFloat(): Uint8Array<ArrayBuffer> {
  const module = new ModuleWriter();
  const flags = module.importGlobal('float', 'flags', 'i32');
  const numbers = new Map<string, number>();
  for (const operation of Object.values(laneOperations)) {
    for (const name of [operation.function, operation.odd]) {
      if (name === undefined || numbers.has(name)) continue;
      const result = operation.mask === true ? 'i32' : typeOf[operation.to];
      numbers.set(name, module.importFunction('float', name, { parameters: parametersOf(operation), results: [result] }));
    }
  }
  const orders = ([['orderF32', 'i32'], ['orderF64', 'i64']] as const).map(([name, type]) => (
    { name, type, number: module.importFunction('float', name, { parameters: [type, type, 'i32', 'i32'], results: ['i32'] }) }
  ));
  const exceptions = module.importFunction('float', 'exceptions', { parameters: ['i32'], results: ['i32'] });
  for (const [name, operation] of Object.entries(laneOperations)) {
    const takes = operation.immediate === true ? 4 : 3;
    const code = new Code(takes);
    fast(code, operation);
    slow(code, operation, (each) => numbers.get(each) ?? -1);
    const parameters: ValueType[] = ['v128', 'v128', 'i32', 'i32'];
    module.exportFunction(name, module.function({ parameters: parameters.slice(0, takes), results: ['v128'] }, code));
  }
  for (const { name, number } of orders) module.exportFunction(name, number);
  module.exportFunction('raised', module.function({ parameters: ['i32'], results: ['i32'] }, raisedFunction(flags, exceptions)));
  return module.encode();
}
