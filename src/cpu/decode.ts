/** Bytes to instructions (SDM volume 2, chapters 2 and appendix A), by the patterns of the instruction table. */

import type { Segment } from './builder.ts';
import { parseEncoding, type Instruction, type Pattern } from './isa/instruction.ts';
import { instructions } from './isa/index.ts';

/** How a code segment makes its bytes to be read: 64 is 64-bit mode; 32 and 16 are CS.D, in compatibility mode too. */
export type CodeSize = 16 | 32 | 64;

export type Bank = 'general' | 'segment' | 'control' | 'debug' | 'xmm' | 'mmx' | 'st';

export interface RegisterOperand {
  readonly kind: 'register';
  readonly bank: Bank;
  readonly number: number;
  readonly width: number;
  /** AH, CH, DH or BH: bits 8 to 15 of the register `number`. */
  readonly high: boolean;
}

export interface MemoryOperand {
  readonly kind: 'memory';
  /** In bits; 0 where only the address counts, or where the meaning says what is read. */
  readonly width: number;
  readonly segment: Segment;
  /** Number of a general register, or `rip`: the address of the next instruction. */
  readonly base: number | 'rip' | undefined;
  readonly index: number | undefined;
  /** 0 to 3: the index is shifted by so much. */
  readonly scale: number;
  readonly displacement: bigint;
}

export interface ImmediateOperand {
  readonly kind: 'immediate';
  readonly width: number;
  /** Zero-extended from its width. Of a relative target, the distance from the next instruction. */
  readonly value: bigint;
}

export type DecodedOperand = RegisterOperand | MemoryOperand | ImmediateOperand;

export interface Decoded {
  readonly instruction: Instruction;
  /** In bytes, 1 to 15. */
  readonly length: number;
  readonly operandSize: 16 | 32 | 64;
  readonly addressSize: 16 | 32 | 64;
  readonly operands: readonly DecodedOperand[];
  readonly repeat: 'rep' | 'repne' | undefined;
  readonly lock: boolean;
  /** The segment that replaces DS for what the instruction addresses without an operand (strings, XLAT). */
  readonly segment: Segment | undefined;
}

/** `short`: more bytes are needed; `invalid`: #UD; `long`: over 15 bytes, #GP. */
export type DecodeFault = 'short' | 'invalid' | 'long';

const maxLength = 15;

interface Candidate {
  readonly instruction: Instruction;
  readonly pattern: Pattern;
}

const specificity = ({ exact, reg, rm, prefix, span }: Pattern): number => (exact ? 16 : 0) + (reg === undefined ? 0 : 8) + (rm ? 4 : 0) + (prefix ? 2 : 0) + (span === 1 ? 1 : 0);

function buildTable(): ReadonlyMap<number, readonly Candidate[]> {
  const table = new Map<number, Candidate[]>();
  for (const each of instructions) {
    const pattern = parseEncoding(each.encoding);
    for (let opcode = pattern.opcode; opcode < pattern.opcode + pattern.span; opcode++) {
      const key = (pattern.map << 8) | opcode;
      table.set(key, [...(table.get(key) ?? []), { instruction: each, pattern }]);
    }
  }
  for (const candidates of table.values()) candidates.sort((a, b) => specificity(b.pattern) - specificity(a.pattern));
  return table;
}

/** Made when it is first asked for: who imports this to decode nothing need not wait for it. */
let table: ReadonlyMap<number, readonly Candidate[]> | undefined;

const legacySegments: Readonly<Record<number, Segment>> = { 0x26: 'es', 0x2e: 'cs', 0x36: 'ss', 0x3e: 'ds', 0x64: 'fs', 0x65: 'gs' };

/** What stands before the opcode. */
interface Prefixes {
  operand: boolean;
  address: boolean;
  lock: boolean;
  repeat: 'rep' | 'repne' | undefined;
  segment: Segment | undefined;
  rex: number;
}

