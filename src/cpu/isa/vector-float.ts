/** Floating point of SSE to SSE4.1 (SDM volume 1, 5.5.1.2 to 5.5.3, 5.6.1, 5.7, 5.10.1, 5.10.7). */

import type { Builder, Operand, Value } from '../builder.ts';
import type { HelperName } from '../helpers.ts';
import type { VectorFloat } from '../vector-float.ts';
import { instruction, type Instruction, type Meaning } from './instruction.ts';
import { enterMmx, markMmx, sequence, splat, sse, wide, zero } from './vector.ts';

const control = (b: Builder): Value => b.get(b.state('mxcsr', 32));

/** In MXCSR's place for a conversion that truncates. */
const truncating = (b: Builder, mxcsr: Value): Value => b.binary('or', mxcsr, b.constant(32, 0x6000));

/** MXCSR with what was raised since the last time; what of it is not masked ends the instruction. */
function checked(b: Builder, mxcsr: Value): Value {
  const gained = b.call('raised', mxcsr);
  const unmasked = b.binary('and', gained, b.unary('not', b.binary('shr', mxcsr, b.constant(32, 7))));
  const after = b.binary('or', mxcsr, gained);
  b.systemIf(b.compare('ne', unmasked, b.constant(32, 0)), 'simdException', b.zeroExtend(after, 64));
  return after;
}

const settle = (b: Builder, mxcsr: Value): void => b.set(b.state('mxcsr', 32), checked(b, mxcsr));

/** dst = helper(dst, src): the lanes that it does not give stay. */
const binary = (helper: VectorFloat): Meaning => (b, dst, src) => {
  const y = wide(b, src as Operand);
  const mxcsr = control(b);
  const result = b.call(helper, b.get(dst as Operand), y, mxcsr);
  settle(b, mxcsr);
  b.set(dst as Operand, result);
};

const letters = { PS: 'F32x4', PD: 'F64x2', SS: 'F32x1', SD: 'F64x1' } as const;
const forms = [['PS', 'NP', 'Wx'], ['PD', '66', 'Wx'], ['SS', 'F3', 'Wd'], ['SD', 'F2', 'Wq']] as const;

const arithmetic = ([
  ['SQRT', '51', 'squareRoot'], ['ADD', '58', 'add'], ['MUL', '59', 'multiply'], ['SUB', '5C', 'subtract'], ['MIN', '5D', 'minimum'], ['DIV', '5E', 'divide'],
  ['MAX', '5F', 'maximum'],
] as const).flatMap(([name, opcode, helper]) => forms.map(([suffix, prefix, src]) => (
  instruction(`${name}${suffix}`, `${prefix} 0F ${opcode} /r`, `Vx,${src}`, binary(`${helper}${letters[suffix]}`), sse)
)));

/** With the byte behind it as the helper's last value, as far as it counts. */
const withImmediate = (helper: VectorFloat, mask: number): Meaning => (b, dst, src, immediate) => {
  const y = wide(b, src as Operand);
  const mxcsr = control(b);
  const number = b.zeroExtend(b.binary('and', b.get(immediate as Operand), b.constant(8, mask)), 32);
  const result = b.call(helper, b.get(dst as Operand), y, mxcsr, number);
  settle(b, mxcsr);
  b.set(dst as Operand, result);
};

const comparisons = forms.map(([suffix, prefix, src]) => (
  instruction(`CMP${suffix}`, `${prefix} 0F C2 /r`, `Vx,${src},Ib`, withImmediate(`compare${letters[suffix]}`, 7), sse)
));

const roundings = ([['PS', '08', 'Wx'], ['PD', '09', 'Wx'], ['SS', '0A', 'Wd'], ['SD', '0B', 'Wq']] as const).map(([suffix, opcode, src]) => (
  instruction(`ROUND${suffix}`, `66 0F 3A ${opcode} /r`, `Vx,${src},Ib`, withImmediate(`round${letters[suffix]}`, 0xf), sse)
));

/** ZF, PF and CF tell the order; `signalling` does not let quiet NaNs pass. */
const order = (helper: 'orderF32' | 'orderF64', signalling: boolean): Meaning => (b, first, second) => {
  const y = b.get(second as Operand);
  const mxcsr = control(b);
  const found = b.call(helper, b.get(first as Operand), y, b.constant(32, signalling ? 1 : 0), mxcsr);
  settle(b, mxcsr);
  const bit = (at: number): Value => b.truncate(b.binary('shr', found, b.constant(32, at)), 1);
  const clear = b.constant(1, 0);
  b.setFlags({ CF: bit(0), PF: bit(2), ZF: bit(6), AF: clear, SF: clear, OF: clear });
};

