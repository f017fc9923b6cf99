/** Data transfer (SDM volume 1, 5.1.1). */

import { conditions, type Builder, type Operand, type Value, type Width } from '../builder.ts';
import { instruction, type Instruction, type Meaning } from './instruction.ts';

const mov: Meaning = (b, dst, src) => {
  const value = b.get(src as Operand);
  const { width } = dst as Operand;
  b.set(dst as Operand, value.width === width ? value : b.signExtend(value, width));
};

const extend = (signed: boolean): Meaning => (b, dst, src) => {
  const value = b.get(src as Operand);
  const { width } = dst as Operand;
  b.set(dst as Operand, signed ? b.signExtend(value, width) : b.zeroExtend(value, width));
};

const lea: Meaning = (b, dst, src) => b.set(dst as Operand, b.truncate(b.address(src as Operand), (dst as Operand).width));

const xchg: Meaning = (b, first, second) => {
  const x = b.modify(first as Operand);
  const y = b.get(second as Operand);
  b.set(first as Operand, y);
  b.set(second as Operand, x);
};

/** The second register is set before the first: of XADD RAX, RAX the sum stays. */
const xadd: Meaning = (b, dst, src) => {
  const x = b.modify(dst as Operand);
  const y = b.get(src as Operand);
  const sum = b.binary('add', x, y);
  b.set(src as Operand, x);
  b.set(dst as Operand, sum);
  b.flags('add', x, y, sum);
};

/** Memory is written in either case: with what it held when the comparison fails. */
const cmpxchg: Meaning = (b, dst, src) => {
  const held = b.modify(dst as Operand);
  const accumulator = b.register(0, held.width);
  const expected = b.get(accumulator);
  const equal = b.compare('eq', expected, held);
  const stored = b.select(equal, b.get(src as Operand), held);
  if ((dst as Operand).kind === 'memory') b.set(dst as Operand, stored);
  else b.when(equal, () => b.set(dst as Operand, stored));
  b.when(b.unary('not', equal), () => b.set(accumulator, held));
  b.flags('sub', expected, held, b.binary('sub', expected, held));
};

/** EDX:EAX with 8 bytes of memory, RDX:RAX with 16; the latter have to be aligned. */
const cmpxchgDouble = (width: 32 | 64): Meaning => (b, dst) => {
  const memory = dst as Operand;
  const both = width === 32 ? b.field(memory, 0, 64) : b.aligned(b.field(memory, 0, 128));
  const whole = b.modify(both);
  const low = b.truncate(whole, width);
  const high = b.truncate(upper(b, whole), width);
  const [ax, cx, dx, bx] = [0, 1, 2, 3].map((number) => b.register(number, width)) as [Operand, Operand, Operand, Operand];
  const equal = b.binary('and', b.compare('eq', b.get(ax), low), b.compare('eq', b.get(dx), high));
  const stored = b.select(equal, joined(b, b.get(cx), b.get(bx)), whole);
  b.set(both, stored);
  b.when(b.unary('not', equal), () => {
    b.set(ax, low);
    b.set(dx, high);
  });
  b.setFlags({ ZF: equal });
};

/** The upper half of 64 or 128 bits. */
function upper(b: Builder, whole: Value): Value {
  return whole.width === 64 ? b.truncate(b.binary('shr', whole, b.constant(64, 32)), 32) : b.extractLane(whole, 64, 1);
}

function joined(b: Builder, high: Value, low: Value): Value {
  if (high.width === 64) return b.replaceLane(b.replaceLane(b.constant(128, 0), 0, low), 1, high);
  return b.binary('or', b.binary('shl', b.zeroExtend(high, 64), b.constant(64, 32)), b.zeroExtend(low, 64));
}

const cmov = (condition: number): Meaning => (b, dst, src) => {
  // The source is read, and faults, in either case; 32 bits clear the upper half in either case.
  const value = b.get(src as Operand);
  b.set(dst as Operand, b.select(b.condition(conditions[condition] as never), value, b.get(dst as Operand)));
};

const setcc = (condition: number): Meaning => (b, dst) => b.set(dst as Operand, b.zeroExtend(b.condition(conditions[condition] as never), 8));

const push: Meaning = (b, src) => {
  const value = b.get(src as Operand);
  b.push(value.width === b.operandSize ? value : b.signExtend(value, b.operandSize));
};

const pop: Meaning = (b, dst) => {
  const value = b.pop(b.operandSize);
  b.set(dst as Operand, value);
};

const bswap: Meaning = (b, dst) => b.set(dst as Operand, b.operandSize === 16 ? b.constant(16, 0) : b.unary('bswap', b.get(dst as Operand)));
const movbe: Meaning = (b, dst, src) => b.set(dst as Operand, b.unary('bswap', b.get(src as Operand)));

/** CBW, CWDE, CDQE: the accumulator's lower half to the whole. */
const convert: Meaning = (b) => b.set(b.register(0, b.operandSize), b.signExtend(b.get(b.register(0, (b.operandSize / 2) as Width)), b.operandSize));