/** Reads on in an instruction's bytes; past their end it gives zeros and remembers that. */
class Reader {
  readonly #bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get over(): boolean {
    return this.at > this.#bytes.length;
  }

  peek(): number {
    return this.#bytes[this.at] ?? 0;
  }

  byte(): number {
    return this.#bytes[this.at++] ?? 0;
  }

  /** So many bits, little endian, without a sign. */
  unsigned(bits: number): bigint {
    let value = 0n;
    for (let at = 0; at < bits; at += 8) value |= BigInt(this.byte()) << BigInt(at);
    return value;
  }

  signed(bits: number): bigint {
    return BigInt.asIntN(bits, this.unsigned(bits));
  }
}

function readPrefixes(reader: Reader, long: boolean): Prefixes {
  const found: Prefixes = { operand: false, address: false, lock: false, repeat: undefined, segment: undefined, rex: 0 };
  for (; reader.at <= maxLength; reader.at++) {
    const byte = reader.peek();
    const segment = legacySegments[byte];
    if (long && byte >> 4 === 4) {
      found.rex = byte;
      continue;
    }
    if (byte === 0x66) found.operand = true;
    else if (byte === 0x67) found.address = true;
    else if (byte === 0xf0) found.lock = true;
    else if (byte === 0xf2 || byte === 0xf3) found.repeat = byte === 0xf2 ? 'repne' : 'rep';
    // In 64-bit mode only FS and GS count; the others are read over and do not take them back.
    else if (segment !== undefined) found.segment = long && segment !== 'fs' && segment !== 'gs' ? found.segment : segment;
    else break;
    // A REX that does not stand right before the opcode is none.
    found.rex = 0;
  }
  return found;
}

function readOpcode(reader: Reader): { map: number; opcode: number } {
  const first = reader.byte();
  if (first !== 0x0f) return { map: 0, opcode: first };
  const second = reader.byte();
  if (second !== 0x38 && second !== 0x3a) return { map: 1, opcode: second };
  return { map: second === 0x38 ? 2 : 3, opcode: reader.byte() };
}

function matches({ instruction, pattern }: Candidate, prefixes: Prefixes, modrm: number, long: boolean): boolean {
  if (instruction.mode !== undefined && (instruction.mode === 'long') !== long) return false;
  if (instruction.withoutRexB && prefixes.rex & 1) return false;
  if (pattern.exact && (modrm < pattern.exact[0] || modrm > pattern.exact[1])) return false;
  if (pattern.reg !== undefined && ((modrm >> 3) & 7) !== pattern.reg) return false;
  if (pattern.rm !== undefined && modrm >= 0xc0 !== (pattern.rm === 'reg')) return false;
  if (pattern.prefix === undefined) return true;
  const given = prefixes.repeat === 'rep' ? 'F3' : prefixes.repeat === 'repne' ? 'F2' : prefixes.operand ? '66' : 'NP';
  return given === pattern.prefix;
}

/**
 * The instruction that these bytes begin with.
 * @param bytes up to 15; fewer where the memory behind them can't be read
 */
export function decode(bytes: Uint8Array, codeSize: CodeSize): Decoded | DecodeFault {
  const reader = new Reader(bytes);
  const long = codeSize === 64;
  const prefixes = readPrefixes(reader, long);
  const { map, opcode } = readOpcode(reader);
  // What goes on behind the bytes that there are may be any instruction of its opcode.
  const more = bytes.length >= maxLength ? 'long' : 'short';
  table ??= buildTable();
  const candidates = table.get((map << 8) | opcode) ?? [];
  if (reader.over || (reader.at === bytes.length && candidates.some(({ pattern }) => pattern.modrm))) return more;
  const modrm = reader.peek();
  const found = candidates.find((candidate) => matches(candidate, prefixes, modrm, long));
  if (found === undefined) return 'invalid';
  const decoded = new OperandReader(reader, found, prefixes, codeSize, opcode).decode();
  if (reader.over) return more;
  if (reader.at > maxLength) return 'long';
  return decoded;
}

