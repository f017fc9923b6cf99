/** Operands as Intel's manuals write them, in the dress of GNU objdump's `-M intel`. */

import type { CodeSize, Decoded, MemoryOperand, RegisterOperand } from '../decode.ts';
import type { Encoded } from './encoded.ts';
import type { ShownOperand } from './operands.ts';

const bytes = ['al', 'cl', 'dl', 'bl', 'spl', 'bpl', 'sil', 'dil'];
const highBytes = ['ah', 'ch', 'dh', 'bh'];
const words = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'];
const segments = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'];
const letters: Readonly<Record<number, string>> = { 8: 'b', 16: 'w', 32: 'd' };

/** A general register's name by its number. */
export function generalName(number: number, width: number): string {
  if (number >= 8) return `r${number}${letters[width] ?? ''}`;
  if (width === 8) return bytes[number] as string;
  return `${{ 16: '', 32: 'e', 64: 'r' }[width] ?? ''}${words[number]}`;
}

export function registerName({ bank, number, width, high }: RegisterOperand): string {
  switch (bank) {
    case 'general': return high ? highBytes[number] as string : generalName(number, width);
    case 'segment': return segments[number] as string;
    case 'control': return `cr${number}`;
    case 'debug': return `dr${number}`;
    case 'xmm': return `xmm${number}`;
    case 'mmx': return `mm${number}`;
    case 'st': return `st(${number})`;
    default: return bank satisfies never;
  }
}

const pointers: Readonly<Record<number, string>> = {
  8: 'BYTE', 16: 'WORD', 32: 'DWORD', 48: 'FWORD', 64: 'QWORD', 80: 'TBYTE', 128: 'XMMWORD',
};

export const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** A distance behind registers, with its sign. */
const signed = (value: bigint): string => (value < 0n ? `-${hex(-value)}` : `+${hex(value)}`);

/** What stands in brackets, or an address alone behind its segment. */
export function addressText(operand: MemoryOperand, { instruction, addressSize, operandSize }: Decoded, { modrm, sib }: Encoded, codeSize: CodeSize): string {
  const { base, index, scale } = operand;
  const popped = instruction.addressAfterPop === true && base === 4 ? BigInt(operandSize / 8) : 0n;
  const displacement = operand.displacement - popped;
  const hasModrm = instruction.operands.some((code) => /^[EMWQ]/.test(code));
  const isScaled = hasModrm && addressSize !== 16 && (modrm & 7) === 4;
  const parts = [
    ...(base === undefined ? [] : [base === 'rip' ? (addressSize === 64 ? 'rip' : 'eip') : generalName(base, addressSize)]),
    ...(index !== undefined && addressSize === 16 ? [generalName(index, 16)] : []),
    ...(index !== undefined && addressSize !== 16 ? [`${generalName(index, addressSize)}*${1 << scale}`] : []),
    // An index that is none, where the encoding could have done without it.
    ...(isScaled && index === undefined && hasIdleIndex(operand, sib, addressSize, codeSize) ? [`${addressSize === 64 ? 'riz' : 'eiz'}*${1 << scale}`] : []),
  ];
  if (parts.length === 0) return hex(BigInt.asUintN(addressSize, displacement));
  const isWritten = base === 'rip' || base === undefined || (hasModrm && modrm >> 6 !== 0);
  // Without registers of the guest's an address is one, and no distance; from RIP it is meant so, as the place is told behind it.
  const wraps = base === 'rip' || (base === undefined && index === undefined);
  return `[${parts.join('+')}${!isWritten ? '' : wraps ? `+${hex(BigInt.asUintN(addressSize, displacement))}` : signed(displacement)}]`;
}

function hasIdleIndex({ base }: MemoryOperand, sib: number, addressSize: 16 | 32 | 64, codeSize: CodeSize): boolean {
  if (base === undefined) return codeSize === 64 ? addressSize === 32 || sib >> 6 !== 0 : true;
  return sib >> 6 !== 0 || (typeof base === 'number' && (base & 7) !== 4);
}

/** @param shownSegment whether an address alone has a segment before it */
function memoryText(operand: MemoryOperand, decoded: Decoded, encoded: Encoded, codeSize: CodeSize): string {
  const address = addressText(operand, decoded, encoded, codeSize);
  const size = decoded.instruction.name === 'CMPXCHG8B' && operand.width === 128 ? 'OWORD' : pointers[operand.width];
  const isImplied = decoded.instruction.repeat !== undefined || decoded.instruction.name === 'XLAT';
  const hasSegment = decoded.segment !== undefined || isImplied || !address.startsWith('[');
  const isAbsolute = decoded.instruction.operands.some((code) => code.startsWith('O'));
  return `${size === undefined || isAbsolute || decoded.instruction.name === 'LDDQU' ? '' : `${size} PTR `}${hasSegment ? `${operand.segment}:` : ''}${address}`;
}

/** One operand in words. */
export function operandText(operand: ShownOperand, decoded: Decoded, encoded: Encoded, codeSize: CodeSize): string {
  switch (operand.kind) {
    case 'register': return registerName(operand);
    case 'immediate': return decoded.instruction.operands.includes('1') ? '1' : hex(operand.value);
    case 'memory': return memoryText(operand, decoded, encoded, codeSize);
    case 'top': return 'st';
    case 'target': return hex(operand.address);
    case 'far': return `${hex(operand.selector)}:${hex(operand.offset)}`;
    default: return operand satisfies never;
  }
}
