/** What an MMX instruction asks of x87's registers, which its own are (SDM volume 1, 9.5 and 9.6). */

import type { OperationTable } from './operation.ts';
import { MF, type Processor } from './processor.ts';
import { countFromZero } from './register-ring.ts';

const ES = 0x80;

/** MMX's numbers count from register 0, so that the top becomes that. The instruction then begins anew. */
function enter(processor: Processor): void {
  if (processor.registers.number('fsw') & ES) processor.fault(MF);
  countFromZero(processor.registers);
  processor.repeats = true;
}

export const mmxOperations: OperationTable = { enterMmx: enter };
