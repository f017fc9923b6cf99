/** The exception of SSE's floating point (SDM volume 1, 11.5). */

import type { OperationTable } from './operation.ts';
import { UD, XM } from './processor.ts';

const CR4_OSXMMEXCPT = 1 << 10;

export const simdOperations: OperationTable = {
  /** With what MXCSR is behind the instruction, which is not done. */
  simdException(processor, mxcsr) {
    const { registers } = processor;
    registers.setNumber('mxcsr', Number(mxcsr));
    processor.fault((registers.number('cr4') & CR4_OSXMMEXCPT) !== 0 ? XM : UD);
  },
};
