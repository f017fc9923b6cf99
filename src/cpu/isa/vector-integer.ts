/** Arithmetic of packed integers, MMX to SSE4.2 (SDM volume 1, 5.4.3, 5.4.5, 5.6.3, 5.8, 5.10.3 to 5.10.10, 5.11.2). */

import type { Builder, Operand, Value } from '../builder.ts';
import { instruction, type Instruction, type Meaning } from './instruction.ts';
import { both, bytes, extend, mmx, ofMmx, onVectors, sequence, source, splat, sse, wide, zero, type Packed } from './vector.ts';

const hex = (value: number): string => value.toString(16).toUpperCase().padStart(2, '0');

const lanes = (operation: string): Packed => (b, x, y) => b.vector(operation, x, y);

/** What WebAssembly has, lane by lane. */
const plainForms = (`
  PADDB FC i8x16.add · PADDW FD i16x8.add · PADDD FE i32x4.add · PADDQ D4 i64x2.add · PSUBB F8 i8x16.sub · PSUBW F9 i16x8.sub · PSUBD FA i32x4.sub · PSUBQ FB i64x2.sub
  PADDSB EC i8x16.add_sat_s · PADDSW ED i16x8.add_sat_s · PADDUSB DC i8x16.add_sat_u · PADDUSW DD i16x8.add_sat_u
  PSUBSB E8 i8x16.sub_sat_s · PSUBSW E9 i16x8.sub_sat_s · PSUBUSB D8 i8x16.sub_sat_u · PSUBUSW D9 i16x8.sub_sat_u
  PCMPEQB 74 i8x16.eq · PCMPEQW 75 i16x8.eq · PCMPEQD 76 i32x4.eq · PCMPGTB 64 i8x16.gt_s · PCMPGTW 65 i16x8.gt_s · PCMPGTD 66 i32x4.gt_s
  PMINUB DA i8x16.min_u · PMINSW EA i16x8.min_s · PMAXUB DE i8x16.max_u · PMAXSW EE i16x8.max_s · PAVGB E0 i8x16.avgr_u · PAVGW E3 i16x8.avgr_u
  PMULLW D5 i16x8.mul · PMADDWD F5 i32x4.dot_i16x8_s
`).trim().split(/\s*[·\n]\s*/).flatMap((line) => {
  const [name, opcode, operation] = line.split(' ') as [string, string, string];
  return both(name, `0F ${opcode}`, lanes(operation));
});

/** SSE4's, which MMX has not. */
const laterForms = (`
  PMINSB 38 i8x16.min_s · PMINSD 39 i32x4.min_s · PMINUW 3A i16x8.min_u · PMINUD 3B i32x4.min_u · PMAXSB 3C i8x16.max_s · PMAXSD 3D i32x4.max_s
  PMAXUW 3E i16x8.max_u · PMAXUD 3F i32x4.max_u · PMULLD 40 i32x4.mul · PCMPEQQ 29 i64x2.eq · PCMPGTQ 37 i64x2.gt_s
`).trim().split(/\s*[·\n]\s*/).map((line) => {
  const [name, opcode, operation] = line.split(' ') as [string, string, string];
  return onVectors(name, `66 0F 38 ${opcode}`, lanes(operation));
});

/** The upper halves of the products. */
const multiplyHigh = (sign: 's' | 'u'): Packed => (b, x, y) => {
  const [low, high] = (['low', 'high'] as const).map((half) => b.vector(`i32x4.extmul_${half}_i16x8_${sign}`, x, y)) as [Value, Value];
  return b.shuffle(low, high, sequence(0, 8).flatMap((at) => [4 * at + 2, 4 * at + 3]));
};

/** The lower word of each 64 bits. */
const even = (b: Builder, x: Value): Value => b.shuffle(x, x, [0, 1, 2, 3, 8, 9, 10, 11, 0, 1, 2, 3, 8, 9, 10, 11]);
const multiplyEven = (sign: 's' | 'u'): Packed => (b, x, y) => b.vector(`i64x2.extmul_low_i32x4_${sign}`, even(b, x), even(b, y));

