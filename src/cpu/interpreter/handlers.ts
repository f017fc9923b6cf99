/** Handlers of instructions: emitted when an instruction of their shape is first met, and kept in the table that the loop calls through. */

import type { Decoded } from '../decode.ts';
import { compileCode, compileHandler } from '../emit/compile.ts';
import type { Functions } from '../emit/handler.ts';
import { buildRuntime, type EngineFunctions } from '../emit/runtime.ts';
import { shapeKey, shapeOf } from '../emit/shape.ts';
import { buildVectorFloat } from '../emit/vector-float.ts';
import type { Float } from '../float/float.ts';
import { helpers, type Helper } from '../helpers.ts';
import { EXIT, INTERNAL, internal, RECORD } from '../layout.ts';
import { Code } from '../wasm/code.ts';
import type { MemoryLimits } from '../wasm/module.ts';
import { GP, UD } from '../system/processor.ts';

/** A record's handler is a u16. */
const capacity = 0x10000;

/** What is in the place of an instruction where none can be. */
export const special = ['pageEnd', 'goTo', 'straddle', 'stale', 'invalid', 'tooLong'] as const;
export type SpecialHandler = (typeof special)[number];

const vectorOf: Partial<Record<SpecialHandler, number>> = { invalid: UD, tooLong: GP };

const at = (name: keyof typeof internal.fields): number => INTERNAL + internal.fields[name].offset;

/** The RIP of a special record. */
const ripOf = (code: Code): Code => code.i32(0).access('i64.load', at('pageBase')).get(0).access('i64.load16_u', RECORD.offset).op('i64.add');

const specialCode: Readonly<Record<SpecialHandler, (functions: Functions) => Code>> = {
  // The next page, or the next instruction of a run that was cut: its record's offset is where it goes on.
  pageEnd: (functions) => ripOf(new Code(1).get(0)).call(functions.runtime('pass')),
  goTo: (functions) => ripOf(new Code(1).get(0)).call(functions.runtime('pass')),
  straddle: (functions) => new Code(1).get(0).call(functions.runtime('straddle')),
  stale: (functions) => ripOf(new Code(1).get(0)).call(functions.runtime('pass')),
  invalid: raise,
  tooLong: raise,
};

function raise(functions: Functions): Code {
  // The vector is in the place of the immediate.
  const code = new Code(1).i32(0).get(0).access('i32.load', RECORD.immediate).access('i32.store', at('vector'));
  code.i32(0).i32(0).access('i32.store', at('errorCode')).i32(0).i32(EXIT.fault).access('i32.store', at('exit'));
  return code.get(0).call(functions.runtime('leave'));
}

export interface Runtime {
  flags(): number;
  run(record: number): number;
  step(record: number): number;
}

export class Handlers {
  readonly runtime: Runtime;
  readonly #limits: MemoryLimits;
  readonly #table = new WebAssembly.Table({ element: 'anyfunc', initial: capacity });
  readonly #numbers = new Map<string, number>();
  readonly #imports: WebAssembly.Imports;
  readonly #operation: (name: string) => number;
  #count = 0;

  /** @param operation the number of a `system` operation by its name */
  constructor(memory: WebAssembly.Memory, limits: MemoryLimits, float: Float, engine: EngineFunctions, operation: (name: string) => number) {
    this.#limits = limits;
    this.#operation = operation;
    const module = new WebAssembly.Module(buildRuntime(limits, capacity));
    const { exports } = new WebAssembly.Instance(module, { engine: { memory, handlers: this.#table, ...engine } as WebAssembly.Imports[string] });
    this.runtime = exports as unknown as Runtime;
    const floats = float as unknown as WebAssembly.Imports[string];
    const vectors = new WebAssembly.Instance(new WebAssembly.Module(buildVectorFloat()), { float: floats }).exports;
    const helper = { ...Object.fromEntries(Object.entries(helpers).map(([name, each]) => [name, adapt(each)])), ...vectors };
    this.#imports = { engine: { memory }, helper, float: floats, runtime: { ...exports, ...engine } as WebAssembly.Imports[string] };
    for (const name of special) this.#add(name, compileCode(limits, specialCode[name]));
  }

  special(name: SpecialHandler): number {
    return special.indexOf(name);
  }

  /** What is to stand as immediate in a special record. */
  static vector(name: SpecialHandler): number {
    return vectorOf[name] ?? 0;
  }

  /** The number of the handler of an instruction. */
  of(decoded: Decoded, long: boolean): number {
    const shape = shapeOf(decoded, long);
    const key = shapeKey(shape);
    return this.#numbers.get(key) ?? this.#add(key, compileHandler(shape, this.#limits, this.#operation));
  }

  #add(key: string, bytes: Uint8Array<ArrayBuffer>): number {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), this.#imports);
    if (this.#count === capacity) throw new Error(`more than ${capacity} handlers`);
    this.#table.set(this.#count, exports['handler']);
    this.#numbers.set(key, this.#count);
    return this.#count++;
  }
}

/** A helper's definition as emitted code calls it: up to 32 bits are a number there, 128 two words, and what comes has a sign. */
function adapt({ parameters, result, compute }: Helper): (...values: (number | bigint)[]) => number | bigint | bigint[] {
  return (...values) => {
    let at = 0;
    const next = (width: number): bigint => BigInt.asUintN(width, BigInt(values[at++] ?? 0));
    const found = compute(...parameters.map((width) => (width === 128 ? next(64) | (next(64) << 64n) : next(width))));
    if (result === 128) return [BigInt.asUintN(64, found), found >> 64n];
    return result === 64 ? found : Number(found);
  };
}
