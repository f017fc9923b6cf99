import { helpers, type Helper, type HelperName } from '../helpers.ts';
import type { Code, ValueType } from '../wasm/code.ts';
import { ModuleWriter, type MemoryLimits, type Signature } from '../wasm/module.ts';
import { HandlerBuilder } from './handler.ts';
import { handlerSignature, signatureOf, type Functions, type RuntimeFunction } from './signatures.ts';
import type { Shape } from './shape.ts';
import { typeOf } from './value.ts';

/** JavaScript has no vectors: what is defined there takes and gives them as two words, the lower first. */
export function helperSignature({ parameters, result, emitted }: Helper): Signature {
  const types = (width: number): ValueType[] => (width === 128 && emitted !== true ? ['i64', 'i64'] : [typeOf(width)]);
  return { parameters: parameters.flatMap(types), results: types(result) };
}

/** Functions that a module imports, numbered in the order in which its code first asks for them. */
export class Imports implements Functions {
  readonly list: { readonly module: 'runtime' | 'helper'; readonly name: string; readonly signature: Signature }[] = [];
  readonly #operation: (name: string) => number;

  constructor(operation: (name: string) => number) {
    this.#operation = operation;
  }

  runtime(name: RuntimeFunction): number {
    return this.#number('runtime', name, signatureOf(name));
  }

  helper(name: HelperName): number {
    return this.#number('helper', name, helperSignature(helpers[name]));
  }

  operation(name: string): number {
    return this.#operation(name);
  }

  #number(module: 'runtime' | 'helper', name: string, signature: Signature): number {
    const known = this.list.findIndex((each) => each.module === module && each.name === name);
    return known >= 0 ? known : this.list.push({ module, name, signature }) - 1;
  }
}

/** A module with one function, `handler`, whose code may call what {@link Functions} number. */
function moduleOf(memory: MemoryLimits, imports: Imports, code: Code): Uint8Array<ArrayBuffer> {
  const module = new ModuleWriter();
  module.importMemory('engine', 'memory', memory);
  for (const { module: from, name, signature } of imports.list) module.importFunction(from, name, signature);
  module.exportFunction('handler', module.function(handlerSignature, code));
  return module.encode();
}

/** @param operation the number of a `system` operation by its name */
export function compileHandler(shape: Shape, memory: MemoryLimits, operation: (name: string) => number): Uint8Array<ArrayBuffer> {
  const imports = new Imports(operation);
  return moduleOf(memory, imports, HandlerBuilder.build(shape, imports));
}

/** For a handler that is no instruction's. */
export function compileCode(memory: MemoryLimits, build: (functions: Functions) => Code): Uint8Array<ArrayBuffer> {
  const imports = new Imports(() => -1);
  return moduleOf(memory, imports, build(imports));
}
