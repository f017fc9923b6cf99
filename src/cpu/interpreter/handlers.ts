/** Handlers of instructions: emitted when an instruction of their shape is first met, and kept in the table that the loop calls through. */

import type { Decoded } from '../decode.ts';
import { compileCode, compileHandler } from '../emit/compile.ts';
import { buildDivision } from '../emit/division.ts';
import { frequentShapes } from '../emit/frequent.ts';
import { buildRuntime } from '../emit/runtime.ts';
import { shapeKey, shapeOf, type Shape } from '../emit/shape.ts';
import type { EngineFunctions } from '../emit/signatures.ts';
import { special, specialCode, type SpecialHandler } from '../emit/special.ts';
import { buildVectorFloat } from '../emit/vector-float.ts';
import type { Float } from '../float/float.ts';
import { helpers, type Helper } from '../helpers.ts';
import type { Instruction } from '../isa/instruction.ts';
import { Code } from '../wasm/code.ts';
import type { MemoryLimits } from '../wasm/module.ts';
import { GP, UD } from '../system/processor.ts';

/** A record's handler is a u16. */
const capacity = 0x10000;
/** Numbers from here on are those of regions (src/cpu/region). */
export const firstRegion = 0xf000;

const vectorOf: Partial<Record<SpecialHandler, number>> = { invalid: UD, tooLong: GP };

export interface Runtime {
  flags(): number;
  run(record: number): number;
  step(record: number): number;
}

export class Handlers {
  readonly runtime: Runtime;
  /** What modules name of the memory and of the table. */
  readonly memory: MemoryLimits;
  readonly handlers = capacity;
  readonly #table = new WebAssembly.Table({ element: 'anyfunc', initial: capacity });
  /** By the instruction and the shape's key. */
  readonly #numbers = new Map<Instruction, Map<number, number>>();
  #count: number = special.length;
  /** 1 for those that are in the table: asking that takes longer. */
  readonly #made = new Uint8Array(capacity);
  readonly #imports: WebAssembly.Imports;
  readonly #operation: (name: string) => number;

  /** @param operation the number of a `system` operation by its name */
  constructor(memory: WebAssembly.Memory, limits: MemoryLimits, float: Float, engine: EngineFunctions, operation: (name: string) => number) {
    this.memory = limits;
    this.#operation = operation;
    const frequent = frequentShapes();
    const module = new WebAssembly.Module(buildRuntime(limits, capacity, frequent, operation));
    const { exports } = new WebAssembly.Instance(module, { engine: { memory, handlers: this.#table, ...engine } as WebAssembly.Imports[string] });
    this.runtime = exports as unknown as Runtime;
    const floats = float as unknown as WebAssembly.Imports[string];
    const vectors = new WebAssembly.Instance(new WebAssembly.Module(buildVectorFloat()), { float: floats }).exports;
    const divisions = new WebAssembly.Instance(new WebAssembly.Module(buildDivision())).exports;
    const helper = { ...Object.fromEntries(Object.entries(helpers).map(([name, each]) => [name, adapt(each)])), ...vectors, ...divisions };
    this.#imports = { engine: { memory, handlers: this.#table }, helper, float: floats, runtime: { ...exports, ...engine } as WebAssembly.Imports[string] };
    for (const [number, name] of special.entries()) this.#add(number, compileCode(limits, (functions) => specialCode[name](functions, new Code(1))));
    for (const shape of frequent) this.#number(shape);
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
    const number = this.#number(shape);
    if (this.#made[number] === 0) this.#add(number, compileHandler(shape, this.memory, this.#operation));
    return number;
  }

  /** A region by its number, or nothing there any more. */
  install(number: number, bytes: Uint8Array<ArrayBuffer> | undefined): void {
    if (bytes === undefined) this.#table.set(number, null);
    else this.#add(number, bytes);
  }

  #number(shape: Shape): number {
    const ofInstruction = this.#numbers.get(shape.instruction) ?? new Map<number, number>();
    const key = shapeKey(shape);
    const known = ofInstruction.get(key);
    if (known !== undefined) return known;
    if (this.#count === firstRegion) throw new Error(`more than ${firstRegion} handlers`);
    this.#numbers.set(shape.instruction, ofInstruction.set(key, this.#count));
    return this.#count++;
  }

  #add(number: number, bytes: Uint8Array<ArrayBuffer>): void {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), this.#imports);
    this.#table.set(number, exports['handler']);
    this.#made[number] = 1;
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