/** CWD, CDQ, CQO: the accumulator's sign into RDX. */
const convertWide: Meaning = (b) => {
  const value = b.get(b.register(0, b.operandSize));
  b.set(b.register(2, b.operandSize), b.binary('sar', value, b.constant(value.width, b.operandSize - 1)));
};

const xlat: Meaning = (b) => {
  const base = b.zeroExtend(b.get(b.register(3, b.addressSize)), 64);
  const offset = b.binary('add', base, b.zeroExtend(b.get(b.register(0, 8)), 64));
  const wrapped = b.addressSize === 64 ? offset : b.binary('and', offset, b.constant(64, (1n << BigInt(b.addressSize)) - 1n));
  b.set(b.register(0, 8), b.get(b.at('data', wrapped, 8)));
};

const nothing: Meaning = () => undefined;

const ofStack = { default64: 'default' } as const;
const hex = (value: number): string => value.toString(16).toUpperCase().padStart(2, '0');
const names = ['O', 'NO', 'B', 'AE', 'E', 'NE', 'BE', 'A', 'S', 'NS', 'P', 'NP', 'L', 'GE', 'LE', 'G'];

export const move: readonly Instruction[] = [
  instruction('MOV', '88 /r', 'Eb,Gb', mov), instruction('MOV', '89 /r', 'Ev,Gv', mov),
  instruction('MOV', '8A /r', 'Gb,Eb', mov), instruction('MOV', '8B /r', 'Gv,Ev', mov),
  instruction('MOV', 'A0', 'AL,Ob', mov), instruction('MOV', 'A1', 'rAX,Ov', mov),
  instruction('MOV', 'A2', 'Ob,AL', mov), instruction('MOV', 'A3', 'Ov,rAX', mov),
  instruction('MOV', 'B0 +r', 'Zb,Ib', mov), instruction('MOV', 'B8 +r', 'Zv,Iv', mov),
  instruction('MOV', 'C6 /0', 'Eb,Ib', mov), instruction('MOV', 'C7 /0', 'Ev,Iz', mov),
  instruction('MOVZX', '0F B6 /r', 'Gv,Eb', extend(false)), instruction('MOVZX', '0F B7 /r', 'Gv,Ew', extend(false)),
  instruction('MOVSX', '0F BE /r', 'Gv,Eb', extend(true)), instruction('MOVSX', '0F BF /r', 'Gv,Ew', extend(true)),
  instruction('MOVSXD', '63 /r', 'Gv,Ez', extend(true), { mode: 'long' }),
  instruction('LEA', '8D /r', 'Gv,M', lea),
  instruction('XCHG', '86 /r', 'Eb,Gb', xchg, { lock: true }), instruction('XCHG', '87 /r', 'Ev,Gv', xchg, { lock: true }),
  instruction('XCHG', '90 +r', 'Zv,rAX', xchg), instruction('NOP', '90', '', nothing, { withoutRexB: true }),
  instruction('XADD', '0F C0 /r', 'Eb,Gb', xadd, { lock: true }), instruction('XADD', '0F C1 /r', 'Ev,Gv', xadd, { lock: true }),
  instruction('CMPXCHG', '0F B0 /r', 'Eb,Gb', cmpxchg, { lock: true }), instruction('CMPXCHG', '0F B1 /r', 'Ev,Gv', cmpxchg, { lock: true }),
  instruction('BSWAP', '0F C8 +r', 'Zv', bswap),
  instruction('MOVBE', '0F 38 F0 /r', 'Gv,Mv', movbe), instruction('MOVBE', '0F 38 F1 /r', 'Mv,Gv', movbe),
  instruction('CBW', '98', '', convert), instruction('CWD', '99', '', convertWide),
  instruction('XLAT', 'D7', '', xlat),
  instruction('PUSH', '50 +r', 'Zv', push, ofStack), instruction('PUSH', 'FF /6', 'Ev', push, ofStack),
  instruction('PUSH', '68', 'Iz', push, ofStack), instruction('PUSH', '6A', 'Is', push, ofStack),
  instruction('POP', '58 +r', 'Zv', pop, ofStack), instruction('POP', '8F /0', 'Ev', pop, { ...ofStack, addressAfterPop: true }),
  ...names.flatMap((name, condition) => [
    instruction(`CMOV${name}`, `0F ${hex(0x40 + condition)} /r`, 'Gv,Ev', cmov(condition)),
    instruction(`SET${name}`, `0F ${hex(0x90 + condition)} /r`, 'Eb', setcc(condition)),
  ]),
  instruction('NOP', '0F 1F /r', 'Ev', nothing), instruction('NOP', '0F 0D /r', 'Ev', nothing),
  ...[0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e].map((opcode) => instruction('NOP', `0F ${hex(opcode)} /r`, 'Ev', nothing)),
  instruction('PAUSE', 'F3 90', '', nothing, { withoutRexB: true }),
  instruction('CMPXCHG8B', '0F C7 /1 mem', 'M', (b, dst) => cmpxchgDouble(b.operandSize === 64 ? 64 : 32)(b, dst as Operand), { lock: true }),
];
