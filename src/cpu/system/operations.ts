/** Instructions that are done in one piece, outside of emitted code: what a meaning calls with `system`. */

import { blockOperations } from './block.ts';
import { controlOperations } from './control.ts';
import { decimalOperations } from './decimal.ts';
import { farOperations } from './far.ts';
import { flagOperations } from './flag-register.ts';
import { fpuStateOperations } from './fpu-state.ts';
import { frameOperations } from './frame.ts';
import { identityOperations } from './identity.ts';
import { simdOperations } from './simd.ts';
import { mmxOperations } from './mmx.ts';
import { msrOperations } from './msr.ts';
import type { Operation, OperationTable } from './operation.ts';
import { portOperations } from './ports.ts';
import { segmentOperations } from './segments.ts';
import { softwareInterruptOperations } from './software-interrupt.ts';
import { syscallOperations } from './syscall.ts';
import { tableOperations } from './tables.ts';
import { x87Arithmetic } from './x87/arithmetic.ts';
import { x87Compare } from './x87/compare.ts';
import { x87Environment } from './x87/environment.ts';
import { x87Transfer } from './x87/transfer.ts';
import { levelOperations } from './level.ts';

/** What x87 has raised and told of does not stay for the next instruction of SSE. */
const clearing = (table: OperationTable): OperationTable => Object.fromEntries(Object.entries(table).map(([name, run]) => [name, (processor, a, b, c) => {
  run(processor, a, b, c);
  processor.float.flags.value = 0;
}]));

const tables: readonly OperationTable[] = [
  segmentOperations, farOperations, softwareInterruptOperations, syscallOperations, controlOperations, msrOperations, tableOperations, flagOperations, levelOperations,
  portOperations, blockOperations, fpuStateOperations, clearing(x87Arithmetic), clearing(x87Compare), x87Environment, clearing(x87Transfer), frameOperations, decimalOperations, mmxOperations, simdOperations, identityOperations,
];

export const operations: readonly { readonly name: string; readonly run: Operation }[] = tables.flatMap((table) => (
  Object.entries(table).map(([name, run]) => ({ name, run }))
));

const numbers = new Map(operations.map(({ name }, at) => [name, at]));
if (numbers.size !== operations.length) throw new Error('two operations have one name');

/** @throws Error for an operation that there is none of: our own mistake */
export function operationNumber(name: string): number {
  const found = numbers.get(name);
  if (found === undefined) throw new Error(`no system operation is called ${name}`);
  return found;
}
