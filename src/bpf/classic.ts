/**
 * Classic BPF as data, as far as seccomp(2) filters need it: a program is a list of instructions and labels, and
 * `assembleClassic` turns the list into `struct sock_filter[]`. One accumulator of 32 bits, jumps only forwards.
 *
 * Source: <linux/filter.h>, <linux/bpf_common.h>, Documentation/networking/filter.rst of the kernel.
 */
import { label } from './label.ts';
import type { Label } from './label.ts';

export { label };

/** Without `goals` an instruction goes on to the next one. */
export interface ClassicInstruction {
  readonly code: number;
  /** Constant, 0 to 2^32 - 1. */
  readonly k: number;
  /** Where a conditional jump goes if its test holds and if not; undefined is the next instruction. */
  readonly goals?: readonly [ifTrue: string | undefined, ifFalse: string | undefined];
}

/** Goes to a label, at any distance; takes no room where the label follows at once. */
export interface Jump {
  readonly goal: string;
}

export type ClassicItem = ClassicInstruction | Jump | Label;

// Classes: the low three bits of a code.
export const BPF_LD = 0;
export const BPF_LDX = 1;
export const BPF_ST = 2;
export const BPF_STX = 3;
export const BPF_ALU = 4;
export const BPF_JMP = 5;
export const BPF_RET = 6;
export const BPF_MISC = 7;
/** Where a load reads: a constant, the data at an offset, the scratch memory, the length of the data. */
export const BPF_IMM = 0x00;
export const BPF_ABS = 0x20;
export const BPF_MEM = 0x60;
export const BPF_LEN = 0x80;
/** Bit 3 of arithmetic and jumps: the operand is the index register. */
export const BPF_X = 0x08;
export const BPF_JA = 0x00;
export const BPF_AND = 0x50;
/** Return the accumulator. */
export const BPF_A = 0x10;
export const BPF_TAX = 0x00;
export const BPF_TXA = 0x80;

/** Bits 4 to 7 of arithmetic. */
export const arithmetic = {
  add: 0x00, sub: 0x10, mul: 0x20, div: 0x30, or: 0x40, and: 0x50, lsh: 0x60, rsh: 0x70, neg: 0x80, mod: 0x90, xor: 0xa0,
} as const;
export type Arithmetic = keyof typeof arithmetic;

/** Bits 4 to 7 of a conditional jump; comparisons are unsigned, `jset` tests a bitwise and. */
export const conditions = { jeq: 0x10, jgt: 0x20, jge: 0x30, jset: 0x40 } as const;
export type Condition = keyof typeof conditions;

/** Loads the 32-bit word of the data at `offset`, a multiple of 4. */
export function load(offset: number): ClassicInstruction {
  return { code: BPF_LD | BPF_ABS, k: offset };
}

/** Keeps the accumulator's bits that are set in `k`. */
export function and(k: number): ClassicInstruction {
  return { code: BPF_ALU | BPF_AND, k };
}

/** Goes to one label if `accumulator condition k` holds, to the other if not; undefined is the next instruction. */
export function jump(condition: Condition, k: number, ifTrue: string | undefined, ifFalse: string | undefined): ClassicInstruction {
  return { code: BPF_JMP | conditions[condition], k, goals: [ifTrue, ifFalse] };
}

/** Goes to a label. */
export function jumpAlways(goal: string): Jump {
  return { goal };
}

/** Ends the program with a constant. */
export function ret(k: number): ClassicInstruction {
  return { code: BPF_RET, k };
}
