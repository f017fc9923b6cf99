/** What operands are, in no assembler's spelling: what the table does not name, because the meaning has it, is added. */

import type { CodeSize, Decoded, DecodedOperand, MemoryOperand } from '../decode.ts';
import type { Encoded } from './encoded.ts';
import { hasNumberInName } from './mnemonic.ts';

/** The decoder's operands, and what only a listing tells apart. */
export type ShownOperand =
  | DecodedOperand
  /** Where a branch goes. */
  | { readonly kind: 'target'; readonly address: bigint }
  /** The top of x87's stack, by no number. */
  | { readonly kind: 'top' }
  | { readonly kind: 'far'; readonly selector: bigint; readonly offset: bigint };

const general = (number: number, width: number): DecodedOperand => ({ kind: 'register', bank: 'general', number, width, high: false });
const segmentRegister = (number: number): DecodedOperand => ({ kind: 'register', bank: 'segment', number, width: 16, high: false });
const top: ShownOperand = { kind: 'top' };
const xmm0: DecodedOperand = { kind: 'register', bank: 'xmm', number: 0, width: 128, high: false };

const RSI = 6;
const RDI = 7;
const RBX = 3;
const RDX = 2;

/** What string instructions address: the source with its prefix, the destination always in ES. */
const pointer = (decoded: Decoded, base: number, width: number, segment = decoded.segment ?? 'ds'): MemoryOperand => (
  { kind: 'memory', width, segment, base, index: undefined, scale: 0, displacement: 0n }
);

type Implied = (decoded: Decoded, width: number) => readonly DecodedOperand[];

const source: Implied = (decoded, width) => [pointer(decoded, RSI, width)];
const destination: Implied = (decoded, width) => [pointer(decoded, RDI, width, 'es')];
const accumulator: Implied = (_, width) => [general(0, width)];
const port: Implied = () => [general(RDX, 16)];

/** Operands of strings, by what they are made of. */
const strings: Readonly<Record<string, readonly Implied[]>> = {
  MOVS: [destination, source], CMPS: [source, destination], STOS: [destination, accumulator], LODS: [accumulator, source], SCAS: [accumulator, destination],
  INS: [destination, port], OUTS: [port, source],
};

/** Names whose operand of x87's is the second one, behind the top of the stack. */
const intoTop = /^F(?:CMOV|COMI|UCOMI)/;
const withTop = /^F(?:ADD|MUL|SUB|SUBR|DIV|DIVR)P?$/;

function x87Operands({ instruction: { name, encoding }, operands }: Decoded): readonly ShownOperand[] {
  if (name === 'FNSTSW' && operands.length === 0) return [general(0, 16)];
  const [operand] = operands;
  if (operand?.kind !== 'register') return operands;
  if (intoTop.test(name)) return [top, operand];
  if (!withTop.test(name)) return operands;
  return encoding.startsWith('D8') ? [top, operand] : [operand, top];
}

/** Bits of what instructions read or write whose operand is only an address. */
function widthOf({ instruction: { name, encoding }, operandSize }: Decoded): number {
  const x87 = x87Widths.find(([pattern]) => pattern.test(encoding));
  if (x87 !== undefined && !/ENV|SAVE|RSTOR/.test(name)) return x87[1];
  switch (name) {
    case 'JMP': case 'CALL': case 'LES': case 'LDS': case 'LSS': case 'LFS': case 'LGS': return operandSize + 16;
    case 'CMPXCHG8B': return operandSize === 64 ? 128 : 64;
    case 'BOUND': return 2 * operandSize;
    case 'SMSW': case 'SLDT': case 'STR': return 16;
    case 'INVLPG': return 8;
    default: return 0;
  }
}

const x87Widths: readonly (readonly [RegExp, number])[] = [
  [/^(?:D8|DA|D9 \/[023]) .*mem$|^(?:D8|DA|D9|DB) \/[0-3] mem$|^D[8A] \/[0-7] mem$/, 32], [/^DC \/[0-7] mem$|^DD \/[0-3] mem$|^DF \/[57] mem$/, 64],
  [/^DE \/[0-7] mem$|^DF \/[0-3] mem$/, 16], [/^DB \/[57] mem$|^DF \/[46] mem$/, 80],
];