/** On lanes that a meaning has put in their places. */
const rearranged = (helper: VectorFloat, width: 32 | 64): Meaning => (b, dst, src) => {
  const y = wide(b, src as Operand);
  const x = b.get(dst as Operand);
  const mxcsr = control(b);
  const size = width / 8;
  const every = (odd: number): Value => b.shuffle(x, y, sequence(0, 16 / size).flatMap((at) => sequence((2 * at + odd) * size, size)));
  const result = b.call(helper, every(0), every(1), mxcsr);
  settle(b, mxcsr);
  b.set(dst as Operand, result);
};

/** The bits of a byte from one on as masks of lanes. */
function laneMask(b: Builder, immediate: Value, width: 32 | 64, from: number): Value {
  const places = b.constant(128, sequence(0, 128 / width).reduce((sum, at) => sum | (1n << BigInt(at * width + at + from)), 0n));
  const shape = width === 32 ? 'i32x4' : 'i64x2';
  return b.vector(`${shape}.eq`, b.vector('v128.and', splat(b, b.zeroExtend(immediate, width), width), places), places);
}

/** The bytes of words by their numbers. */
const words = (numbers: readonly number[]): number[] => numbers.flatMap((number) => sequence(4 * number, 4));

/** Products of chosen lanes, their sum in chosen lanes; of the others zeros are multiplied, which raises nothing. */
const dotProduct = (width: 32 | 64): Meaning => (b, dst, src, immediate) => {
  const y = wide(b, src as Operand);
  const mxcsr = control(b);
  const number = b.get(immediate as Operand);
  const from = laneMask(b, number, width, 4);
  const chosen = (value: Value): Value => b.vector('v128.and', value, from);
  const [multiply, add]: HelperName[] = width === 32 ? ['multiplyF32x4', 'addF32x4'] : ['multiplyF64x2', 'addF64x2'];
  const products = b.vector('v128.and', b.call(multiply as HelperName, chosen(b.get(dst as Operand)), chosen(y), mxcsr), from);
  const multiplied = checked(b, mxcsr);
  // Every lane has the same sum: of two NaNs the lower lane's stays.
  const sumOf = (value: Value, lanes: readonly number[], others: readonly number[]): Value => (
    b.call(add as HelperName, b.shuffle(value, value, words(lanes)), b.shuffle(value, value, words(others)), mxcsr)
  );
  const sum = width === 64 ? sumOf(products, [0, 1, 0, 1], [2, 3, 2, 3]) : sumOf(sumOf(products, [0, 0, 2, 2], [1, 1, 3, 3]), [0, 0, 0, 0], [2, 2, 2, 2]);
  settle(b, multiplied);
  b.set(dst as Operand, b.vector('v128.and', sum, laneMask(b, number, width, 0)));
};

/** They raise nothing and know no MXCSR. */
const approximate = (helper: VectorFloat): Meaning => (b, dst, src) => {
  const y = wide(b, src as Operand);
  b.set(dst as Operand, b.call(helper, b.get(dst as Operand), y, b.constant(32, 0)));
};

interface Conversion {
  readonly truncates?: boolean;
  /** The lanes that it does not give stay. */
  readonly keeps?: boolean;
}

/** To a register of any kind, whose width is the result's. */
const convert = (helper: VectorFloat, { truncates = false, keeps = false }: Conversion = {}): Meaning => (b, dst, src) => {
  const y = wide(b, src as Operand);
  const mxcsr = control(b);
  const result = b.call(helper, keeps ? b.get(dst as Operand) : zero(b), y, truncates ? truncating(b, mxcsr) : mxcsr);
  settle(b, mxcsr);
  b.set(dst as Operand, b.truncate(result, (dst as Operand).width));
};

/** A general register's 32 or 64 bits. */
const convertInteger = (format: 'F32' | 'F64'): Meaning => (b, dst, src) => (
  convert(`i${(src as Operand).width as 32 | 64}To${format}x1`, { keeps: true })(b, dst as Operand, src as Operand)
);
const convertToInteger = (format: 'f32' | 'f64', truncates: boolean): Meaning => (b, dst, src) => (
  convert(`${format}ToI${(dst as Operand).width as 32 | 64}x1`, { truncates })(b, dst as Operand, src as Operand)
);

/** With an MMX register. One in memory leaves x87 alone. */
const withMmx = (meaning: Meaning): Meaning => (b, dst, src) => {
  enterMmx(b);
  meaning(b, dst as Operand, src as Operand);
  markMmx(b);
};

