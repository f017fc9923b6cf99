/**
 * An interpreter of classic BPF for tests: every instruction that the kernel admits in a seccomp filter
 * (kernel/seccomp.c, seccomp_check_filter), with its meaning (kernel/bpf/core.c).
 */
import {
  arithmetic, BPF_A, BPF_ABS, BPF_ALU, BPF_IMM, BPF_JA, BPF_JMP, BPF_LD, BPF_LDX, BPF_LEN, BPF_MEM, BPF_MISC, BPF_RET, BPF_ST,
  BPF_STX, BPF_TAX, BPF_TXA, BPF_X, conditions,
} from './classic.ts';
import type { Arithmetic, Condition } from './classic.ts';
import { classicInstructionSize } from './classic-assemble.ts';

/** Words of scratch memory. */
const BPF_MEMWORDS = 16;

interface Machine {
  readonly data: DataView;
  accumulator: number;
  index: number;
  readonly scratch: Uint32Array;
}

/**
 * Runs a filter.
 * @param program `struct sock_filter[]`
 * @param data what it filters, for seccomp a `struct seccomp_data`
 * @returns what it returns, 0 to 2^32 - 1
 * @throws Error for what the kernel would not load
 */
export function runClassic(program: Uint8Array, data: Uint8Array): number {
  const code = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const machine: Machine = { data: view, accumulator: 0, index: 0, scratch: new Uint32Array(BPF_MEMWORDS) };
  let at = 0;
  for (;;) {
    if ((at + 1) * classicInstructionSize > code.byteLength) throw new Error(`BPF: instruction ${at} is outside the program`);
    const opcode = code.getUint16(at * classicInstructionSize, true);
    const k = code.getUint32(at * classicInstructionSize + 4, true);
    if ((opcode & 7) === BPF_RET) return opcode & BPF_A ? machine.accumulator : k;
    if ((opcode & 7) === BPF_JMP) at += distance(machine, opcode, k, code.getUint8(at * 8 + 2), code.getUint8(at * 8 + 3));
    else step(machine, opcode, k);
    at += 1;
  }
}

function distance(machine: Machine, opcode: number, k: number, jt: number, jf: number): number {
  if (opcode === (BPF_JMP | BPF_JA)) return k;
  const left = machine.accumulator;
  const right = opcode & BPF_X ? machine.index : k;
  const holds: Record<Condition, boolean> = { jeq: left === right, jgt: left > right, jge: left >= right, jset: (left & right) !== 0 };
  return holds[named(conditions, opcode & 0xf0)] ? jt : jf;
}

function step(machine: Machine, opcode: number, k: number): void {
  switch (opcode) {
    case BPF_LD | BPF_ABS:
      machine.accumulator = machine.data.getUint32(k, true);
      break;
    case BPF_LD | BPF_IMM:
      machine.accumulator = k;
      break;
    case BPF_LD | BPF_LEN:
      machine.accumulator = machine.data.byteLength;
      break;
    case BPF_LD | BPF_MEM:
      machine.accumulator = machine.scratch[cell(k)] ?? 0;
      break;
    case BPF_LDX | BPF_IMM:
      machine.index = k;
      break;
    case BPF_LDX | BPF_LEN:
      machine.index = machine.data.byteLength;
      break;
    case BPF_LDX | BPF_MEM:
      machine.index = machine.scratch[cell(k)] ?? 0;
      break;
    case BPF_ST:
      machine.scratch[cell(k)] = machine.accumulator;
      break;
    case BPF_STX:
      machine.scratch[cell(k)] = machine.index;
      break;
    case BPF_MISC | BPF_TAX:
      machine.index = machine.accumulator;
      break;
    case BPF_MISC | BPF_TXA:
      machine.accumulator = machine.index;
      break;
    default:
      if ((opcode & 7) !== BPF_ALU) throw new Error(`BPF: code 0x${opcode.toString(16)} is not allowed in a seccomp filter`);
      machine.accumulator = compute(opcode, machine.accumulator, opcode & BPF_X ? machine.index : k);
  }
}

function compute(opcode: number, left: number, right: number): number {
  const results: Record<Arithmetic, () => number> = {
    add: () => left + right,
    sub: () => left - right,
    mul: () => Math.imul(left, right),
    div: () => (right === 0 ? 0 : Math.floor(left / right)),
    mod: () => (right === 0 ? left : left % right),
    or: () => left | right,
    and: () => left & right,
    xor: () => left ^ right,
    lsh: () => left << (right & 31),
    rsh: () => left >>> (right & 31),
    neg: () => -left,
  };
  return results[named(arithmetic, opcode & 0xf0)]() >>> 0;
}

function named<Name extends string>(table: Readonly<Record<Name, number>>, bits: number): Name {
  for (const name in table) if (table[name] === bits) return name;
  throw new Error(`BPF: operation 0x${bits.toString(16)} does not exist`);
}

function cell(k: number): number {
  if (k < BPF_MEMWORDS) return k;
  throw new Error(`BPF: scratch word ${k} does not exist`);
}
