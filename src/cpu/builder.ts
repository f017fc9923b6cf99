/**
 * What an instruction's meaning is written in. A meaning runs once for each use of it: on the oracle it computes, on an emitter it writes code
 * that computes. It is straight-line: values in, values out, and what depends on a condition stands in `select` or `when`.
 *
 * Nothing of the processor changes before the last access that can fault: `set` of a register, flags and jumps are kept and done in their
 * order at the end, so a reader sees the registers as they were before the instruction. A store is done where it stands; at most one
 * stands in a meaning, behind every load. What is read, changed and written back is probed for writing by the read (`get` of an operand that
 * is written, `modify`), so that its store cannot fault.
 */

import type { HelperName } from './helpers.ts';
import type { StateName } from './registers.ts';

/** Bits of a value. 1 is a condition; 128 a vector. */
export type Width = 1 | 8 | 16 | 32 | 64 | 128;

/** A value of so many bits, zero above them. */
export interface Value {
  readonly width: Width;
}

/** An operand of the instruction at hand: register, memory or immediate. */
export interface Operand {
  readonly width: Width;
  readonly kind: 'register' | 'memory' | 'immediate';
}

/** The arithmetic flags. */
export type Flag = 'CF' | 'PF' | 'AF' | 'ZF' | 'SF' | 'OF';

/** What a meaning reads and sets: the direction of strings too. */
export type AnyFlag = Flag | 'DF';

/** Bits of RFLAGS (SDM volume 1, 3.4.3). */
export const RFLAGS = {
  CF: 1, PF: 1 << 2, AF: 1 << 4, ZF: 1 << 6, SF: 1 << 7, TF: 1 << 8, IF: 1 << 9, DF: 1 << 10, OF: 1 << 11, NT: 1 << 14, RF: 1 << 16, VM: 1 << 17, AC: 1 << 18,
  VIF: 1 << 19, VIP: 1 << 20, ID: 1 << 21,
} as const;

/** CF, PF, AF, ZF, SF and OF. */
export const arithmeticFlags = RFLAGS.CF | RFLAGS.PF | RFLAGS.AF | RFLAGS.ZF | RFLAGS.SF | RFLAGS.OF;

/** The sixteen conditions of Jcc, SETcc and CMOVcc in the order of their encoding (SDM volume 1, appendix B). */
export const conditions = ['o', 'no', 'b', 'ae', 'e', 'ne', 'be', 'a', 's', 'ns', 'p', 'np', 'l', 'ge', 'le', 'g'] as const;
export type Condition = (typeof conditions)[number];

/** How the flags follow from an operation: what both engines keep instead of flags until somebody asks. */
export type FlagKind = 'add' | 'sub' | 'logic' | 'inc' | 'dec';

export type Binary = 'add' | 'sub' | 'mul' | 'and' | 'or' | 'xor' | 'shl' | 'shr' | 'sar' | 'rotl' | 'rotr';
export type Compare = 'eq' | 'ne' | 'ltU' | 'ltS' | 'leU' | 'leS';
export type Unary = 'not' | 'neg' | 'popcnt' | 'clz' | 'ctz' | 'bswap';

/** What a memory operand lies in; `data` is DS, or what a prefix says instead. */
export type Segment = 'es' | 'cs' | 'ss' | 'ds' | 'fs' | 'gs';

export interface Builder {
  /** Bits of the operand-size attribute; of addresses; whether the code is in 64-bit mode. */
  readonly operandSize: 16 | 32 | 64;
  readonly addressSize: 16 | 32 | 64;
  readonly long: boolean;
  /** The repeat prefix, of instructions that take one. */
  readonly repeat: 'rep' | 'repne' | undefined;

