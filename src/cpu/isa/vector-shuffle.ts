/** Logic, interleaving, shuffles and blends of vectors (SDM volume 1, 5.4.4, 5.5.1.3, 5.5.1.4, 5.6.1.4, 5.8.3, 5.10.5). */

import type { Builder, Operand, Value } from '../builder.ts';
import { instruction, type Instruction, type Meaning } from './instruction.ts';
import { both, bytes, extend, mmx, ofMmx, onVectors, packed, sequence, splat, sse, wide, type Packed } from './vector.ts';

const logic = (operation: string): Packed => (b, x, y) => b.vector(operation, x, y);
const andNot: Packed = (b, x, y) => b.vector('v128.andnot', y, x);

const logicForms = ([['AND', '54', 'DB', logic('v128.and')], ['ANDN', '55', 'DF', andNot], ['OR', '56', 'EB', logic('v128.or')], ['XOR', '57', 'EF', logic('v128.xor')]] as const)
  .flatMap(([name, opcode, integer, operation]) => [
    onVectors(`${name}PS`, `NP 0F ${opcode}`, operation), onVectors(`${name}PD`, `66 0F ${opcode}`, operation), ...both(`P${name}`, `0F ${integer}`, operation),
  ]);

/** Lanes of both in turns, from the lower or the upper half of what there is. */
const interleave = (width: number, upper: boolean): Packed => (b, x, y, bits) => {
  const size = width / 8;
  const first = upper ? bits / 16 : 0;
  const order = sequence(0, bits / 16 / size).flatMap((at) => [...sequence(first + at * size, size), ...sequence(16 + first + at * size, size)]);
  return b.shuffle(x, y, [...order, ...order].slice(0, 16));
};

const interleaveForms = ([['PUNPCKL', 0x60, false], ['PUNPCKH', 0x68, true]] as const).flatMap(([name, opcode, upper]) => (
  ([['BW', 8], ['WD', 16], ['DQ', 32]] as const).flatMap(([suffix, width], at) => {
    const code = `0F ${(opcode + at).toString(16).toUpperCase()}`;
    // The lower half's form reads 32 bits of memory.
    return [
      instruction(`${name}${suffix}`, `NP ${code} /r`, upper ? 'Pq,Qq' : 'Pq,Qd', ofMmx(packed(interleave(width, upper))), mmx),
      onVectors(`${name}${suffix}`, `66 ${code}`, interleave(width, upper)),
    ];
  })
));

/** The two-bit fields of a control byte as four lanes of 32 bits. */
function fields(b: Builder, control: Operand): Value {
  const all = splat(b, b.zeroExtend(b.get(control), 32), 32);
  const moved = b.vector('i32x4.mul', all, b.constant(128, 0x00000001_00000004_00000010_00000040n));
  return b.vector('v128.and', b.vector('i32x4.shr_u', moved, b.constant(32, 6)), b.constant(128, 0x00000003_00000003_00000003_00000003n));
}

/** Which bytes make the words that the fields choose. */
function wordIndexes(b: Builder, control: Operand): Value {
  const first = b.vector('i32x4.mul', fields(b, control), splat(b, b.constant(32, 0x04040404), 32));
  return b.vector('i32x4.add', first, splat(b, b.constant(32, 0x03020100), 32));
}

/** The same for 16 bits, in the lower half. */
function halfIndexes(b: Builder, control: Operand): Value {
  const chosen = fields(b, control);
  const narrow = b.vector('i16x8.narrow_i32x4_u', chosen, chosen);
  return b.vector('i16x8.add', b.vector('i16x8.mul', narrow, splat(b, b.constant(16, 0x0202), 16)), splat(b, b.constant(16, 0x0100), 16));
}

const swizzle = (b: Builder, x: Value, indexes: Value): Value => b.vector('i8x16.swizzle', x, indexes);

const shuffleWords: Meaning = (b, dst, src, control) => b.set(dst as Operand, swizzle(b, wide(b, src as Operand), wordIndexes(b, control as Operand)));

/** PSHUFLW, PSHUFHW and, of 64 bits, PSHUFW. */
const shuffleHalves = (upper: boolean): Meaning => (b, dst, src, control) => {
  const value = wide(b, src as Operand);
  const chosen = halfIndexes(b, control as Operand);
  const identity = bytes(b, sequence(0, 16));
  const moved = b.vector('i8x16.add', chosen, splat(b, b.constant(8, 8), 8));
  const indexes = upper ? b.shuffle(identity, moved, [...sequence(0, 8), ...sequence(16, 8)]) : b.shuffle(chosen, identity, [...sequence(0, 8), ...sequence(24, 8)]);
  b.set(dst as Operand, b.truncate(swizzle(b, value, indexes), (dst as Operand).width));
};

/** Two lanes of the first, then two of the second. */
const shuffleSingles: Meaning = (b, dst, src, control) => {
  const y = wide(b, src as Operand);
  const x = b.get(dst as Operand);
  const indexes = wordIndexes(b, control as Operand);
  b.set(dst as Operand, b.shuffle(swizzle(b, x, indexes), swizzle(b, y, indexes), [...sequence(0, 8), ...sequence(24, 8)]));
};

