/** Transfers of vectors (SDM volume 1, 5.4.1, 5.5.1, 5.6.1, 5.7.1, 5.10). */

import type { Builder, Operand, Value } from '../builder.ts';
import { instruction, type Instruction, type Meaning } from './instruction.ts';
import { enterMmx, extend, mmx, ofMmx, sequence, source, splat, sse, bytes, wide, zero } from './vector.ts';

const move: Meaning = (b, dst, src) => b.set(dst as Operand, b.get(src as Operand));
const moveAligned: Meaning = (b, dst, src) => b.set(b.aligned(dst as Operand), source(b, src as Operand));
/** With zeros above in the destination, which is wider. */
const moveExtended: Meaning = (b, dst, src) => b.set(dst as Operand, b.zeroExtend(b.get(src as Operand), (dst as Operand).width));
const moveTruncated: Meaning = (b, dst, src) => b.set(dst as Operand, b.truncate(b.get(src as Operand), (dst as Operand).width));

/** From memory, zeros above; from a register the rest stays. */
const loadScalar: Meaning = (b, dst, src) => {
  const value = b.get(src as Operand);
  b.set(dst as Operand, (src as Operand).kind === 'memory' ? extend(b, value) : b.replaceLane(b.get(dst as Operand), 0, value));
};

/** 64 bits into one half. */
const intoHalf = (half: 0 | 1, from: 0 | 1): Meaning => (b, dst, src) => {
  const value = b.get(src as Operand);
  const word = value.width === 64 ? value : b.extractLane(value, 64, from);
  b.set(dst as Operand, b.replaceLane(b.get(dst as Operand), half, word));
};

const storeUpper: Meaning = (b, dst, src) => b.set(dst as Operand, b.extractLane(b.get(src as Operand), 64, 1));

const rearranged = (order: readonly number[]): Meaning => (b, dst, src) => {
  const value = wide(b, src as Operand);
  b.set(dst as Operand, b.shuffle(value, value, order));
};
const words = (...lanes: number[]): number[] => lanes.flatMap((lane) => sequence(4 * lane, 4));

const signs = (operation: string): Meaning => (b, dst, src) => b.set(dst as Operand, b.vector(operation, wide(b, src as Operand)));

/** The bytes whose mask has its top bit, at DS:RDI. Without any, memory is not touched. */
const maskedStore: Meaning = (b, src, mask) => {
  const value = wide(b, src as Operand);
  const chosen = b.vector('i8x16.lt_s', wide(b, mask as Operand), zero(b));
  const { width } = src as Operand;
  const offset = b.zeroExtend(b.get(b.register(7, b.addressSize)), 64);
  const memory = b.at('data', offset, width);
  const before = extend(b, b.modify(memory));
  b.set(memory, b.truncate(b.vector('v128.bitselect', value, before, chosen), width));
};

/** The lane by number, taken as often as it has to wrap. */
function lane(b: Builder, vector: Value, number: Operand, width: 8 | 16 | 32 | 64): Value {
  const size = width / 8;
  const count = b.binary('and', b.get(number), b.constant(8, ((vector.width === 64 ? 64 : 128) / width) - 1));
  const first = b.binary('mul', b.zeroExtend(count, 32), b.constant(32, size));
  const indexes = b.binary('add', first, b.constant(32, 0));
  const chosen = b.vector('i8x16.swizzle', extend(b, vector), b.vector('i8x16.add', b.vector('i8x16.splat', indexes), bytes(b, sequence(0, 16))));
  return b.truncate(chosen, width);
}

const extract = (width: 8 | 16 | 32 | 64): Meaning => (b, dst, src, number) => {
  b.set(dst as Operand, b.zeroExtend(lane(b, b.get(src as Operand), number as Operand, width), (dst as Operand).width));
};

/** PEXTRD and PEXTRQ are one encoding. */
const extractWord: Meaning = (b, dst, src, number) => extract((dst as Operand).width as 32 | 64)(b, dst as Operand, src as Operand, number as Operand);

const insert = (width: 8 | 16 | 32 | 64): Meaning => (b, dst, src, number) => {
  const value = b.truncate(b.get(src as Operand), width);
  const whole = (dst as Operand).width;
  const count = b.binary('and', b.get(number as Operand), b.constant(8, whole / width - 1));
  const shape = { 8: 'i8x16', 16: 'i16x8', 32: 'i32x4', 64: 'i64x2' }[width];
  const numbers = b.constant(128, sequence(0, 128 / width).reduce((sum, at) => sum | (BigInt(at) << BigInt(width * at)), 0n));
  const chosen = b.vector(`${shape}.eq`, splat(b, b.zeroExtend(count, width), width), numbers);
  b.set(dst as Operand, b.truncate(b.vector('v128.bitselect', splat(b, value, width), extend(b, b.get(dst as Operand)), chosen), whole));
};

