/** Instructions that are done in one piece, outside of emitted code: what a meaning calls with `system`. */

import type { Processor } from './processor.ts';

/** @param a up to three values of 64 bits, as the meaning gives them */
export type Operation = (processor: Processor, a: bigint, b: bigint, c: bigint) => void;

export const operations: readonly { readonly name: string; readonly run: Operation }[] = [];

const numbers = new Map(operations.map(({ name }, at) => [name, at]));

/** @throws Error for an operation that there is none of: our own mistake */
export function operationNumber(name: string): number {
  const found = numbers.get(name);
  if (found === undefined) throw new Error(`no system operation is called ${name}`);
  return found;
}
