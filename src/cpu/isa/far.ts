/** Far transfers, interrupts by software and system calls (SDM volume 1, 5.1.7; volume 2 under these names). */

import type { Builder, Operand, Value, Width } from '../builder.ts';
import { instruction, type Instruction, type Meaning } from './instruction.ts';

const wide = (b: Builder, operand: Operand): Value => b.zeroExtend(b.get(operand), 64);
const size = (b: Builder): Value => b.constant(64, b.operandSize);

/** To an address that the instruction holds: offset, selector. */
const direct = (operation: string): Meaning => (b, offset, selector) => b.system(operation, wide(b, selector as Operand), wide(b, offset as Operand), size(b));

/** To an address in memory. */
const indirect = (operation: string): Meaning => (b, pointer) => {
  const offset = wide(b, b.field(pointer as Operand, 0, b.operandSize));
  const selector = wide(b, b.field(pointer as Operand, b.operandSize / 8, 16));
  b.system(operation, selector, offset, size(b));
};

const ret: Meaning = (b, bytes) => b.system('returnFar', size(b), bytes === undefined ? b.constant(64, 0) : wide(b, bytes));

const plain = (operation: string): Meaning => (b) => b.system(operation);
const sized = (operation: string): Meaning => (b) => b.system(operation, size(b));

/** The index and two bounds behind each other in memory, all signed. */
const bound: Meaning = (b, index, bounds) => {
  const signed = (operand: Operand): Value => b.signExtend(b.get(operand), 64);
  const width = b.operandSize as Width;
  const [lower, upper] = [b.field(bounds as Operand, 0, width), b.field(bounds as Operand, width / 8, width)];
  b.system('bound', signed(index as Operand), signed(lower), signed(upper));
};

const ends = { ends: true } as const;
const legacy = { ends: true, mode: 'legacy' } as const;

export const far: readonly Instruction[] = [
  instruction('JMP', 'EA', 'Iz,Iw', direct('jumpFar'), legacy), instruction('CALL', '9A', 'Iz,Iw', direct('callFar'), legacy),
  instruction('JMP', 'FF /5 mem', 'M', indirect('jumpFar'), ends), instruction('CALL', 'FF /3 mem', 'M', indirect('callFar'), ends),
  instruction('RETF', 'CB', '', ret, ends), instruction('RETF', 'CA', 'Iw', ret, ends),
  instruction('IRET', 'CF', '', sized('interruptReturn'), ends),
  instruction('INT', 'CD', 'Ib', (b, vector) => b.system('interrupt', wide(b, vector as Operand)), ends),
  instruction('INT3', 'CC', '', plain('breakpoint'), ends), instruction('INT1', 'F1', '', plain('interrupt1'), ends),
  instruction('INTO', 'CE', '', plain('overflow'), legacy),
  instruction('BOUND', '62 /r mem', 'Gv,M', bound, { mode: 'legacy' }),
  instruction('SYSCALL', '0F 05', '', plain('syscall'), ends), instruction('SYSRET', '0F 07', '', sized('sysret'), ends),
  instruction('SYSENTER', '0F 34', '', plain('sysenter'), ends), instruction('SYSEXIT', '0F 35', '', sized('sysexit'), ends),
];
