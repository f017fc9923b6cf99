/**
 * An interpreter of extended BPF for tests: the same bytes that go to the kernel, run on a context of our choosing.
 * It knows no helpers and no maps, and refuses what the verifier would refuse: memory outside the context and the
 * stack, r10 written, running off the end, more than a million steps.
 */
import {
  arithmetic, BPF_ALU, BPF_ALU64, BPF_EXIT, BPF_JA, BPF_JMP, BPF_JMP32, BPF_LDX, BPF_ST, BPF_STX, BPF_X, conditions, widthBits,
} from './extended.ts';
import type { Arithmetic, Condition, Width } from './extended.ts';

const contextBase = 0x10_0000_0000n;
const stackTop = 0x20_0000_0000n;
/** MAX_BPF_STACK. */
const stackSize = 512;
const maxSteps = 1_000_000;
const all64 = 0xffff_ffff_ffff_ffffn;
const all32 = 0xffff_ffffn;

interface Machine {
  readonly registers: bigint[];
  readonly context: DataView;
  readonly stack: DataView;
}

interface Decoded {
  readonly opcode: number;
  readonly dst: number;
  readonly src: number;
  readonly offset: number;
  readonly imm: number;
}

/**
 * Runs a program.
 * @param program `struct bpf_insn[]`
 * @param context what r1 points to
 * @returns r0, 0 to 2^64 - 1
 * @throws Error for what the kernel's verifier would refuse
 */
export function runExtended(program: Uint8Array, context: Uint8Array): bigint {
  const code = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const machine: Machine = {
    registers: Array.from({ length: 11 }, () => 0n),
    context: new DataView(context.buffer, context.byteOffset, context.byteLength),
    stack: new DataView(new ArrayBuffer(stackSize)),
  };
  machine.registers[1] = contextBase;
  machine.registers[10] = stackTop;
  let at = 0;
  for (let steps = 0; steps < maxSteps; steps++) {
    const instruction = decode(code, at);
    if (instruction.opcode === (BPF_JMP | BPF_EXIT)) return register(machine, 0);
    at = step(machine, instruction, at + 1, code);
  }
  throw new Error('eBPF: the program does not end');
}

function decode(code: DataView, at: number): Decoded {
  if (at < 0 || (at + 1) * 8 > code.byteLength) throw new Error(`eBPF: instruction ${at} is outside the program`);
  const registers = code.getUint8(at * 8 + 1);
  return {
    opcode: code.getUint8(at * 8),
    dst: registers & 15,
    src: registers >> 4,
    offset: code.getInt16(at * 8 + 2, true),
    imm: code.getInt32(at * 8 + 4, true),
  };
}

/** Runs one instruction; gives the place of the next one. */
function step(machine: Machine, instruction: Decoded, next: number, code: DataView): number {
  const { opcode, dst, imm, offset } = instruction;
  switch (opcode & 7) {
    case BPF_ALU64:
      setRegister(machine, dst, compute(opcode, register(machine, dst), operand(machine, instruction), 64));
      return next;
    case BPF_ALU:
      setRegister(machine, dst, compute(opcode, register(machine, dst) & all32, operand(machine, instruction) & all32, 32));
      return next;
    case BPF_JMP:
      return opcode === (BPF_JMP | BPF_JA) || holds(opcode, register(machine, dst), operand(machine, instruction), 64) ? next + offset : next;
    case BPF_JMP32:
      return holds(opcode, register(machine, dst) & all32, operand(machine, instruction) & all32, 32) ? next + offset : next;
    case BPF_LDX:
      setRegister(machine, dst, readMemory(machine, register(machine, instruction.src) + BigInt(offset), width(opcode)));
      return next;
    case BPF_ST:
      writeMemory(machine, register(machine, dst) + BigInt(offset), width(opcode), BigInt(imm));
      return next;
    case BPF_STX:
      writeMemory(machine, register(machine, dst) + BigInt(offset), width(opcode), register(machine, instruction.src));
      return next;
    default:
      if (opcode !== widthBits[8]) throw new Error(`eBPF: opcode 0x${opcode.toString(16)} is not supported here`);
      setRegister(machine, dst, (BigInt(decode(code, next).imm) << 32n) | (BigInt(imm) & all32));
      return next + 1;
  }
}

