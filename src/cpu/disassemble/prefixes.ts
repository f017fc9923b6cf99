/** Which prefixes an instruction makes use of; a listing names the others before it, so that none is lost. */

import type { CodeSize, Decoded, MemoryOperand } from '../decode.ts';
import { parseEncoding } from '../isa/instruction.ts';
import { isRex, type Encoded } from './encoded.ts';
import { takesSize, takesWide } from './sizes.ts';

const segmentNames: Readonly<Record<number, string>> = { 0x26: 'es', 0x2e: 'cs', 0x36: 'ss', 0x3e: 'ds', 0x64: 'fs', 0x65: 'gs' };

/** Names of the prefixes that have no part in it, in their order; REP and LOCK, which have, among them. */
export function prefixNames(decoded: Decoded, encoded: Encoded, codeSize: CodeSize, isHint: boolean): readonly string[] {
  const { prefixes } = encoded;
  if (prefixes.length === 0) return [];
  const last = new Map(prefixes.map((byte, at) => [kindOf(byte, codeSize), at]));
  return prefixes.flatMap((byte, at) => {
    // Of several of a kind the last one counts. A hint has no size.
    const counts = last.get(kindOf(byte, codeSize)) === at && !(isHint && (byte === 0x66 || (isRex(byte, codeSize) && (byte & 8) !== 0)));
    return counts && isUsed(byte, decoded, encoded, codeSize) && !isSpoken(byte, decoded) ? [] : [nameOf(byte, decoded, codeSize)];
  });
}

function kindOf(byte: number, codeSize: CodeSize): string {
  if (isRex(byte, codeSize)) return 'rex';
  if (byte === 0xf2 || byte === 0xf3) return 'repeat';
  return segmentNames[byte] === undefined ? `${byte}` : 'segment';
}

/** One that is used and named all the same. */
const isSpoken = (byte: number, { lock, repeat }: Decoded): boolean => (byte === 0xf0 && lock) || (byte >= 0xf2 && repeat !== undefined);

function nameOf(byte: number, decoded: Decoded, codeSize: CodeSize): string {
  if (isRex(byte, codeSize)) {
    const bits = ['B', 'X', 'R', 'W'].filter((_, bit) => byte & (1 << bit)).toReversed().join('');
    return bits === '' ? 'rex' : `rex.${bits}`;
  }
  switch (byte) {
    case 0x66: return codeSize === 16 ? 'data32' : 'data16';
    case 0x67: return codeSize === 32 ? 'addr16' : 'addr32';
    case 0xf0: return 'lock';
    case 0xf2: return isBranch(decoded) ? 'bnd' : 'repnz';
    case 0xf3: return decoded.instruction.repeat === 'count' ? 'rep' : 'repz';
    default: return byte === 0x3e && isIndirect(decoded) ? 'notrack' : segmentNames[byte] as string;
  }
}

const isIndirect = ({ instruction: { name, encoding } }: Decoded): boolean => (name === 'JMP' || name === 'CALL') && /^FF \/[24]$/.test(encoding);
const isBranch = ({ instruction: { name } }: Decoded): boolean => /^(?:JMP|CALL|RET|J(?!RCXZ)[A-Z]+)$/.test(name);

function isUsed(byte: number, decoded: Decoded, encoded: Encoded, codeSize: CodeSize): boolean {
  const { instruction: { name, encoding, repeat, operands: codes }, operands } = decoded;
  const { prefix } = parseEncoding(encoding);
  const memory = operands.find((operand) => operand.kind === 'memory');
  const isString = repeat !== undefined || name === 'XLAT';
  if (isRex(byte, codeSize)) return byte === encoded.rex && isRexUsed(byte, decoded, encoded);
  switch (byte) {
    case 0x66: return prefix === '66' || (takesSize(decoded, codeSize) && (encoded.rex & 8) === 0);
    case 0x67: return isString || name === 'JRCXZ' || (memory !== undefined && !isAlone(memory, decoded, codeSize));
    case 0xf0: return decoded.lock;
    case 0xf2: return prefix === 'F2' || decoded.repeat !== undefined;
    case 0xf3: return prefix === 'F3' || decoded.repeat !== undefined || (encoding === '0F 1E /r' && isEndBranch(encoded));
    default: {
      const isRead = memory !== undefined || (isString && !/^(?:STOS|SCAS|INS)$/.test(name));
      return isRead && (codeSize !== 64 || byte === 0x64 || byte === 0x65) && codes[0] !== 'Jb';
    }
  }
}

/** ENDBR64 or ENDBR32, behind F3 0F 1E. */
const isEndBranch = ({ modrm }: Encoded): boolean => modrm === 0xfa || modrm === 0xfb;

/** An address in the instruction and nothing else: how wide it is, only the prefix tells. */
function isAlone(memory: MemoryOperand, { instruction }: Decoded, codeSize: CodeSize): boolean {
  return memory.base === undefined && memory.index === undefined && (codeSize !== 64 || instruction.operands.some((code) => code.startsWith('O')));
}

/** Every bit that is set has to mean something; a REX without bits, that SPL and its like are meant. */
function isRexUsed(rex: number, decoded: Decoded, { modrm }: Encoded): boolean {
  const { instruction: { operands: codes }, operands } = decoded;
  const memory = operands.some((operand) => operand.kind === 'memory');
  const w = takesWide(decoded) ? 8 : 0;
  const r = codes.some((code) => /^(?:[GV][a-z]|[CD]$)/.test(code)) ? 4 : 0;
  const x = memory && (modrm & 7) === 4 ? 2 : 0;
  const b = memory || codes.some((code) => /^[EWURZ]/.test(code)) ? 1 : 0;
  const hasByte = operands.some((operand) => operand.kind === 'register' && operand.bank === 'general' && operand.width === 8);
  return (rex & 15 & ~(w | r | x | b)) === 0 && ((rex & 15) !== 0 || hasByte);
}
