/** Bits and bytes (SDM volume 1, 5.1.6), without those that are encoded with VEX. */

import type { Builder, Operand, Value } from '../builder.ts';
import { instruction, type Instruction, type Meaning } from './instruction.ts';

type Change = (b: Builder, x: Value, mask: Value) => Value;

const changes: readonly (readonly [string, number, Change | undefined])[] = [
  ['BT', 4, undefined],
  ['BTS', 5, (b, x, mask) => b.binary('or', x, mask)],
  ['BTR', 6, (b, x, mask) => b.binary('and', x, b.unary('not', mask))],
  ['BTC', 7, (b, x, mask) => b.binary('xor', x, mask)],
];

/** A bit by its number in the operand; a register's number reaches beyond an operand in memory, in both directions. */
const bitTest = (change: Change | undefined): Meaning => (b, dst, number) => {
  const bits = (number as Operand).kind === 'immediate' ? b.zeroExtend(b.get(number as Operand), (dst as Operand).width) : b.get(number as Operand);
  const { width } = dst as Operand;
  const operand = (dst as Operand).kind === 'memory' && (number as Operand).kind === 'register' ? b.displaced(dst as Operand, farAway(b, bits)) : dst as Operand;
  const x = change === undefined ? b.get(operand) : b.modify(operand);
  const place = b.binary('and', bits, b.constant(width, width - 1));
  if (change !== undefined) b.set(operand, change(b, x, b.binary('shl', b.constant(width, 1), place)));
  b.setFlags({ CF: b.truncate(b.binary('shr', x, place), 1) });
};

/** In bytes, whole operands. */
function farAway(b: Builder, bits: Value): Value {
  const bytes = b.binary('sar', b.signExtend(bits, 64), b.constant(64, 3));
  return b.binary('and', bytes, b.constant(64, -(bits.width / 8)));
}

/** Of zero there is no such bit: ZF says so, and the destination stays. */
const scan = (operation: 'ctz' | 'clz'): Meaning => (b, dst, src) => {
  const x = b.get(src as Operand);
  const zero = b.compare('eq', x, b.constant(x.width, 0));
  const count = b.unary(operation, x);
  const index = operation === 'ctz' ? count : b.binary('sub', b.constant(x.width, x.width - 1), count);
  b.when(b.unary('not', zero), () => b.set(dst as Operand, index));
  b.setFlags({ ZF: zero });
};

/** TZCNT and LZCNT: of zero, the width. */
const countZeros = (operation: 'ctz' | 'clz'): Meaning => (b, dst, src) => {
  const x = b.get(src as Operand);
  const result = b.unary(operation, x);
  b.set(dst as Operand, result);
  b.setFlags({ CF: b.compare('eq', x, b.constant(x.width, 0)), ZF: b.compare('eq', result, b.constant(x.width, 0)) });
};

const popcnt: Meaning = (b, dst, src) => {
  const x = b.get(src as Operand);
  const none = b.constant(1, 0);
  b.set(dst as Operand, b.unary('popcnt', x));
  b.setFlags({ ZF: b.compare('eq', x, b.constant(x.width, 0)), CF: none, OF: none, AF: none, SF: none, PF: none });
};

const crc32: Meaning = (b, dst, src) => {
  const x = b.get(src as Operand);
  const before = b.truncate(b.get(dst as Operand), 32);
  const sum = b.call('crc32', before, b.zeroExtend(x, 64), b.constant(32, x.width));
  b.set(dst as Operand, b.zeroExtend(sum, (dst as Operand).width));
};

const scans = { undefinedFlags: 'CF OF SF AF PF' };
const counts = { undefinedFlags: 'OF SF AF PF' };
const tests = { undefinedFlags: 'OF SF AF PF' };
const hex = (value: number): string => value.toString(16).toUpperCase().padStart(2, '0');

export const bit: readonly Instruction[] = [
  ...changes.flatMap(([name, number, change]) => [
    instruction(name, `0F ${hex(0x83 + 8 * number)} /r`, 'Ev,Gv', bitTest(change), change ? { ...tests, lock: true } : tests),
    instruction(name, `0F BA /${number}`, 'Ev,Ib', bitTest(change), change ? { ...tests, lock: true } : tests),
  ]),
  instruction('BSF', '0F BC /r', 'Gv,Ev', scan('ctz'), scans), instruction('BSR', '0F BD /r', 'Gv,Ev', scan('clz'), scans),
  instruction('TZCNT', 'F3 0F BC /r', 'Gv,Ev', countZeros('ctz'), counts), instruction('LZCNT', 'F3 0F BD /r', 'Gv,Ev', countZeros('clz'), counts),
  instruction('POPCNT', 'F3 0F B8 /r', 'Gv,Ev', popcnt),
  instruction('CRC32', 'F2 0F 38 F0 /r', 'Gy,Eb', crc32), instruction('CRC32', 'F2 0F 38 F1 /r', 'Gy,Ev', crc32),
];