/** Rounded, and of -1 by -1 wrapped where WebAssembly's is saturated. */
const multiplyRounded: Packed = (b, x, y) => {
  const product = b.vector('i16x8.q15mulr_sat_s', x, y);
  const least = splat(b, b.constant(16, 0x8000), 16);
  const overflow = b.vector('v128.and', b.vector('i16x8.eq', x, least), b.vector('i16x8.eq', y, least));
  return b.vector('v128.xor', product, overflow);
};

/** The operands one behind the other: of 64 bits both are in one vector. */
function pair(b: Builder, x: Value, y: Value, bits: 64 | 128): [Value, Value] {
  const joined = b.shuffle(x, y, [...sequence(0, 8), ...sequence(16, 8)]);
  return bits === 64 ? [joined, joined] : [x, y];
}

/** x without a sign by y with one, neighbours added with saturation. */
const multiplyAddBytes: Packed = (b, x, y) => {
  const ofLanes = (vector: Value, odd: boolean, signed: boolean): Value => {
    const up = odd ? vector : b.vector('i16x8.shl', vector, b.constant(32, 8));
    return b.vector(signed ? 'i16x8.shr_s' : 'i16x8.shr_u', up, b.constant(32, 8));
  };
  const product = (odd: boolean): Value => b.vector('i16x8.mul', ofLanes(x, odd, false), ofLanes(y, odd, true));
  return b.vector('i16x8.add_sat_s', product(false), product(true));
};

/** Sums of the differences of eight bytes each. */
const sumOfDifferences: Packed = (b, x, y) => {
  const differences = b.vector('v128.or', b.vector('i8x16.sub_sat_u', x, y), b.vector('i8x16.sub_sat_u', y, x));
  const low = b.vector('v128.and', differences, splat(b, b.constant(16, 0xff), 16));
  const by16 = b.vector('i16x8.add', low, b.vector('i16x8.shr_u', differences, b.constant(32, 8)));
  const by32 = b.vector('i32x4.dot_i16x8_s', by16, splat(b, b.constant(16, 1), 16));
  const by64 = b.vector('i64x2.add', by32, b.vector('i64x2.shr_u', by32, b.constant(32, 32)));
  return b.vector('v128.and', by64, splat(b, b.constant(64, 0xffff), 64));
};

const pack = (operation: string): Packed => (b, x, y, bits) => b.vector(operation, ...pair(b, x, y, bits));

/** PACKUSDW and the like take signed values; x below y in the result. */
const neighbours = (width: 16 | 32, operation: string): Packed => (b, x, y, bits) => {
  const [first, second] = pair(b, x, y, bits);
  const size = width / 8;
  const every = (odd: number): number[] => sequence(0, 16 / size).flatMap((at) => sequence((2 * at + odd) * size, size));
  return b.vector(operation, b.shuffle(first, second, every(0)), b.shuffle(first, second, every(1)));
};

/** The lanes of x where y is positive, their negatives where it is negative. */
const sign = (shape: string): Packed => (b, x, y) => {
  const negative = b.vector(`${shape}.lt_s`, y, zero(b));
  const turned = b.vector('v128.bitselect', b.vector(`${shape}.neg`, x), x, negative);
  return b.vector('v128.andnot', turned, b.vector(`${shape}.eq`, y, zero(b)));
};

const absolute = (shape: string): Packed => (b, _, y) => b.vector(`${shape}.abs`, y);

/** The count is all 64 bits of the second operand; one of the width and more shifts all out. */
const shiftBy = (shape: string, operation: 'shl' | 'shr_u' | 'shr_s', width: 16 | 32 | 64) => (b: Builder, x: Value, count: Value): Value => {
  const limit = b.constant(64, width);
  const tooFar = b.compare('leU', limit, count);
  const most = operation === 'shr_s' ? b.constant(64, width - 1) : b.constant(64, 0);
  const shifted = b.vector(`${shape}.${operation}`, x, b.truncate(b.select(tooFar, most, count), 32));
  return operation === 'shr_s' ? shifted : b.select(tooFar, zero(b), shifted);
};

