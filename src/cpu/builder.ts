/**
 * What an instruction's meaning is written in. A meaning runs once for each use of it: on the oracle it computes, on an emitter it writes code
 * that computes. It is straight-line: values in, values out, and what depends on a condition stands in `select` or `when`.
 *
 * Nothing of the processor changes before the last access that can fault: `set` of a register, flags and jumps are kept and done in their
 * order at the end, so a reader sees the registers as they were before the instruction. A store is done where it stands; at most one
 * stands in a meaning, behind every load. What is read, changed and written back is probed for writing by the read (`get` of an operand that
 * is written, `modify`), so that its store cannot fault.
 */

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

/** Bits of RFLAGS (SDM volume 1, 3.4.3). */
export const RFLAGS = {
  CF: 1, PF: 1 << 2, AF: 1 << 4, ZF: 1 << 6, SF: 1 << 7, TF: 1 << 8, IF: 1 << 9, DF: 1 << 10, OF: 1 << 11, NT: 1 << 14, RF: 1 << 16, VM: 1 << 17, AC: 1 << 18,
  VIF: 1 << 19, VIP: 1 << 20, ID: 1 << 21,
} as const;

/** The sixteen conditions of Jcc, SETcc and CMOVcc in the order of their encoding (SDM volume 1, appendix B). */
export const conditions = ['o', 'no', 'b', 'ae', 'e', 'ne', 'be', 'a', 's', 'ns', 'p', 'np', 'l', 'ge', 'le', 'g'] as const;
export type Condition = (typeof conditions)[number];

/** How the flags follow from an operation: what both engines keep instead of flags until somebody asks. */
export type FlagKind = 'add' | 'sub' | 'logic' | 'inc' | 'dec';

export type Binary = 'add' | 'sub' | 'mul' | 'and' | 'or' | 'xor' | 'shl' | 'shr' | 'sar' | 'rotl' | 'rotr';
export type Compare = 'eq' | 'ne' | 'ltU' | 'ltS' | 'leU' | 'leS';
export type Unary = 'not' | 'neg' | 'popcnt' | 'clz' | 'ctz' | 'bswap';

export interface Builder {
  /** Bits of the operand-size attribute, of the code segment's address size, and of the mode: 64, or 32 for everything older. */
  readonly operandSize: 16 | 32 | 64;
  readonly long: boolean;

  constant(width: Width, value: number | bigint): Value;
  get(operand: Operand): Value;
  /** As `get`, for an operand that is going to be `set`: memory is probed for writing. */
  modify(operand: Operand): Value;
  set(operand: Operand, value: Value): void;
  /** The linear address of a memory operand without its segment's base, as LEA gives it. */
  address(operand: Operand): Value;
  /** A register by its name as encoded: 0 is RAX. 32 bits clear the upper half of 64, 8 and 16 keep the rest. */
  register(number: number, width: Width): Operand;

  /** Both of the same width; shifts and rotations by a count of less than it. */
  binary(operation: Binary, x: Value, y: Value): Value;
  unary(operation: Unary, x: Value): Value;
  compare(operation: Compare, x: Value, y: Value): Value;
  select(condition: Value, yes: Value, no: Value): Value;
  zeroExtend(x: Value, width: Width): Value;
  signExtend(x: Value, width: Width): Value;
  truncate(x: Value, width: Width): Value;
  /** The upper half of the product. */
  mulHigh(x: Value, y: Value, signed: boolean): Value;

  flag(flag: Flag): Value;
  condition(condition: Condition): Value;
  /** All six flags, as they follow from `result = x (operation) y`. */
  flags(kind: FlagKind, x: Value, y: Value, result: Value): void;
  /** These flags alone, each a condition; the others stay. */
  setFlags(flags: Partial<Record<Flag, Value>>): void;

  /** `then` is done at the end, if the condition holds. It may set registers and flags, from values computed in it or before; it does not access memory. */
  when(condition: Value, then: () => void): void;
  /** Ends the instruction with an exception unless the condition is false. */
  faultIf(condition: Value, vector: number, errorCode?: number): void;

  load(segment: Segment, address: Value, width: Width): Value;
  store(segment: Segment, address: Value, value: Value): void;
  push(value: Value): void;

  /** Where the next instruction begins, in bits of the mode. */
  nextRip(): Value;
  jump(target: Value): void;
  jumpIf(condition: Value, target: Value): void;

  /** A pure function that is too large to write out; see src/cpu/helpers.ts. */
  call(helper: string, ...values: Value[]): Value;
  /** The whole instruction is done outside, with these values; it may change anything. See src/cpu/system. */
  system(operation: string, ...values: Value[]): void;
}

export type Segment = 'es' | 'cs' | 'ss' | 'ds' | 'fs' | 'gs' | 'none';