/** Segment registers that an opcode itself names. */
const pushed: Readonly<Record<string, number>> = { '06': 0, '07': 0, '0E': 1, '16': 2, '17': 2, '1E': 3, '1F': 3, '0F A0': 4, '0F A1': 4, '0F A8': 5, '0F A9': 5 };

/** @param next address behind the instruction */
export function shownOperands(decoded: Decoded, next: bigint, codeSize: CodeSize, { prefixes, rex }: Encoded): readonly ShownOperand[] {
  const { instruction: { name, encoding, operands: codes, unit }, operands, operandSize } = decoded;
  const implied = strings[name];
  if (implied !== undefined) {
    const width = Number.parseInt(encoding, 16) & 1 ? Math.min(operandSize, name === 'INS' || name === 'OUTS' ? 32 : 64) : 8;
    return implied.flatMap((each) => each(decoded, width));
  }
  if (name === 'NOP' && encoding === '90') return prefixes.includes(0x66) ? [general(0, operandSize), general(0, operandSize)] : [];
  if (name === 'XLAT') return [pointer(decoded, RBX, 8)];
  if (unit === 'x87') return x87Operands(decoded).map((operand) => withWidth(operand, decoded));
  if (pushed[encoding] !== undefined) return [segmentRegister(pushed[encoding])];
  const [first, second] = operands;
  if (codes[0]?.startsWith('J') && first?.kind === 'immediate') return [{ kind: 'target', address: targetOf(first.value, next, operandSize, codeSize) }];
  if (codes.join() === 'Iz,Iw' && (name === 'JMP' || name === 'CALL') && first?.kind === 'immediate' && second?.kind === 'immediate') {
    return [{ kind: 'far', selector: second.value, offset: first.value }];
  }
  if (name === 'IN' || name === 'OUT') return portOperands(decoded);
  const shown = (hasNumberInName(decoded) ? operands.slice(0, 2) : operands).map((operand, at) => extended(operand, codes[at], operandSize))
    .map((operand) => registerOf(operand, decoded, rex, codeSize));
  return [...shown.map((operand) => withWidth(operand, decoded)), ...(/^(?:P?BLENDV|SHA256RNDS2)/.test(name) ? [xmm0] : [])];
}

function portOperands({ instruction: { name, encoding }, operands, operandSize }: Decoded): readonly DecodedOperand[] {
  const wide = Number.parseInt(encoding, 16) & 1;
  const moved = general(0, wide ? Math.min(operandSize, 32) : 8);
  return name === 'IN' ? [moved, ...operands] : [...operands, moved];
}

/** What is written in 32 bits and used in 64. */
function extended(operand: DecodedOperand, code: string | undefined, operandSize: number): DecodedOperand {
  if (operand.kind !== 'immediate' || code !== 'Iz' || operandSize !== 64) return operand;
  return { ...operand, width: 64, value: BigInt.asUintN(64, BigInt.asIntN(32, operand.value)) };
}

/** Registers that are shown in another width than is read or written. */
function registerOf(operand: DecodedOperand, { instruction: { name, encoding }, operandSize }: Decoded, rex: number, codeSize: CodeSize): DecodedOperand {
  if (operand.kind !== 'register' || operand.bank !== 'general') return operand;
  if (encoding === '8E /r' || name === 'LAR' || name === 'LSL') return { ...operand, width: operandSize };
  if (name === 'RDPID' && codeSize === 64) return { ...operand, width: 64 };
  return /^P?MOVMSK/.test(name) && rex & 8 ? { ...operand, width: 64 } : operand;
}

function withWidth(operand: ShownOperand, decoded: Decoded): ShownOperand {
  return operand.kind === 'memory' && operand.width === 0 ? { ...operand, width: widthOf(decoded) } : operand;
}

/** In 16-bit code an address is a linear one, whose upper bits a jump does not change. */
function targetOf(distance: bigint, next: bigint, operandSize: 16 | 32 | 64, codeSize: CodeSize): bigint {
  const target = BigInt.asUintN(codeSize === 64 && operandSize !== 16 ? 64 : operandSize, next + distance);
  return codeSize === 16 && operandSize === 16 ? (next & ~0xffffn) | target : target;
}
