/** What an assembler calls an instruction of the table, whose names are the SDM's for all operand sizes together. */

import type { CodeSize, Decoded } from '../decode.ts';
import type { Encoded } from './encoded.ts';

/** By operand size: 16, 32, 64. */
type BySize = readonly [string, string, string];

/** Names that tell the size of what they do without an operand to show it. */
const sized: Readonly<Record<string, BySize>> = {
  CBW: ['cbw', 'cwde', 'cdqe'], CWD: ['cwd', 'cdq', 'cqo'], CMPXCHG8B: ['cmpxchg8b', 'cmpxchg8b', 'cmpxchg16b'],
};

/** Names with a letter for an operand size that is not the mode's own. */
const suffixed: ReadonlySet<string> = new Set([
  'PUSHF', 'POPF', 'PUSHA', 'POPA', 'LEAVE', 'ENTER', 'IRET', 'RETF', 'RET', 'FNSTENV', 'FLDENV', 'FNSAVE', 'FRSTOR',
]);
/** Pushes of what has no size of its own, and branches whose distance has. */
const suffixedOpcodes: ReadonlySet<string> = new Set(['68', '6A', '06', '07', '0E', '16', '17', '1E', '1F', '0F A0', '0F A1', '0F A8', '0F A9', 'E8', 'E9']);

const letters = { 16: 'w', 32: 'd', 64: 'q' } as const;

/** With REX.W, of 64 bits. */
const quad: Readonly<Record<string, string>> = {
  MOVD: 'movq', PEXTRD: 'pextrq', PINSRD: 'pinsrq', PCMPESTRM: 'pcmpestrmq', PCMPESTRI: 'pcmpestriq', FXSAVE: 'fxsave64', FXRSTOR: 'fxrstor64',
};

const comparisons = ['eq', 'lt', 'le', 'unord', 'neq', 'nlt', 'nle', 'ord'];
const carryless: Readonly<Record<number, string>> = { 0: 'pclmullqlqdq', 1: 'pclmulhqlqdq', 0x10: 'pclmullqhqdq', 0x11: 'pclmulhqhqdq' };

/** The others, by their encodings: an integer operand's letter, the same done by another opcode. */
const byEncoding: Readonly<Record<string, string>> = {
  'DF /4 mem': 'fbld', 'DB E0': 'fneni(8087 only)', 'DB E1': 'fndisi(8087 only)', 'DB E4': 'fnsetpm(287 only)',
};

const prefetches = ['prefetchnta', 'prefetcht0', 'prefetcht1', 'prefetcht2'];
const prefetchesForWrite = ['prefetch', 'prefetchw', 'prefetchwt1'];

/** Whether a number behind a comparison or a product without carry is in its name, and not an operand. */
export function hasNumberInName(decoded: Decoded): boolean {
  return numbered(decoded) !== undefined;
}

function numbered({ instruction: { name }, operands: [, , last] }: Decoded): string | undefined {
  if (last?.kind !== 'immediate') return undefined;
  const number = Number(last.value);
  const compared = /^CMP(PS|PD|SS|SD)$/.exec(name);
  if (compared !== null) return comparisons[number] === undefined ? undefined : `cmp${comparisons[number]}${(compared[1] as string).toLowerCase()}`;
  return name === 'PCLMULQDQ' ? carryless[number] : undefined;
}

/** In lower case, without prefixes. */
export function mnemonicOf(decoded: Decoded, encoded: Encoded, codeSize: CodeSize): string {
  const { instruction: { name, encoding }, operandSize, addressSize } = decoded;
  const ofEncoding = byEncoding[encoding];
  if (ofEncoding !== undefined) return ofEncoding;
  const bySize = sized[name];
  if (bySize !== undefined) return bySize[operandSize === 16 ? 0 : operandSize === 32 ? 1 : 2];
  if (name === 'JRCXZ') return { 16: 'jcxz', 32: 'jecxz', 64: 'jrcxz' }[addressSize];
  if (name === 'SYSRET' || name === 'SYSEXIT') return `${name.toLowerCase()}${codeSize === 64 ? letters[operandSize === 64 ? 64 : 32] : ''}`;
  if (suffixed.has(name) || suffixedOpcodes.has(encoding)) return `${name.toLowerCase()}${letterOf(decoded, codeSize)}`;
  if (/^[LS][GI]DT$/.test(name) && codeSize !== 64) return `${name.toLowerCase()}${letters[operandSize]}`;
  if (encoding === '0F AE /7 mem' && encoded.prefixes.includes(0x66)) return 'clflushopt';
  if (operandSize === 64 && quad[name] !== undefined) return quad[name];
  if (name === 'MOV' && hasWideImmediate(decoded)) return 'movabs';
  if (name.startsWith('F') && decoded.instruction.unit === 'x87') return x87Name(name, encoding);
  if (encoding === '90' && encoded.prefixes.includes(0x66)) return 'xchg';
  return numbered(decoded) ?? (name === 'NOP' ? hintOf(encoding, encoded, codeSize) : name.toLowerCase());
}

function letterOf({ operandSize, instruction: { name, default64 } }: Decoded, codeSize: CodeSize): string {
  const usual = codeSize !== 64 ? codeSize : default64 === undefined ? 32 : 64;
  return operandSize === usual || (operandSize === 64 && name.startsWith('F')) ? '' : letters[operandSize];
}

/** Eight bytes of immediate or address. */
function hasWideImmediate({ operands, operandSize, addressSize, instruction: { encoding } }: Decoded): boolean {
  if (encoding.startsWith('A')) return operands.some(({ kind }) => kind === 'memory') && addressSize === 64;
  return encoding === 'B8 +r' && operandSize === 64;
}

/** Integers in memory: FIADD, FICOM. */
function x87Name(name: string, encoding: string): string {
  return /^D[AE] .* mem$/.test(encoding) && !name.startsWith('FI') ? `fi${name.slice(1).toLowerCase()}` : name.toLowerCase();
}

/** What does nothing here is a hint to other processors. */
function hintOf(encoding: string, { modrm, prefixes }: Encoded, codeSize: CodeSize): string {
  const reg = (modrm >> 3) & 7;
  const inMemory = modrm < 0xc0;
  if (encoding === '0F 18 /r') return (inMemory ? prefetches[reg] : undefined) ?? 'nop';
  if (encoding === '0F 0D /r' && inMemory) return prefetchesForWrite[reg] ?? 'prefetch';
  if (encoding === '0F 1C /r' && reg === 0 && inMemory && !prefixes.some((byte) => byte === 0x66 || byte >= 0xf2)) return 'cldemote';
  if (encoding !== '0F 1E /r' || !prefixes.includes(0xf3)) return 'nop';
  if (modrm === 0xfa) return 'endbr64';
  if (modrm === 0xfb) return 'endbr32';
  return reg === 1 && !inMemory ? (prefixes.some((byte) => byte >> 4 === 4 && byte & 8) && codeSize === 64 ? 'rdsspq' : 'rdsspd') : 'nop';
}