const shifts = ([
  ['PSRLW', 'D1', '71 /2', 'i16x8', 'shr_u', 16], ['PSRLD', 'D2', '72 /2', 'i32x4', 'shr_u', 32], ['PSRLQ', 'D3', '73 /2', 'i64x2', 'shr_u', 64],
  ['PSRAW', 'E1', '71 /4', 'i16x8', 'shr_s', 16], ['PSRAD', 'E2', '72 /4', 'i32x4', 'shr_s', 32],
  ['PSLLW', 'F1', '71 /6', 'i16x8', 'shl', 16], ['PSLLD', 'F2', '72 /6', 'i32x4', 'shl', 32], ['PSLLQ', 'F3', '73 /6', 'i64x2', 'shl', 64],
] as const).flatMap(([name, opcode, immediate, shape, operation, width]): Instruction[] => {
  const shift = shiftBy(shape, operation, width);
  const byConstant: Meaning = (b, dst, count) => {
    const value = shift(b, extend(b, b.get(dst as Operand)), b.zeroExtend(b.get(count as Operand), 64));
    b.set(dst as Operand, b.truncate(value, (dst as Operand).width));
  };
  return [
    ...both(name, `0F ${opcode}`, (b, x, y) => shift(b, x, b.truncate(y, 64))),
    instruction(name, `NP 0F ${immediate} reg`, 'Nq,Ib', ofMmx(byConstant), mmx), instruction(name, `66 0F ${immediate} reg`, 'Ux,Ib', byConstant, sse),
  ];
});

/** The whole register by bytes; more than 16 are 16. */
const shiftBytes = (left: boolean): Meaning => (b, dst, count) => {
  const by = b.vector('i8x16.min_u', splat(b, b.get(count as Operand), 8), splat(b, b.constant(8, 16), 8));
  // What is below zero is above 15 without a sign.
  const indexes = b.vector(left ? 'i8x16.sub' : 'i8x16.add', bytes(b, sequence(0, 16)), by);
  b.set(dst as Operand, b.vector('i8x16.swizzle', b.get(dst as Operand), indexes));
};

/** The lower lanes of memory or a register, made wider. */
const widen = (from: 8 | 16 | 32, to: 16 | 32 | 64, letter: 's' | 'u'): Meaning => (b, dst, src) => {
  let value = wide(b, src as Operand);
  for (let width = from; width < to; width *= 2) {
    const shape = ({ 8: 'i16x8.extend_low_i8x16', 16: 'i32x4.extend_low_i16x8', 32: 'i64x2.extend_low_i32x4' } as Record<number, string>)[width];
    value = b.vector(`${shape}_${letter}`, value);
  }
  b.set(dst as Operand, value);
};

const widened = ([['BW', 8, 16, 'q'], ['BD', 8, 32, 'd'], ['BQ', 8, 64, 'w'], ['WD', 16, 32, 'q'], ['WQ', 16, 64, 'd'], ['DQ', 32, 64, 'q']] as const).flatMap(
  ([suffix, from, to, size], at) => [
    instruction(`PMOVSX${suffix}`, `66 0F 38 ${hex(0x20 + at)} /r`, `Vx,W${size}`, widen(from, to, 's'), sse),
    instruction(`PMOVZX${suffix}`, `66 0F 38 ${hex(0x30 + at)} /r`, `Vx,W${size}`, widen(from, to, 'u'), sse),
  ],
);

/** ZF: no bit of both; CF: no bit of the second that the first has not. */
const test: Meaning = (b, first, second) => {
  const y = wide(b, second as Operand);
  const x = b.get(first as Operand);
  const none = (value: Value): Value => b.compare('eq', b.vector('v128.any_true', value), b.constant(32, 0));
  const clear = b.constant(1, 0);
  b.setFlags({ ZF: none(b.vector('v128.and', x, y)), CF: none(b.vector('v128.andnot', y, x)), PF: clear, AF: clear, SF: clear, OF: clear });
};

