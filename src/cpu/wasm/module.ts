import { typeCode, unsigned, type Code, type ValueType } from './code.ts';

export interface Signature {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** The limits of a memory (5.3.8): shared between threads it must say its maximum. In pages of 64 KiB. */
export interface MemoryLimits {
  readonly initial: number;
  readonly maximum: number;
  readonly shared: boolean;
}

/** A module under construction. Imports come first, since they have the first numbers. */
export class ModuleWriter {
  readonly #types: string[] = [];
  readonly #imports: number[][] = [];
  readonly #functions: { readonly type: number; readonly code: Code }[] = [];
  readonly #exports: number[][] = [];
  #importedFunctions = 0;
  #importedGlobals = 0;
  #table: readonly number[] | undefined;

  /** The number of a function's type; equal types have one number. */
  type({ parameters, results }: Signature): number {
    const bytes = [0x60, ...vector(parameters.map((type) => [typeCode[type]])), ...vector(results.map((type) => [typeCode[type]]))];
    const key = bytes.join();
    if (!this.#types.includes(key)) this.#types.push(key);
    return this.#types.indexOf(key);
  }

  importMemory(module: string, name: string, { initial, maximum, shared }: MemoryLimits): void {
    this.#imports.push([...text(module), ...text(name), 0x02, shared ? 0x03 : 0x01, ...number(initial), ...number(maximum)]);
  }

  importFunction(module: string, name: string, signature: Signature): number {
    if (this.#functions.length > 0) throw new Error('imports come before functions');
    this.#imports.push([...text(module), ...text(name), 0x00, ...number(this.type(signature))]);
    return this.#importedFunctions++;
  }

  /** A global that may be set: its number. */
  importGlobal(module: string, name: string, type: ValueType): number {
    this.#imports.push([...text(module), ...text(name), 0x03, typeCode[type], 0x01]);
    return this.#importedGlobals++;
  }

  /** The number of the new function. Its code may still grow until `encode`. */
  function(signature: Signature, code: Code): number {
    this.#functions.push({ type: this.type(signature), code });
    return this.#importedFunctions + this.#functions.length - 1;
  }

  /** A table of functions that somebody else fills: table 0. */
  importTable(module: string, name: string, entries: number): void {
    this.#imports.push([...text(module), ...text(name), 0x01, 0x70, 0x00, ...number(entries)]);
  }

  exportFunction(name: string, index: number): void {
    this.#exports.push([...text(name), 0x00, ...number(index)]);
  }

  /** The module's own table 0, holding these functions from 0 on. */
  table(functions: readonly number[]): void {
    this.#table = functions;
  }

  encode(): Uint8Array<ArrayBuffer> {
    const bodies = this.#functions.map(({ code }) => {
      const body = code.encode();
      return [...number(body.length), ...body];
    });
    const table = this.#table;
    const sections: [number, number[][] | undefined][] = [
      [1, this.#types.map((key) => key.split(',').map(Number))],
      [2, this.#imports],
      [3, this.#functions.map(({ type }) => number(type))],
      [4, table && [[0x70, 0x00, ...number(table.length)]]],
      [7, this.#exports],
      [9, table && [[0x00, 0x41, 0x00, 0x0b, ...vector(table.map(number))]]],
      [10, bodies],
    ];
    const parts = sections.flatMap(([id, entries]) => (entries === undefined || entries.length === 0 ? [] : [section(id, entries)]));
    const header = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);
    return concatenate([header, ...parts]);
  }
}

function section(id: number, entries: readonly (readonly number[])[]): Uint8Array {
  const count = number(entries.length);
  const size = entries.reduce((sum, entry) => sum + entry.length, count.length);
  return concatenate([Uint8Array.from([id, ...number(size), ...count]), ...entries.map((entry) => Uint8Array.from(entry))]);
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function number(value: number): number[] {
  const bytes: number[] = [];
  unsigned(bytes, value);
  return bytes;
}

const vector = (entries: readonly (readonly number[])[]): number[] => [...number(entries.length), ...entries.flat()];

const text = (value: string): number[] => vector([...new TextEncoder().encode(value)].map((byte) => [byte]));
