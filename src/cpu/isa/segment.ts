/** Segment registers (SDM volume 1, 5.1.1 and 5.1.14). */

import type { Builder, Operand, Value } from '../builder.ts';
import { instruction, type Instruction, type Meaning } from './instruction.ts';

const wide = (b: Builder, operand: Operand): Value => b.zeroExtend(b.get(operand), 64);

const push = (number: number): Meaning => (b) => b.system('pushSegment', b.constant(64, number), b.constant(64, b.operandSize));
const pop = (number: number): Meaning => (b) => b.system('popSegment', b.constant(64, number), b.constant(64, b.operandSize));

const store: Meaning = (b, dst, src) => {
  const value = b.get(src as Operand);
  b.set(dst as Operand, b.zeroExtend(value, (dst as Operand).width));
};

const load: Meaning = (b, segment, src) => b.system('loadSegment', b.number(segment as Operand), wide(b, src as Operand));

/** An offset and behind it a selector. */
const loadPointer = (number: number): Meaning => (b, dst, src) => {
  const pointer = src as Operand;
  const offset = wide(b, b.field(pointer, 0, b.operandSize));
  const selector = wide(b, b.field(pointer, b.operandSize / 8, 16));
  const general = b.binary('shl', b.number(dst as Operand), b.constant(64, 8));
  b.system('loadPointer', b.binary('or', general, b.constant(64, number | (b.operandSize << 16))), selector, offset);
};

const ofStack = { default64: 'default' } as const;
const legacyStack = { default64: 'default', mode: 'legacy' } as const;

export const segment: readonly Instruction[] = [
  instruction('PUSH', '06', '', push(0), legacyStack), instruction('POP', '07', '', pop(0), legacyStack),
  instruction('PUSH', '0E', '', push(1), legacyStack),
  instruction('PUSH', '16', '', push(2), legacyStack), instruction('POP', '17', '', pop(2), { ...legacyStack, ends: true }),
  instruction('PUSH', '1E', '', push(3), legacyStack), instruction('POP', '1F', '', pop(3), legacyStack),
  instruction('PUSH', '0F A0', '', push(4), ofStack), instruction('POP', '0F A1', '', pop(4), ofStack),
  instruction('PUSH', '0F A8', '', push(5), ofStack), instruction('POP', '0F A9', '', pop(5), ofStack),
  instruction('MOV', '8C /r reg', 'Rv,Sw', store), instruction('MOV', '8C /r mem', 'Mw,Sw', store),
  instruction('MOV', '8E /r', 'Sw,Ew', load),
  instruction('LES', 'C4 /r mem', 'Gv,M', loadPointer(0), { mode: 'legacy' }), instruction('LDS', 'C5 /r mem', 'Gv,M', loadPointer(3), { mode: 'legacy' }),
  instruction('LSS', '0F B2 /r mem', 'Gv,M', loadPointer(2)),
  instruction('LFS', '0F B4 /r mem', 'Gv,M', loadPointer(4)), instruction('LGS', '0F B5 /r mem', 'Gv,M', loadPointer(5)),
];
