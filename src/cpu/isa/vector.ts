/** What the instructions on vectors have in common. */

import type { Builder, Operand, Value } from '../builder.ts';
import { instruction, type Instruction, type Meaning } from './instruction.ts';

export const sse = { unit: 'sse' } as const;
export const mmx = { unit: 'mmx' } as const;

/** All of an operand: 128 bits in memory have to be aligned. */
export function source(b: Builder, operand: Operand): Value {
  return b.get(operand.width === 128 ? b.aligned(operand) : operand);
}

/** As `source`, with zeros above. */
export const wide = (b: Builder, operand: Operand): Value => b.zeroExtend(source(b, operand), 128);

export const extend = (b: Builder, x: Value): Value => b.zeroExtend(x, 128);
export const zero = (b: Builder): Value => b.constant(128, 0);

/** Sixteen bytes, the first one lowest. */
export function bytes(b: Builder, values: readonly number[]): Value {
  return b.constant(128, values.reduce((sum, value, at) => sum | (BigInt(value & 0xff) << BigInt(8 * at)), 0n));
}

export const sequence = (from: number, count: number, step = 1): number[] => Array.from({ length: count }, (_, at) => from + at * step);

/** The same lane as often as it fits. */
export function splat(b: Builder, value: Value, width: 8 | 16 | 32 | 64): Value {
  return b.vector(`${{ 8: 'i8x16', 16: 'i16x8', 32: 'i32x4', 64: 'i64x2' }[width]}.splat`, width === 64 ? value : b.zeroExtend(value, 32));
}

/** An MMX instruction makes x87's stack begin at register 0; an exception of x87's that waits comes first. */
export function enterMmx(b: Builder): void {
  const status = b.get(b.state('fsw', 16));
  const busy = b.compare('ne', b.binary('and', status, b.constant(16, 0x3880)), b.constant(16, 0));
  b.systemIf(busy, 'enterMmx');
}

/** All of x87's registers are in use behind it. */
export function markMmx(b: Builder): void {
  b.set(b.state('ftw', 8), b.constant(8, 0xff));
}

/** A meaning with what MMX does besides. */
export const ofMmx = (meaning: Meaning): Meaning => (b, ...operands) => {
  enterMmx(b);
  meaning(b, ...operands);
  markMmx(b);
};

/** dst = dst op src, on 128 bits; the upper half means nothing when there are 64. */
export type Packed = (b: Builder, x: Value, y: Value, bits: 64 | 128) => Value;

export const packed = (operation: Packed): Meaning => (b, dst, src) => {
  const { width } = dst as Operand;
  const y = wide(b, src as Operand);
  const result = operation(b, extend(b, b.get(dst as Operand)), y, width as 64 | 128);
  b.set(dst as Operand, b.truncate(result, width));
};

/** The forms on MMX registers and on vectors: the second one has the prefix 66. */
export function both(name: string, opcode: string, operation: Packed): Instruction[] {
  return [
    instruction(name, `NP ${opcode} /r`, 'Pq,Qq', ofMmx(packed(operation)), mmx),
    instruction(name, `66 ${opcode} /r`, 'Vx,Wx', packed(operation), sse),
  ];
}

/** Of vectors alone. */
export const onVectors = (name: string, encoding: string, operation: Packed): Instruction => instruction(name, `${encoding} /r`, 'Vx,Wx', packed(operation), sse);
