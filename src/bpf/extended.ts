/**
 * Extended BPF as data: an instruction is an object, a program is a list of instructions and labels, and
 * `assembleExtended` turns the list into the bytes that bpf(BPF_PROG_LOAD) takes.
 *
 * Source: <linux/bpf.h>, <linux/bpf_common.h>, Documentation/bpf/standardization/instruction-set.rst of the kernel.
 */
import { label } from './label.ts';
import type { Label } from './label.ts';

export { label };

/** r0 is the result, r1 the context at the start, r1-r5 arguments, r6-r9 kept over calls, r10 the frame pointer (read only). */
export interface Register {
  readonly register: number;
}

export const [r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10] = Array.from({ length: 11 }, (_, register): Register => ({ register })) as [
  Register, Register, Register, Register, Register, Register, Register, Register, Register, Register, Register,
];

/** A register, or a constant of 32 bits; 64-bit operations extend its sign. */
export type Operand = Register | number;

/** Width of a memory access in bytes. */
export type Width = 1 | 2 | 4 | 8;

/** `struct bpf_insn`; `offset` is a jump's goal or the displacement of a memory access in bytes. */
export interface ExtendedInstruction {
  readonly opcode: number;
  readonly dst: number;
  readonly src: number;
  readonly offset: number | Label;
  /** 32 bits, signed or unsigned; only `loadImm64` has 64. */
  readonly imm: number | bigint;
}

export type ExtendedItem = ExtendedInstruction | Label;

// Classes: the low three bits of an opcode.
export const BPF_LD = 0x00;
export const BPF_LDX = 0x01;
export const BPF_ST = 0x02;
export const BPF_STX = 0x03;
export const BPF_ALU = 0x04;
export const BPF_JMP = 0x05;
export const BPF_JMP32 = 0x06;
export const BPF_ALU64 = 0x07;
/** Bit 3 of arithmetic and jumps: the operand is a register. */
export const BPF_X = 0x08;
export const BPF_IMM = 0x00;
export const BPF_MEM = 0x60;

/** Bits 3 and 4 of a load or store, by width in bytes. */
export const widthBits: Readonly<Record<Width, number>> = { 4: 0x00, 2: 0x08, 1: 0x10, 8: 0x18 };

/** Bits 4 to 7 of arithmetic. `neg` has no operand, pass 0. */
export const arithmetic = {
  add: 0x00, sub: 0x10, mul: 0x20, div: 0x30, or: 0x40, and: 0x50, lsh: 0x60, rsh: 0x70,
  neg: 0x80, mod: 0x90, xor: 0xa0, mov: 0xb0, arsh: 0xc0,
} as const;
export type Arithmetic = keyof typeof arithmetic;

/** Bits 4 to 7 of a conditional jump; `js..` compare signed, the others unsigned; `jset` tests a bitwise and. */
export const conditions = {
  jeq: 0x10, jgt: 0x20, jge: 0x30, jset: 0x40, jne: 0x50, jsgt: 0x60, jsge: 0x70, jlt: 0xa0, jle: 0xb0, jslt: 0xc0, jsle: 0xd0,
} as const;
export type Condition = keyof typeof conditions;

export const BPF_JA = 0x00;
export const BPF_CALL = 0x80;
export const BPF_EXIT = 0x90;

/** `dst = dst op operand` on 64 bits. */
export function alu64(op: Arithmetic, dst: Register, operand: Operand): ExtendedInstruction {
  return withOperand(BPF_ALU64 | arithmetic[op], dst, operand, 0);
}

/** `dst = dst op operand` on the low 32 bits; the high 32 bits become 0. */
export function alu32(op: Arithmetic, dst: Register, operand: Operand): ExtendedInstruction {
  return withOperand(BPF_ALU | arithmetic[op], dst, operand, 0);
}

/** Jumps to `goal` if `dst condition operand` holds for all 64 bits. */
export function jump(condition: Condition, dst: Register, operand: Operand, goal: string): ExtendedInstruction {
  return withOperand(BPF_JMP | conditions[condition], dst, operand, label(goal));
}

/** Jumps to `goal` if `dst condition operand` holds for the low 32 bits. Linux 5.1. */
export function jump32(condition: Condition, dst: Register, operand: Operand, goal: string): ExtendedInstruction {
  return withOperand(BPF_JMP32 | conditions[condition], dst, operand, label(goal));
}

/** Jumps to `goal` always. */
export function jumpAlways(goal: string): ExtendedInstruction {
  return { opcode: BPF_JMP | BPF_JA, dst: 0, src: 0, offset: label(goal), imm: 0 };
}

/** `dst = *(base + offset)`, zero extended; `offset` in bytes, -32768 to 32767. */
export function load(width: Width, dst: Register, base: Register, offset: number): ExtendedInstruction {
  return { opcode: BPF_LDX | BPF_MEM | widthBits[width], dst: dst.register, src: base.register, offset, imm: 0 };
}

/** `*(base + offset) = operand`; `offset` in bytes, -32768 to 32767. */
export function store(width: Width, base: Register, offset: number, operand: Operand): ExtendedInstruction {
  const mode = BPF_MEM | widthBits[width];
  if (typeof operand === 'number') return { opcode: BPF_ST | mode, dst: base.register, src: 0, offset, imm: operand };
  return { opcode: BPF_STX | mode, dst: base.register, src: operand.register, offset, imm: 0 };
}

/**
 * `dst = value` with all 64 bits; takes the room of two instructions.
 * @param pseudo what the kernel makes of the value: 0 a number, 1 (BPF_PSEUDO_MAP_FD) the map with this descriptor
 */
export function loadImm64(dst: Register, value: bigint, pseudo = 0): ExtendedInstruction {
  return { opcode: BPF_LD | BPF_IMM | widthBits[8], dst: dst.register, src: pseudo, offset: 0, imm: value };
}

/** Calls the kernel's helper function with this number (`enum bpf_func_id`). */
export function call(helper: number): ExtendedInstruction {
  return { opcode: BPF_JMP | BPF_CALL, dst: 0, src: 0, offset: 0, imm: helper };
}

/** Ends the program; r0 is its result. */
export function exit(): ExtendedInstruction {
  return { opcode: BPF_JMP | BPF_EXIT, dst: 0, src: 0, offset: 0, imm: 0 };
}

function withOperand(opcode: number, dst: Register, operand: Operand, offset: number | Label): ExtendedInstruction {
  if (typeof operand === 'number') return { opcode, dst: dst.register, src: 0, offset, imm: operand };
  return { opcode: opcode | BPF_X, dst: dst.register, src: operand.register, offset, imm: 0 };
}
