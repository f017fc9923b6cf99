/** What an MMX instruction asks of x87's registers, which its own are (SDM volume 1, 9.5 and 9.6). */

import { cpuState } from '../state.ts';
import type { OperationTable } from './operation.ts';
import { MF, type Processor } from './processor.ts';

const ES = 0x80;
const TOP = 0x3800;
const registerBytes = 16;
const stack = 8 * registerBytes;

/**
 * The state has the registers counted from the top of x87's stack; MMX's numbers count from register 0, so that the top becomes that and all of them move.
 * The instruction then begins anew.
 */
function enter(processor: Processor): void {
  const { registers } = processor;
  const status = registers.number('fsw');
  if (status & ES) processor.fault(MF);
  const top = (status & TOP) >> 11;
  const { view } = registers;
  const before = new Uint8Array(view.buffer, view.byteOffset + cpuState.fields.st0Low.offset, stack).slice();
  for (let at = 0; at < stack; at++) view.setUint8(cpuState.fields.st0Low.offset + ((at + top * registerBytes) % stack), before[at] as number);
  registers.setNumber('fsw', status & ~TOP);
  processor.repeat();
}

export const mmxOperations: OperationTable = { enterMmx: enter };