function compute(opcode: number, left: bigint, right: bigint, bits: 32 | 64): bigint {
  const shift = right & BigInt(bits - 1);
  const results: Record<Arithmetic, () => bigint> = {
    add: () => left + right,
    sub: () => left - right,
    mul: () => left * right,
    div: () => (right === 0n ? 0n : left / right),
    mod: () => (right === 0n ? left : left % right),
    or: () => left | right,
    and: () => left & right,
    xor: () => left ^ right,
    lsh: () => left << shift,
    rsh: () => left >> shift,
    arsh: () => BigInt.asIntN(bits, left) >> shift,
    neg: () => -left,
    mov: () => right,
  };
  return BigInt.asUintN(bits, results[named(arithmetic, opcode & 0xf0)]());
}

function holds(opcode: number, left: bigint, right: bigint, bits: 32 | 64): boolean {
  const signedLeft = BigInt.asIntN(bits, left);
  const signedRight = BigInt.asIntN(bits, right);
  const results: Record<Condition, boolean> = {
    jeq: left === right,
    jne: left !== right,
    jgt: left > right,
    jge: left >= right,
    jlt: left < right,
    jle: left <= right,
    jset: (left & right) !== 0n,
    jsgt: signedLeft > signedRight,
    jsge: signedLeft >= signedRight,
    jslt: signedLeft < signedRight,
    jsle: signedLeft <= signedRight,
  };
  return results[named(conditions, opcode & 0xf0)];
}

function named<Name extends string>(table: Readonly<Record<Name, number>>, bits: number): Name {
  for (const name in table) if (table[name] === bits) return name;
  throw new Error(`eBPF: operation 0x${bits.toString(16)} is not supported here`);
}

function operand(machine: Machine, { opcode, src, imm }: Decoded): bigint {
  return opcode & BPF_X ? register(machine, src) : BigInt.asUintN(64, BigInt(imm));
}

function register(machine: Machine, index: number): bigint {
  const value = machine.registers[index];
  if (value === undefined) throw new Error(`eBPF: there is no register ${index}`);
  return value;
}

function setRegister(machine: Machine, index: number, value: bigint): void {
  if (index > 9) throw new Error(`eBPF: register ${index} is read only`);
  machine.registers[index] = value & all64;
}

function width(opcode: number): Width {
  return ({ 0x00: 4, 0x08: 2, 0x10: 1, 0x18: 8 } as const)[opcode & 0x18] ?? 8;
}

function readMemory(machine: Machine, address: bigint, size: Width): bigint {
  const [view, at] = memory(machine, address, size);
  if (size === 8) return view.getBigUint64(at, true);
  return BigInt(size === 4 ? view.getUint32(at, true) : size === 2 ? view.getUint16(at, true) : view.getUint8(at));
}

function writeMemory(machine: Machine, address: bigint, size: Width, value: bigint): void {
  const [view, at] = memory(machine, address, size);
  if (size === 8) view.setBigUint64(at, value, true);
  else if (size === 4) view.setUint32(at, Number(value & all32), true);
  else if (size === 2) view.setUint16(at, Number(value & 0xffffn), true);
  else view.setUint8(at, Number(value & 0xffn));
}

function memory(machine: Machine, address: bigint, size: Width): [DataView, number] {
  const inContext = Number(BigInt.asIntN(64, address - contextBase));
  if (inContext >= 0 && inContext + size <= machine.context.byteLength) return [machine.context, inContext];
  const inStack = Number(BigInt.asIntN(64, address - stackTop)) + stackSize;
  if (inStack >= 0 && inStack + size <= stackSize) return [machine.stack, inStack];
  throw new Error(`eBPF: access of ${size} bytes at 0x${address.toString(16)} is outside the context and the stack`);
}
