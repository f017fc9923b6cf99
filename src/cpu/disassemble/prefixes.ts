/** Which prefixes an instruction makes use of; a listing names the others before it, so that none is lost. */

import type { CodeSize, Decoded, MemoryOperand } from '../decode.ts';
import { parseEncoding } from '../isa/instruction.ts';
import { isRex, type Encoded } from './encoded.ts';

const segmentNames: Readonly<Record<number, string>> = { 0x26: 'es', 0x2e: 'cs', 0x36: 'ss', 0x3e: 'ds', 0x64: 'fs', 0x65: 'gs' };

/** What takes its size from the mode or a prefix, without an operand that shows it. */
const sizedAlone = new RegExp([
  'CBW|CWD|PUSH[AF]?|POP[AF]?|LEAVE|ENTER|IRET|RETF?|CALL|JMP|J[A-Z]+|LOOP(?:N?E)?|MOVS|CMPS|STOS|LODS|SCAS|INS|OUTS|IN|OUT',
  'FNSTENV|FLDENV|FNSAVE|FRSTOR|LES|LDS|LSS|LFS|LGS|BOUND',
].map((names) => `^(?:${names})$`).join('|'));
/** Opcodes of theirs that are for bytes, or whose distance is one. */
const byteForms = /^(?:A4|A6|AA|AC|AE|6C|6E|E4|E6|EC|EE|7[0-9A-F]|EB|E[0-3])$/;
/** What REX.W widens besides. */
const widenedAlone = /^(?:CBW|CWD|IRET|RETF|SYSRET|SYSEXIT|MOVS|CMPS|STOS|LODS|SCAS|CMPXCHG8B|FXSAVE|FXRSTOR|LSS|LFS|LGS|P?MOVMSK.*|PCMPESTR[IM])$/;
/** Descriptor tables have one size in 64-bit mode. */
const tables = /^[LS][GI]DT$/;

/** Names of the prefixes that have no part in it, in their order; REP and LOCK, which have, among them. */
export function prefixNames(decoded: Decoded, encoded: Encoded, codeSize: CodeSize, isHint: boolean): readonly string[] {
  const { prefixes } = encoded;
  if (prefixes.length === 0) return [];
  const last = new Map(prefixes.map((byte, at) => [kindOf(byte, codeSize), at]));
  return prefixes.flatMap((byte, at) => {
    const counts = !(isHint && (byte === 0x66 || isRex(byte, codeSize) && byte & 8)) && last.get(kindOf(byte, codeSize)) === at;
    const name = nameOf(byte, decoded, codeSize);
    return counts && isUsed(byte, decoded, encoded, codeSize) && !isSpoken(byte, decoded) ? [] : [name];
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
  const { instruction: { operands: codes, name, encoding, repeat } } = decoded;
  const { prefix } = parseEncoding(encoding);
  const memory = decoded.operands.find((operand) => operand.kind === 'memory');
  const isString = repeat !== undefined || name === 'XLAT';
  if (isRex(byte, codeSize)) return byte === encoded.rex && isRexUsed(byte, decoded, encoded);
  switch (byte) {
    case 0x66: return prefix === '66' || encoding === '0F AE /7 mem' || ((takesSize(decoded) || (tables.test(name) && codeSize !== 64)) && (encoded.rex & 8) === 0);
    case 0x67: return isString || name === 'JRCXZ' || (memory !== undefined && !isAlone(memory, decoded, codeSize));
    case 0xf0: return decoded.lock;
    case 0xf2: case 0xf3: return prefix === (byte === 0xf2 ? 'F2' : 'F3') || decoded.repeat !== undefined || (encoding === '0F 1E /r' && byte === 0xf3 && (encoded.modrm & 0xfe) === 0xfa);
    default: return (memory !== undefined || (isString && !/^(?:STOS|SCAS|INS)$/.test(name))) && (codeSize !== 64 || byte === 0x64 || byte === 0x65) && codes[0] !== 'Jb';
  }
}

/** An address in the instruction and nothing else: how wide it is, only the prefix tells. */
function isAlone(memory: MemoryOperand, { instruction }: Decoded, codeSize: CodeSize): boolean {
  return memory.base === undefined && memory.index === undefined && (codeSize !== 64 || instruction.operands.some((code) => code.startsWith('O')));
}

/** Whether the operand size means something to it. */
function takesSize({ instruction: { name, encoding, operands: codes }, operands }: Decoded): boolean {
  if (codes.some((code) => /^(?:[EGRZIM]v|rAX|I[sz]|Ov|[EGRM]z|Jz)$/.test(code))) return true;
  return (sizedAlone.test(name) || (encoding === '8E /r' && operands.every(({ kind }) => kind === 'register')) || encoding === '90') && !byteForms.test(encoding);
}

/** Every bit that is set has to mean something; a REX without bits, that SPL and its like are meant. */
function isRexUsed(rex: number, decoded: Decoded, encoded: Encoded): boolean {
  const { name, encoding, operands: codes, default64 } = decoded.instruction;
  const memory = decoded.operands.find((operand) => operand.kind === 'memory');
  const isWidened = default64 === undefined && name !== 'RDPID'
    && (codes.some((code) => /^[EGRZMOI][vyz]$|^Is$|^rAX$/.test(code)) || (widenedAlone.test(name) && !byteForms.test(encoding)) || (encoding === '8E /r' && memory === undefined));
  const used = (isWidened ? 8 : 0)
    | (codes.some((code) => /^(?:[GV][a-z]|[CD]$)/.test(code)) ? 4 : 0)
    | (memory !== undefined && (encoded.modrm & 7) === 4 ? 2 : 0)
    | (memory !== undefined || codes.some((code) => /^[EWURZ]/.test(code)) ? 1 : 0);
  const bytes = decoded.operands.some((operand) => operand.kind === 'register' && operand.bank === 'general' && operand.width === 8);
  return (rex & 15 & ~used) === 0 && ((rex & 15) !== 0 || bytes);
}
