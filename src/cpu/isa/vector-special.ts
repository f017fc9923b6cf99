/** AES, SHA, products without carry and texts (SDM volume 1, 5.11.1, 5.12, 5.13, 5.18). */

import type { Builder, Operand, Value } from '../builder.ts';
import type { HelperName } from '../helpers.ts';
import { instruction, type Instruction, type Meaning } from './instruction.ts';
import { extend, onVectors, sequence, splat, sse, wide, type Packed } from './vector.ts';

const pure = (helper: HelperName): Packed => (b, x, y) => b.call(helper, x, y);

/** SHA's operands in memory may lie anywhere, on AMD's processors; the SDM has them aligned. */
const unaligned = (operation: Packed): Meaning => (b, dst, src) => {
  const y = b.get(src as Operand);
  b.set(dst as Operand, operation(b, b.get(dst as Operand), y, 128));
};

const withNumber = (helper: HelperName): Meaning => (b, dst, src, number) => {
  const y = b.get(src as Operand);
  b.set(dst as Operand, b.call(helper, b.get(dst as Operand), y, b.zeroExtend(b.get(number as Operand), 32)));
};

const inverseMix: Packed = (b, _, y) => b.call('aesInverseMix', y);

const assistKey: Meaning = (b, dst, src, constant) => (
  b.set(dst as Operand, b.call('aesKey', wide(b, src as Operand), b.zeroExtend(b.get(constant as Operand), 32)))
);

/** Bits 0 and 4 choose the halves. */
const carryless: Meaning = (b, dst, src, control) => {
  const y = wide(b, src as Operand);
  const x = b.get(dst as Operand);
  const number = b.get(control as Operand);
  const half = (from: Value, bit: number): Value => (
    b.select(b.truncate(b.binary('shr', number, b.constant(8, bit)), 1), b.extractLane(from, 64, 1), b.extractLane(from, 64, 0))
  );
  b.set(dst as Operand, b.call('carrylessProduct', half(x, 0), half(y, 4)));
};

/** The message is in XMM0. */
const twoRounds: Packed = (b, x, y) => b.call('sha256Two', x, y, b.get(b.state('xmm0Low', 128)));

/** How many elements of a text count: |EAX| or |EDX|, at most all there is room for. */
function givenLength(b: Builder, number: number, words: Value): Value {
  const value = b.operandSize === 64 ? b.get(b.register(number, 64)) : b.signExtend(b.get(b.register(number, 32)), 64);
  const negative = b.compare('ltS', value, b.constant(64, 0));
  const length = b.select(negative, b.unary('neg', value), value);
  const most = b.select(words, b.constant(64, 8), b.constant(64, 16));
  return b.truncate(b.select(b.compare('leU', length, most), length, most), 32);
}

/** Bytes or words as a mask, all ones for each bit. */
function spread(b: Builder, bits: Value, words: Value): Value {
  const places = (width: 8 | 16): Value => b.constant(128, sequence(0, 128 / width).reduce((sum, at) => sum | (1n << BigInt(at * width + (at % width))), 0n));
  const low = splat(b, b.truncate(bits, 16), 16);
  const byBytes = b.shuffle(low, low, [...Array.from({ length: 8 }, () => 0), ...Array.from({ length: 8 }, () => 1)]);
  const bytes = b.vector('i8x16.eq', b.vector('v128.and', byBytes, places(8)), places(8));
  const wordMask = b.vector('i16x8.eq', b.vector('v128.and', low, places(16)), places(16));
  return b.select(words, wordMask, bytes);
}

const texts = (explicit: boolean, asIndex: boolean): Meaning => (b, first, second, control) => {
  const y = extend(b, b.get(second as Operand));
  const x = b.get(first as Operand);
  const number = b.zeroExtend(b.get(control as Operand), 32);
  const words = b.truncate(number, 1);
  const length = (register: number, text: Value): Value => (explicit ? givenLength(b, register, words) : b.call('textLength', text, b.zeroExtend(words, 32)));
  const found = b.call('compareTexts', x, y, length(0, x), length(2, y), number);
  const bits = b.binary('and', found, b.constant(32, 0xffff));
  const bit = (value: Value, at: number): Value => b.truncate(b.binary('shr', value, b.constant(32, at)), 1);
  const none = b.compare('eq', bits, b.constant(32, 0));
  if (asIndex) {
    const upper = b.binary('sub', b.constant(32, 31), b.unary('clz', bits));
    const index = b.select(bit(number, 6), upper, b.unary('ctz', bits));
    b.set(b.register(1, 32), b.select(none, b.select(words, b.constant(32, 8), b.constant(32, 16)), index));
  } else {
    b.set(b.state('xmm0Low', 128), b.select(bit(number, 6), spread(b, bits, words), b.zeroExtend(bits, 128)));
  }
  const clear = b.constant(1, 0);
  b.setFlags({ CF: b.unary('not', none), ZF: bit(found, 17), SF: bit(found, 16), OF: bit(bits, 0), AF: clear, PF: clear });
};

const aes = ([['AESENC', 'DC', 'aesEncrypt'], ['AESENCLAST', 'DD', 'aesEncryptLast'], ['AESDEC', 'DE', 'aesDecrypt'], ['AESDECLAST', 'DF', 'aesDecryptLast']] as const)
  .map(([name, opcode, helper]) => onVectors(name, `66 0F 38 ${opcode}`, pure(helper)));

const sha = ([
  ['SHA1NEXTE', 'C8', 'sha1NextE'], ['SHA1MSG1', 'C9', 'sha1Message1'], ['SHA1MSG2', 'CA', 'sha1Message2'],
  ['SHA256MSG1', 'CC', 'sha256Message1'], ['SHA256MSG2', 'CD', 'sha256Message2'],
] as const).map(([name, opcode, helper]) => instruction(name, `NP 0F 38 ${opcode} /r`, 'Vx,Wx', unaligned(pure(helper)), sse));

export const vectorSpecial: readonly Instruction[] = [
  ...aes, ...sha,
  onVectors('AESIMC', '66 0F 38 DB', inverseMix), instruction('AESKEYGENASSIST', '66 0F 3A DF /r', 'Vx,Wx,Ib', assistKey, sse),
  instruction('PCLMULQDQ', '66 0F 3A 44 /r', 'Vx,Wx,Ib', carryless, sse),
  instruction('SHA256RNDS2', 'NP 0F 38 CB /r', 'Vx,Wx', unaligned(twoRounds), sse), instruction('SHA1RNDS4', 'NP 0F 3A CC /r', 'Vx,Wx,Ib', withNumber('sha1Four'), sse),
  instruction('PCMPESTRM', '66 0F 3A 60 /r', 'Vx,Wx,Ib', texts(true, false), sse), instruction('PCMPESTRI', '66 0F 3A 61 /r', 'Vx,Wx,Ib', texts(true, true), sse),
  instruction('PCMPISTRM', '66 0F 3A 62 /r', 'Vx,Wx,Ib', texts(false, false), sse), instruction('PCMPISTRI', '66 0F 3A 63 /r', 'Vx,Wx,Ib', texts(false, true), sse),
];