/** Eight sums of four differences: of four bytes of y with those of x from eight places. */
const sumsOfDifferences: Meaning = (b, dst, src, control) => {
  const y = source(b, src as Operand);
  const x = b.get(dst as Operand);
  const number = b.get(control as Operand);
  const field = (mask: number, by: number): Value => b.binary('mul', b.zeroExtend(b.binary('and', number, b.constant(8, mask)), 32), b.constant(32, by));
  const at = (vector: Value, first: Value, order: readonly number[]): Value => b.vector('i8x16.swizzle', vector, b.vector('i8x16.add', b.vector('i8x16.splat', first), bytes(b, order)));
  let sum = zero(b);
  for (let each = 0; each < 4; each++) {
    // Bit 2 chooses four bytes up in x, bits 0 and 1 a word of y.
    const left = b.vector('i16x8.extend_low_i8x16_u', at(x, field(4, 1), sequence(each, 8).concat(sequence(0, 8))));
    const right = b.vector('i16x8.extend_low_i8x16_u', at(y, field(3, 4), Array.from({ length: 16 }, () => each)));
    sum = b.vector('i16x8.add', sum, b.vector('i16x8.abs', b.vector('i16x8.sub', left, right)));
  }
  b.set(dst as Operand, sum);
};

/** The least of eight words, and where it is first. */
const leastWord: Packed = (b, _, y) => {
  let least = b.constant(16, 0xffff);
  let place = b.constant(16, 0);
  for (let at = 7; at >= 0; at--) {
    const word = b.extractLane(y, 16, at);
    const better = b.compare('leU', word, least);
    least = b.select(better, word, least);
    place = b.select(better, b.constant(16, at), place);
  }
  return b.replaceLane(b.replaceLane(zero(b), 0, least), 1, place);
};

export const vectorInteger: readonly Instruction[] = [
  ...plainForms, ...laterForms, ...shifts, ...widened,
  instruction('PSRLDQ', '66 0F 73 /3 reg', 'Ux,Ib', shiftBytes(false), sse), instruction('PSLLDQ', '66 0F 73 /7 reg', 'Ux,Ib', shiftBytes(true), sse),
  ...both('PMULHW', '0F E5', multiplyHigh('s')), ...both('PMULHUW', '0F E4', multiplyHigh('u')), ...both('PMULUDQ', '0F F4', multiplyEven('u')),
  onVectors('PMULDQ', '66 0F 38 28', multiplyEven('s')), ...both('PMULHRSW', '0F 38 0B', multiplyRounded),
  ...both('PMADDUBSW', '0F 38 04', multiplyAddBytes), ...both('PSADBW', '0F F6', sumOfDifferences),
  ...both('PACKSSWB', '0F 63', pack('i8x16.narrow_i16x8_s')), ...both('PACKUSWB', '0F 67', pack('i8x16.narrow_i16x8_u')),
  ...both('PACKSSDW', '0F 6B', pack('i16x8.narrow_i32x4_s')), onVectors('PACKUSDW', '66 0F 38 2B', pack('i16x8.narrow_i32x4_u')),
  ...both('PHADDW', '0F 38 01', neighbours(16, 'i16x8.add')), ...both('PHADDD', '0F 38 02', neighbours(32, 'i32x4.add')),
  ...both('PHADDSW', '0F 38 03', neighbours(16, 'i16x8.add_sat_s')), ...both('PHSUBW', '0F 38 05', neighbours(16, 'i16x8.sub')),
  ...both('PHSUBD', '0F 38 06', neighbours(32, 'i32x4.sub')), ...both('PHSUBSW', '0F 38 07', neighbours(16, 'i16x8.sub_sat_s')),
  ...both('PSIGNB', '0F 38 08', sign('i8x16')), ...both('PSIGNW', '0F 38 09', sign('i16x8')), ...both('PSIGND', '0F 38 0A', sign('i32x4')),
  ...both('PABSB', '0F 38 1C', absolute('i8x16')), ...both('PABSW', '0F 38 1D', absolute('i16x8')), ...both('PABSD', '0F 38 1E', absolute('i32x4')),
  instruction('PTEST', '66 0F 38 17 /r', 'Vx,Wx', test, sse), instruction('MPSADBW', '66 0F 3A 42 /r', 'Vx,Wx,Ib', sumsOfDifferences, sse),
  onVectors('PHMINPOSUW', '66 0F 38 41', leastWord),
];