  constant(width: Width, value: number | bigint): Value;
  get(operand: Operand): Value;
  /** As `get`, of an operand that is going to be `set`: memory is probed for writing. */
  modify(operand: Operand): Value;
  /** Of a register at the end, of memory at once. 32 bits clear the upper half of a general register, 8 and 16 keep the rest; a vector's rest stays. */
  set(operand: Operand, value: Value): void;
  /** The offset of a memory operand in its segment, as LEA gives it: 64 bits, wrapped to the address size. */
  address(operand: Operand): Value;
  /** A memory operand that has to lie at a multiple of its width: else its access ends with #GP, before any fault of its page. */
  aligned(operand: Operand): Operand;
  /** A member of the processor's state that no encoding names (MXCSR, x87's words). */
  state(name: StateName, width: Width): Operand;
  /** A general register by its number in an encoding: 0 is RAX. */
  register(number: number, width: Width): Operand;
  /** The number of a register's operand, in 64 bits: what `system` wants of one that it is to set. */
  number(operand: Operand): Value;
  /** The number of the segment that a memory operand is in, or without one that `data` is, in 64 bits. */
  segment(operand?: Operand): Value;
  /** Memory at an offset of 64 bits in a segment. */
  at(segment: Segment | 'data', offset: Value, width: Width): Operand;
  /** Memory at an offset of 64 bits from where a memory operand begins. */
  displaced(operand: Operand, offset: Value): Operand;
  /** Memory so many bytes behind where a memory operand begins. */
  field(operand: Operand, bytes: number, width: Width): Operand;

  /** Both of the same width; shifts and rotations by a count that is less than it. */
  binary(operation: Binary, x: Value, y: Value): Value;
  unary(operation: Unary, x: Value): Value;
  compare(operation: Compare, x: Value, y: Value): Value;
  select(condition: Value, yes: Value, no: Value): Value;
  zeroExtend(x: Value, width: Width): Value;
  signExtend(x: Value, width: Width): Value;
  truncate(x: Value, width: Width): Value;
  /** The upper half of the product of 64 bits by 64. */
  mulHigh(x: Value, y: Value, signed: boolean): Value;
  /** An operation on vectors by its WebAssembly name: of 128 bits, or of 32 for `bitmask`, `any_true` and `all_true`. A shift's count has 32. */
  vector(operation: string, ...values: Value[]): Value;
  /** The lane of this width that so many of them lie below. */
  extractLane(vector: Value, width: 8 | 16 | 32 | 64, lane: number): Value;
  replaceLane(vector: Value, lane: number, value: Value): Value;
  /** Sixteen bytes out of the 32 of x (0 to 15) and y. */
  shuffle(x: Value, y: Value, bytes: readonly number[]): Value;
  /** A pure function that is too large to write out. */
  call(helper: HelperName, ...values: Value[]): Value;

  flag(flag: AnyFlag): Value;
  condition(condition: Condition): Value;
  /** All six flags, as they follow from `result = x (operation) y`. */
  flags(kind: FlagKind, x: Value, y: Value, result: Value): void;
  /** ZF, SF and PF as the result has them, these as given, each a condition, and of CF, AF and OF the others clear. */
  flagsOf(result: Value, given: Partial<Record<'CF' | 'AF' | 'OF', Value>>): void;
  /** These flags alone, each a condition; the others stay. */
  setFlags(flags: Partial<Record<AnyFlag, Value>>): void;

  /** `then` is done at the end, if the condition holds. It sets registers and flags or jumps; it does not access memory. */
  when(condition: Value, then: () => void): void;
  /** The instruction is over and has done nothing, if the condition holds. */
  finishIf(condition: Value): void;
  /** Ends the instruction with an exception, if the condition holds. */
  faultIf(condition: Value, vector: number, errorCode?: number): void;

  /** Onto the stack, and RSP at the end. */
  push(value: Value): void;
  /** From the stack, and RSP at the end. Of what is set later, a write to RSP wins. */
  pop(width: Width): Value;
  /** Behind a pop: RSP moves on by so many bytes more. */
  release(bytes: Value): void;

  /** The address of the next instruction, in 64 bits. */
  nextRip(): Value;
  /** To a new RIP, at the very end. */
  jump(target: Value): void;
  /** By a distance that the instruction holds, if the condition holds or there is none. */
  branch(distance: Operand, condition?: Value): void;
  /** The instruction is executed once more, as long as the condition holds: a step of a repeated one. */
  again(condition: Value): void;

  /** The whole instruction is done outside, with these values of 64 bits; it may change anything, RIP too. See src/cpu/system. */
  system(operation: string, ...values: Value[]): void;
  /** The same if the condition holds; else it goes on behind this. */
  systemIf(condition: Value, operation: string, ...values: Value[]): void;
}
