/** Control and state of x87 and SSE (SDM volume 1, 5.2.6, 5.3 and 5.6.4). */

import type { Builder, Operand, Value } from '../builder.ts';
import { instruction, type Instruction, type Meaning } from './instruction.ts';

/** With the offset and the segment of the memory operand. */
const onMemory = (operation: string): Meaning => (b, memory) => b.system(operation, b.address(memory as Operand), b.segment(memory), wide(b));

/** Whether pointers are 64 bits. */
const wide = (b: Builder): Value => b.constant(64, b.operandSize === 64 ? 1 : 0);

const x87 = { unit: 'x87', ends: true } as const;
const sse = { ends: true } as const;

export const fpuState: readonly Instruction[] = [
  instruction('FNINIT', 'DB E3', '', (b) => b.system('fninit'), x87),
  instruction('FNCLEX', 'DB E2', '', (b) => b.system('fnclex'), x87),
  instruction('FNOP', 'D9 D0', '', (b) => b.system('fnop'), x87),
  // What enabled and disabled interrupts of the 8087, and protected mode of the 80287, does nothing any more.
  ...['DB E0', 'DB E1', 'DB E4'].map((encoding) => instruction('FNENI', encoding, '', (b) => b.system('fneni'), x87)),
  instruction('FLDCW', 'D9 /5 mem', 'Mw', onMemory('fldcw'), x87),
  instruction('FNSTCW', 'D9 /7 mem', 'Mw', onMemory('fnstcw'), x87),
  instruction('FNSTSW', 'DD /7 mem', 'Mw', onMemory('fnstsw'), x87),
  instruction('FNSTSW', 'DF E0', '', (b) => b.system('fnstswAx'), x87),
  instruction('FWAIT', '9B', '', (b) => b.system('fwait'), x87),
  instruction('FXSAVE', 'NP 0F AE /0 mem', 'M', onMemory('fxsave'), sse),
  instruction('FXRSTOR', 'NP 0F AE /1 mem', 'M', onMemory('fxrstor'), sse),
  instruction('LDMXCSR', 'NP 0F AE /2 mem', 'Md', onMemory('ldmxcsr'), sse),
  instruction('STMXCSR', 'NP 0F AE /3 mem', 'Md', onMemory('stmxcsr'), sse),
];