class OperandReader {
  readonly #reader: Reader;
  readonly #instruction: Instruction;
  readonly #pattern: Pattern;
  readonly #prefixes: Prefixes;
  readonly #opcode: number;
  readonly #operandSize: 16 | 32 | 64;
  readonly #addressSize: 16 | 32 | 64;
  readonly #long: boolean;
  #modrm = 0;
  #memory: Omit<MemoryOperand, 'width'> | undefined;

  constructor(reader: Reader, { instruction, pattern }: Candidate, prefixes: Prefixes, codeSize: CodeSize, opcode: number) {
    this.#reader = reader;
    this.#instruction = instruction;
    this.#pattern = pattern;
    this.#prefixes = prefixes;
    this.#opcode = opcode;
    this.#long = codeSize === 64;
    const narrow = prefixes.operand && pattern.prefix !== '66';
    this.#operandSize = operandSizeOf(codeSize, narrow, prefixes.rex, instruction);
    this.#addressSize = codeSize === 64 ? (prefixes.address ? 32 : 64) : (codeSize === 16) === prefixes.address ? 32 : 16;
  }

  decode(): Decoded | 'invalid' {
    if (this.#pattern.modrm) {
      this.#modrm = this.#reader.byte();
      // MOV with control and debug registers does not look at the field that tells memory.
      const isPlain = !this.#instruction.operands.some((code) => code === 'C' || code === 'D');
      if (this.#modrm < 0xc0 && isPlain) this.#memory = this.#addressSize === 16 ? this.#memory16() : this.#memory32();
    }
    const operands: DecodedOperand[] = [];
    for (const code of this.#instruction.operands) {
      const operand = this.#operand(code);
      if (operand === undefined) return 'invalid';
      operands.push(operand);
    }
    const { lock, repeat, segment } = this.#prefixes;
    if (lock && !(this.#instruction.lock === true && operands[0]?.kind === 'memory')) return 'invalid';
    const repeats = this.#instruction.repeat === undefined ? undefined : this.#instruction.repeat === 'count' && repeat ? 'rep' : repeat;
    return {
      instruction: this.#instruction, length: this.#reader.at, operandSize: this.#operandSize, addressSize: this.#addressSize, operands, repeat: repeats, lock, segment,
    };
  }

  /** Undefined for a register that there is none of. */
  #operand(code: string): DecodedOperand | undefined {
    const letter = code[0] as string;
    const width = this.#width(code.slice(1));
    const { rex } = this.#prefixes;
    const reg = ((this.#modrm >> 3) & 7) | ((rex & 4) << 1);
    const rm = (this.#modrm & 7) | ((rex & 1) << 3);
    switch (code) {
      case 'AL': return this.#general(0, 8);
      case 'CL': return this.#general(1, 8);
      case 'DX': return this.#general(2, 16);
      case 'rAX': return this.#general(0, this.#operandSize);
      case '1': return { kind: 'immediate', width: 8, value: 1n };
      case 'ST': return register('st', 0, 80);
      case 'STi': return register('st', this.#modrm & 7, 80);
      default:
    }
    switch (letter) {
      case 'E': return this.#memory ? { ...this.#memory, width } : this.#general(rm, width);
      case 'M': return this.#memory && { ...this.#memory, width };
      case 'R': return this.#memory ? undefined : this.#general(rm, width);
      case 'G': return this.#general(reg, width);
      case 'Z': return this.#general((this.#opcode & 7) | ((rex & 1) << 3), width);
      case 'I': return code === 'Is' ? this.#immediate(8, this.#operandSize) : this.#immediate(width, width);
      case 'J': return this.#immediate(width, 64);
      case 'O': return this.#absolute(width);
      case 'S': return (reg & 7) < 6 ? register('segment', reg & 7, 16) : undefined;
      case 'C': return [0, 2, 3, 4, 8].includes(reg) ? register('control', reg, this.#long ? 64 : 32) : undefined;
      case 'D': return reg < 8 ? register('debug', reg, this.#long ? 64 : 32) : undefined;
      case 'V': return register('xmm', reg, width);
      case 'U': return this.#memory ? undefined : register('xmm', rm, width);
      case 'W': return this.#memory ? { ...this.#memory, width } : register('xmm', rm, width);
      case 'P': return register('mmx', reg & 7, width);
      case 'N': return this.#memory ? undefined : register('mmx', rm & 7, width);
      case 'Q': return this.#memory ? { ...this.#memory, width } : register('mmx', rm & 7, width);
      default: throw new Error(`${this.#instruction.name}: no operand is called ${code}`);
    }
  }

  #width(size: string): number {
    const fixed = { b: 8, w: 16, d: 32, q: 64, x: 128 }[size];
    if (fixed !== undefined) return fixed;
    if (size === 'v') return this.#operandSize;
    if (size === 'z') return Math.min(this.#operandSize, 32);
    return size === 'y' ? Math.max(this.#operandSize, 32) : 0;
  }

  #general(number: number, width: number): RegisterOperand {
    const high = width === 8 && this.#prefixes.rex === 0 && number >= 4 && number < 8;
    return { kind: 'register', bank: 'general', number: high ? number - 4 : number, width, high };
  }

  #immediate(bits: number, width: number): ImmediateOperand {
    return { kind: 'immediate', width, value: BigInt.asUintN(width, this.#reader.signed(bits)) };
  }

  #absolute(width: number): MemoryOperand {
    const displacement = this.#reader.unsigned(this.#addressSize);
    return { kind: 'memory', width, segment: this.#prefixes.segment ?? 'ds', base: undefined, index: undefined, scale: 0, displacement };
  }

  /** SDM volume 2, table 2-1. */
  #memory16(): Omit<MemoryOperand, 'width'> {
    const mod = this.#modrm >> 6;
    const rm = this.#modrm & 7;
    const direct = mod === 0 && rm === 6;
    const [base, index] = [[3, 6], [3, 7], [5, 6], [5, 7], [6], [7], [5], [3]][rm] as [number, number?];
    const displacement = direct || mod === 2 ? this.#reader.signed(16) : mod === 1 ? this.#reader.signed(8) : 0n;
    const segment = this.#prefixes.segment ?? (base === 5 && !direct ? 'ss' : 'ds');
    return { kind: 'memory', segment, base: direct ? undefined : base, index: direct ? undefined : index, scale: 0, displacement };
  }

  /** SDM volume 2, tables 2-2 and 2-3, and 2.2.1 for REX. */
  #memory32(): Omit<MemoryOperand, 'width'> {
    const mod = this.#modrm >> 6;
    const { rex } = this.#prefixes;
    let base: number | 'rip' | undefined = (this.#modrm & 7) | ((rex & 1) << 3);
    let index: number | undefined;
    let scale = 0;
    if ((this.#modrm & 7) === 4) {
      const sib = this.#reader.byte();
      scale = sib >> 6;
      index = ((sib >> 3) & 7) | ((rex & 2) << 2);
      if (index === 4) index = undefined;
      base = (sib & 7) | ((rex & 1) << 3);
      if ((sib & 7) === 5 && mod === 0) base = undefined;
    } else if ((this.#modrm & 7) === 5 && mod === 0) {
      base = this.#long ? 'rip' : undefined;
    }
    const wide = mod === 2 || (mod === 0 && (base === undefined || base === 'rip'));
    const displacement = wide ? this.#reader.signed(32) : mod === 1 ? this.#reader.signed(8) : 0n;
    const segment = this.#prefixes.segment ?? (base === 4 || base === 5 ? 'ss' : 'ds');
    const moved = this.#instruction.addressAfterPop && base === 4 ? displacement + BigInt(this.#operandSize / 8) : displacement;
    return { kind: 'memory', segment, base, index, scale, displacement: moved };
  }
}

function operandSizeOf(codeSize: CodeSize, narrow: boolean, rex: number, { default64 }: Instruction): 16 | 32 | 64 {
  if (codeSize !== 64) return (codeSize === 16) === narrow ? 32 : 16;
  if (rex & 8) return 64;
  if (default64 === 'always') return 64;
  if (narrow) return 16;
  return default64 === undefined ? 32 : 64;
}

const register = (bank: Bank, number: number, width: number): RegisterOperand => ({ kind: 'register', bank, number, width, high: false });