const insertWord: Meaning = (b, dst, src, number) => insert((src as Operand).width as 32 | 64)(b, dst as Operand, src as Operand, number as Operand);

/** INSERTPS: which lane of the source (of a register), to which one, and which ones become zero. */
const insertSingle: Meaning = (b, dst, src, control) => {
  const number = b.zeroExtend(b.get(control as Operand), 32);
  const field = (from: number): Value => b.binary('and', b.binary('shr', number, b.constant(32, from)), b.constant(32, 3));
  const value = b.get(src as Operand);
  const first = b.binary('mul', field(6), b.constant(32, 4));
  const picked = value.width === 32 ? value
    : b.truncate(b.vector('i8x16.swizzle', value, b.vector('i8x16.add', b.vector('i8x16.splat', first), bytes(b, sequence(0, 16)))), 32);
  const target = b.vector('i32x4.eq', splat(b, field(4), 32), b.constant(128, 0x00000003_00000002_00000001_00000000n));
  const inserted = b.vector('v128.bitselect', splat(b, picked, 32), b.get(dst as Operand), target);
  const places = b.constant(128, 0x00000008_00000004_00000002_00000001n);
  const cleared = b.vector('i32x4.eq', b.vector('v128.and', splat(b, number, 32), places), places);
  b.set(dst as Operand, b.vector('v128.andnot', inserted, cleared));
};

const both = (encoding: string, operands: string, meaning: Meaning, names: readonly [string, string]): Instruction[] => [
  instruction(names[0], `NP ${encoding}`, operands, meaning, sse), instruction(names[1], `66 ${encoding}`, operands, meaning, sse),
];

const toMmx = ofMmx(move);