const conversions: readonly Instruction[] = [
  instruction('CVTPS2PD', 'NP 0F 5A /r', 'Vx,Wq', convert('f32ToF64x2'), sse), instruction('CVTPD2PS', '66 0F 5A /r', 'Vx,Wx', convert('f64ToF32x2'), sse),
  instruction('CVTSS2SD', 'F3 0F 5A /r', 'Vx,Wd', convert('f32ToF64x1', { keeps: true }), sse),
  instruction('CVTSD2SS', 'F2 0F 5A /r', 'Vx,Wq', convert('f64ToF32x1', { keeps: true }), sse),
  instruction('CVTDQ2PS', 'NP 0F 5B /r', 'Vx,Wx', convert('i32ToF32x4'), sse), instruction('CVTPS2DQ', '66 0F 5B /r', 'Vx,Wx', convert('f32ToI32x4'), sse),
  instruction('CVTTPS2DQ', 'F3 0F 5B /r', 'Vx,Wx', convert('f32ToI32x4', { truncates: true }), sse),
  instruction('CVTDQ2PD', 'F3 0F E6 /r', 'Vx,Wq', convert('i32ToF64x2'), sse), instruction('CVTPD2DQ', 'F2 0F E6 /r', 'Vx,Wx', convert('f64ToI32x2'), sse),
  instruction('CVTTPD2DQ', '66 0F E6 /r', 'Vx,Wx', convert('f64ToI32x2', { truncates: true }), sse),
  instruction('CVTSI2SS', 'F3 0F 2A /r', 'Vx,Ey', convertInteger('F32'), sse), instruction('CVTSI2SD', 'F2 0F 2A /r', 'Vx,Ey', convertInteger('F64'), sse),
  ...([['CVTT', '2C', true], ['CVT', '2D', false]] as const).flatMap(([name, opcode, truncates]) => [
    instruction(`${name}SS2SI`, `F3 0F ${opcode} /r`, 'Gy,Wd', convertToInteger('f32', truncates), sse),
    instruction(`${name}SD2SI`, `F2 0F ${opcode} /r`, 'Gy,Wq', convertToInteger('f64', truncates), sse),
    instruction(`${name}PS2PI`, `NP 0F ${opcode} /r`, 'Pq,Wq', withMmx(convert('f32ToI32x2', { truncates })), sse),
    instruction(`${name}PD2PI`, `66 0F ${opcode} /r`, 'Pq,Wx', withMmx(convert('f64ToI32x2', { truncates })), sse),
  ]),
  instruction('CVTPI2PS', 'NP 0F 2A /r reg', 'Vx,Nq', withMmx(convert('i32ToF32x2', { keeps: true })), sse),
  instruction('CVTPI2PS', 'NP 0F 2A /r mem', 'Vx,Mq', convert('i32ToF32x2', { keeps: true }), sse),
  instruction('CVTPI2PD', '66 0F 2A /r reg', 'Vx,Nq', withMmx(convert('i32ToF64x2')), sse), instruction('CVTPI2PD', '66 0F 2A /r mem', 'Vx,Mq', convert('i32ToF64x2'), sse),
];

export const vectorFloat: readonly Instruction[] = [
  ...arithmetic, ...comparisons, ...roundings, ...conversions,
  instruction('UCOMISS', 'NP 0F 2E /r', 'Vd,Wd', order('orderF32', false), sse), instruction('UCOMISD', '66 0F 2E /r', 'Vq,Wq', order('orderF64', false), sse),
  instruction('COMISS', 'NP 0F 2F /r', 'Vd,Wd', order('orderF32', true), sse), instruction('COMISD', '66 0F 2F /r', 'Vq,Wq', order('orderF64', true), sse),
  instruction('RSQRTPS', 'NP 0F 52 /r', 'Vx,Wx', approximate('reciprocalRootF32x4'), sse), instruction('RSQRTSS', 'F3 0F 52 /r', 'Vx,Wd', approximate('reciprocalRootF32x1'), sse),
  instruction('RCPPS', 'NP 0F 53 /r', 'Vx,Wx', approximate('reciprocalF32x4'), sse), instruction('RCPSS', 'F3 0F 53 /r', 'Vx,Wd', approximate('reciprocalF32x1'), sse),
  instruction('HADDPS', 'F2 0F 7C /r', 'Vx,Wx', rearranged('addF32x4', 32), sse), instruction('HADDPD', '66 0F 7C /r', 'Vx,Wx', rearranged('addF64x2', 64), sse),
  instruction('HSUBPS', 'F2 0F 7D /r', 'Vx,Wx', rearranged('subtractF32x4', 32), sse), instruction('HSUBPD', '66 0F 7D /r', 'Vx,Wx', rearranged('subtractF64x2', 64), sse),
  instruction('ADDSUBPS', 'F2 0F D0 /r', 'Vx,Wx', binary('addSubtractF32x4'), sse), instruction('ADDSUBPD', '66 0F D0 /r', 'Vx,Wx', binary('addSubtractF64x2'), sse),
  instruction('DPPS', '66 0F 3A 40 /r', 'Vx,Wx,Ib', dotProduct(32), sse), instruction('DPPD', '66 0F 3A 41 /r', 'Vx,Wx,Ib', dotProduct(64), sse),
];
