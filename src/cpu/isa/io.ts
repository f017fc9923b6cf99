/** Ports (SDM volume 1, 5.1.9 and chapter 19). */

import type { Builder, Operand, Value } from '../builder.ts';
import { instruction, type Instruction, type Meaning } from './instruction.ts';

const wide = (b: Builder, operand: Operand): Value => b.zeroExtend(b.get(operand), 64);

/** Bytes of a port access: one, or two or four by the operand size. */
const bytesOf = (b: Builder, byte: boolean): number => (byte ? 1 : Math.min(b.operandSize, 32) / 8);

const input = (byte: boolean): Meaning => (b, port) => b.system('in', wide(b, port as Operand), b.constant(64, bytesOf(b, byte)));

const output = (byte: boolean): Meaning => (b, port) => {
  const bytes = bytesOf(b, byte);
  b.system('out', wide(b, port as Operand), b.constant(64, bytes), b.get(b.register(0, 64)));
};

/** INS and OUTS: bytes | address size << 8 | whether it repeats << 16 | segment << 24. */
const string = (operation: string, byte: boolean): Meaning => (b) => {
  const fixed = bytesOf(b, byte) | (b.addressSize << 8) | (b.repeat === undefined ? 0 : 1 << 16);
  b.system(operation, b.binary('or', b.constant(64, fixed), b.binary('shl', b.segment(), b.constant(64, 24))));
};

const repeat = { repeat: 'count' } as const;

export const io: readonly Instruction[] = [
  instruction('IN', 'E4', 'Ib', input(true)), instruction('IN', 'E5', 'Ib', input(false)),
  instruction('OUT', 'E6', 'Ib', output(true)), instruction('OUT', 'E7', 'Ib', output(false)),
  instruction('IN', 'EC', 'DX', input(true)), instruction('IN', 'ED', 'DX', input(false)),
  instruction('OUT', 'EE', 'DX', output(true)), instruction('OUT', 'EF', 'DX', output(false)),
  instruction('INS', '6C', '', string('inString', true), repeat), instruction('INS', '6D', '', string('inString', false), repeat),
  instruction('OUTS', '6E', '', string('outString', true), repeat), instruction('OUTS', '6F', '', string('outString', false), repeat),
];