export const vectorMove: readonly Instruction[] = [
  ...both('0F 10 /r', 'Vx,Wx', move, ['MOVUPS', 'MOVUPD']), ...both('0F 11 /r', 'Wx,Vx', move, ['MOVUPS', 'MOVUPD']),
  ...both('0F 28 /r', 'Vx,Wx', moveAligned, ['MOVAPS', 'MOVAPD']), ...both('0F 29 /r', 'Wx,Vx', moveAligned, ['MOVAPS', 'MOVAPD']),
  ...both('0F 2B /r mem', 'Mx,Vx', moveAligned, ['MOVNTPS', 'MOVNTPD']),
  instruction('MOVDQA', '66 0F 6F /r', 'Vx,Wx', moveAligned, sse), instruction('MOVDQA', '66 0F 7F /r', 'Wx,Vx', moveAligned, sse),
  instruction('MOVDQU', 'F3 0F 6F /r', 'Vx,Wx', move, sse), instruction('MOVDQU', 'F3 0F 7F /r', 'Wx,Vx', move, sse),
  instruction('LDDQU', 'F2 0F F0 /r mem', 'Vx,Mx', move, sse),
  instruction('MOVNTDQ', '66 0F E7 /r mem', 'Mx,Vx', moveAligned, sse), instruction('MOVNTDQA', '66 0F 38 2A /r mem', 'Vx,Mx', moveAligned, sse),
  instruction('MOVNTI', 'NP 0F C3 /r mem', 'My,Gy', move),
  instruction('MOVNTQ', 'NP 0F E7 /r mem', 'Mq,Pq', toMmx, mmx),
  instruction('MOVSS', 'F3 0F 10 /r', 'Vx,Wd', loadScalar, sse), instruction('MOVSS', 'F3 0F 11 /r', 'Wd,Vd', move, sse),
  instruction('MOVSD', 'F2 0F 10 /r', 'Vx,Wq', loadScalar, sse), instruction('MOVSD', 'F2 0F 11 /r', 'Wq,Vq', move, sse),
  ...both('0F 12 /r mem', 'Vx,Mq', intoHalf(0, 0), ['MOVLPS', 'MOVLPD']), ...both('0F 13 /r mem', 'Mq,Vq', move, ['MOVLPS', 'MOVLPD']),
  ...both('0F 16 /r mem', 'Vx,Mq', intoHalf(1, 0), ['MOVHPS', 'MOVHPD']), ...both('0F 17 /r mem', 'Mq,Vx', storeUpper, ['MOVHPS', 'MOVHPD']),
  instruction('MOVHLPS', 'NP 0F 12 /r reg', 'Vx,Ux', intoHalf(0, 1), sse), instruction('MOVLHPS', 'NP 0F 16 /r reg', 'Vx,Ux', intoHalf(1, 0), sse),
  instruction('MOVSLDUP', 'F3 0F 12 /r', 'Vx,Wx', rearranged(words(0, 0, 2, 2)), sse),
  instruction('MOVSHDUP', 'F3 0F 16 /r', 'Vx,Wx', rearranged(words(1, 1, 3, 3)), sse),
  instruction('MOVDDUP', 'F2 0F 12 /r', 'Vx,Wq', rearranged(words(0, 1, 0, 1)), sse),
  instruction('MOVD', 'NP 0F 6E /r', 'Pq,Ey', ofMmx(moveExtended), mmx), instruction('MOVD', 'NP 0F 7E /r', 'Ey,Pq', ofMmx(moveTruncated), mmx),
  instruction('MOVD', '66 0F 6E /r', 'Vx,Ey', moveExtended, sse), instruction('MOVD', '66 0F 7E /r', 'Ey,Vx', moveTruncated, sse),
  instruction('MOVQ', 'NP 0F 6F /r', 'Pq,Qq', toMmx, mmx), instruction('MOVQ', 'NP 0F 7F /r', 'Qq,Pq', toMmx, mmx),
  instruction('MOVQ', 'F3 0F 7E /r', 'Vx,Wq', moveExtended, sse),
  instruction('MOVQ', '66 0F D6 /r mem', 'Mq,Vq', move, sse), instruction('MOVQ', '66 0F D6 /r reg', 'Ux,Vq', moveExtended, sse),
  instruction('MOVQ2DQ', 'F3 0F D6 /r reg', 'Vx,Nq', ofMmx(moveExtended), mmx), instruction('MOVDQ2Q', 'F2 0F D6 /r reg', 'Pq,Uq', toMmx, mmx),
  instruction('MOVMSKPS', 'NP 0F 50 /r reg', 'Gd,Ux', signs('i32x4.bitmask'), sse), instruction('MOVMSKPD', '66 0F 50 /r reg', 'Gd,Ux', signs('i64x2.bitmask'), sse),
  instruction('PMOVMSKB', 'NP 0F D7 /r reg', 'Gd,Nq', ofMmx(signs('i8x16.bitmask')), mmx), instruction('PMOVMSKB', '66 0F D7 /r reg', 'Gd,Ux', signs('i8x16.bitmask'), sse),
  instruction('MASKMOVQ', 'NP 0F F7 /r reg', 'Pq,Nq', ofMmx(maskedStore), mmx), instruction('MASKMOVDQU', '66 0F F7 /r reg', 'Vx,Ux', maskedStore, sse),
  instruction('PEXTRW', 'NP 0F C5 /r reg', 'Gd,Nq,Ib', ofMmx(extract(16)), mmx), instruction('PEXTRW', '66 0F C5 /r reg', 'Gd,Ux,Ib', extract(16), sse),
  instruction('PEXTRB', '66 0F 3A 14 /r reg', 'Rd,Vx,Ib', extract(8), sse), instruction('PEXTRB', '66 0F 3A 14 /r mem', 'Mb,Vx,Ib', extract(8), sse),
  instruction('PEXTRW', '66 0F 3A 15 /r reg', 'Rd,Vx,Ib', extract(16), sse), instruction('PEXTRW', '66 0F 3A 15 /r mem', 'Mw,Vx,Ib', extract(16), sse),
  instruction('PEXTRD', '66 0F 3A 16 /r', 'Ey,Vx,Ib', extractWord, sse), instruction('EXTRACTPS', '66 0F 3A 17 /r', 'Ed,Vx,Ib', extract(32), sse),
  instruction('PINSRW', 'NP 0F C4 /r reg', 'Pq,Rd,Ib', ofMmx(insert(16)), mmx), instruction('PINSRW', 'NP 0F C4 /r mem', 'Pq,Mw,Ib', ofMmx(insert(16)), mmx),
  instruction('PINSRW', '66 0F C4 /r reg', 'Vx,Rd,Ib', insert(16), sse), instruction('PINSRW', '66 0F C4 /r mem', 'Vx,Mw,Ib', insert(16), sse),
  instruction('PINSRB', '66 0F 3A 20 /r reg', 'Vx,Rd,Ib', insert(8), sse), instruction('PINSRB', '66 0F 3A 20 /r mem', 'Vx,Mb,Ib', insert(8), sse),
  instruction('PINSRD', '66 0F 3A 22 /r', 'Vx,Ey,Ib', insertWord, sse),
  instruction('INSERTPS', '66 0F 3A 21 /r reg', 'Vx,Ux,Ib', insertSingle, sse), instruction('INSERTPS', '66 0F 3A 21 /r mem', 'Vx,Md,Ib', insertSingle, sse),
  instruction('EMMS', 'NP 0F 77', '', (b) => {
    enterMmx(b);
    b.set(b.state('ftw', 8), b.constant(8, 0));
  }, mmx),
];