const shuffleDoubles: Meaning = (b, dst, src, control) => {
  const y = wide(b, src as Operand);
  const x = b.get(dst as Operand);
  const number = b.get(control as Operand);
  const pick = (from: Value, place: number): Value => (
    b.select(b.truncate(b.binary('shr', number, b.constant(8, place)), 1), b.extractLane(from, 64, 1), b.extractLane(from, 64, 0))
  );
  b.set(dst as Operand, b.replaceLane(b.replaceLane(x, 0, pick(x, 0)), 1, pick(y, 1)));
};

/** An index with its top bit set gives zero; the others wrap. */
const shuffleBytes: Packed = (b, x, y, bits) => swizzle(b, x, b.vector('v128.and', y, splat(b, b.constant(8, 0x80 | (bits / 8 - 1)), 8)));

/** The bytes of y below those of x, moved down. */
const align: Meaning = (b, dst, src, control) => {
  const { width } = dst as Operand;
  const y = wide(b, src as Operand);
  const x = extend(b, b.get(dst as Operand));
  const by = splat(b, b.get(control as Operand), 8);
  if (width === 64) {
    const joined = b.shuffle(y, x, [...sequence(0, 8), ...sequence(16, 8)]);
    b.set(dst as Operand, b.truncate(swizzle(b, joined, b.vector('i8x16.add_sat_u', by, bytes(b, sequence(0, 16)))), 64));
    return;
  }
  const low = swizzle(b, y, b.vector('i8x16.add_sat_u', by, bytes(b, sequence(0, 16))));
  // What wraps below zero is above 15 too.
  const high = swizzle(b, x, b.vector('i8x16.add', b.vector('i8x16.sub', by, splat(b, b.constant(8, 16), 8)), bytes(b, sequence(0, 16))));
  b.set(dst as Operand, b.vector('v128.or', low, high));
};

/** The lanes whose bit is set come from the second. */
const blend = (width: 16 | 32 | 64): Meaning => (b, dst, src, control) => {
  const y = wide(b, src as Operand);
  const places = b.constant(128, sequence(0, 128 / width).reduce((sum, at) => sum | (1n << BigInt(at * width + at)), 0n));
  const bits = b.vector('v128.and', splat(b, b.zeroExtend(b.get(control as Operand), width), width), places);
  const shape = { 16: 'i16x8', 32: 'i32x4', 64: 'i64x2' }[width];
  b.set(dst as Operand, b.vector('v128.bitselect', y, b.get(dst as Operand), b.vector(`${shape}.eq`, bits, places)));
};

/** By the top bit of each lane of XMM0. */
const blendVariable = (shape: 'i8x16' | 'i32x4' | 'i64x2'): Meaning => (b, dst, src) => {
  const y = wide(b, src as Operand);
  const mask = b.vector(`${shape}.lt_s`, b.get(b.state('xmm0Low', 128)), b.constant(128, 0));
  b.set(dst as Operand, b.vector('v128.bitselect', y, b.get(dst as Operand), mask));
};

const withControl = (name: string, encoding: string, meaning: Meaning): Instruction => instruction(name, `${encoding} /r`, 'Vx,Wx,Ib', meaning, sse);

export const vectorShuffle: readonly Instruction[] = [
  ...logicForms, ...interleaveForms,
  onVectors('PUNPCKLQDQ', '66 0F 6C', interleave(64, false)), onVectors('PUNPCKHQDQ', '66 0F 6D', interleave(64, true)),
  onVectors('UNPCKLPS', 'NP 0F 14', interleave(32, false)), onVectors('UNPCKLPD', '66 0F 14', interleave(64, false)),
  onVectors('UNPCKHPS', 'NP 0F 15', interleave(32, true)), onVectors('UNPCKHPD', '66 0F 15', interleave(64, true)),
  withControl('PSHUFD', '66 0F 70', shuffleWords), withControl('PSHUFHW', 'F3 0F 70', shuffleHalves(true)), withControl('PSHUFLW', 'F2 0F 70', shuffleHalves(false)),
  instruction('PSHUFW', 'NP 0F 70 /r', 'Pq,Qq,Ib', ofMmx(shuffleHalves(false)), mmx),
  withControl('SHUFPS', 'NP 0F C6', shuffleSingles), withControl('SHUFPD', '66 0F C6', shuffleDoubles),
  ...both('PSHUFB', '0F 38 00', shuffleBytes),
  instruction('PALIGNR', 'NP 0F 3A 0F /r', 'Pq,Qq,Ib', ofMmx(align), mmx), withControl('PALIGNR', '66 0F 3A 0F', align),
  withControl('BLENDPS', '66 0F 3A 0C', blend(32)), withControl('BLENDPD', '66 0F 3A 0D', blend(64)), withControl('PBLENDW', '66 0F 3A 0E', blend(16)),
  instruction('PBLENDVB', '66 0F 38 10 /r', 'Vx,Wx', blendVariable('i8x16'), sse), instruction('BLENDVPS', '66 0F 38 14 /r', 'Vx,Wx', blendVariable('i32x4'), sse),
  instruction('BLENDVPD', '66 0F 38 15 /r', 'Vx,Wx', blendVariable('i64x2'), sse),
];
