/** The guest's machine code taken apart by the processor's own decoder, and the few instructions of it that the exercise and its bonus speak of. */

import { decode as decodeAny, type Decoded, type DecodedOperand } from '../cpu/decode.ts';

export const LONGEST_INSTRUCTION = 15;

export type Name =
  | 'mov dx' | 'mov al' | 'mov eax' | 'load al' | 'store al' | 'out' | 'in' | 'hlt' | 'nop' | 'jmp' | 'cpuid' | 'rdtsc' | 'vmcall' | 'vmmcall' | 'rdmsr' | 'wrmsr' | 'int3' |
  'ud2';

export interface Instruction {
  readonly name: Name;
  /** In bytes. */
  readonly length: number;
  /** The immediate, address or distance; 0 where there is none. */
  readonly operand: number;
}

/** What its encoding alone tells, as the processor's table writes it. */
const plain: Readonly<Partial<Record<string, Name>>> = {
  90: 'nop', CC: 'int3', EC: 'in', EE: 'out', F4: 'hlt', '0F 0B': 'ud2', '0F 30': 'wrmsr', '0F 31': 'rdtsc', '0F 32': 'rdmsr', '0F A2': 'cpuid',
};

/** Calls to a hypervisor, which the processor's table has none of: its guests have no hypervisor above them. */
const hypercalls: readonly (readonly [opcode: readonly number[], name: Name])[] = [[[0x0f, 0x01, 0xc1], 'vmcall'], [[0x0f, 0x01, 0xd9], 'vmmcall']];

/**
 * The instruction that `code` begins with, as a processor in real mode reads it.
 * @param code what memory holds from there on; 15 bytes are always enough
 * @returns 'truncated' when memory ends in the middle of it, 'unknown' when it is none of ours
 */
export function decode(code: Uint8Array): Instruction | 'truncated' | 'unknown' {
  const call = hypercall(code);
  if (call !== undefined) return call;
  const decoded = decodeAny(code, 16);
  if (typeof decoded === 'string') return decoded === 'short' ? 'truncated' : 'unknown';
  const known = simulated(decoded);
  return known === undefined ? 'unknown' : { length: decoded.length, ...known };
}

function hypercall(code: Uint8Array): Instruction | undefined {
  const [{ length }, name] = hypercalls.find(([opcode]) => opcode.every((byte, at) => code[at] === byte)) ?? [[]];
  return name && { name, length, operand: 0 };
}

/** Undefined for what the processor has and the exercise does not. */
function simulated({ instruction: { name, encoding }, operands: [first, second], operandSize }: Decoded): { name: Name; operand: number } | undefined {
  const known = plain[encoding];
  if (known !== undefined) return { name: known, operand: 0 };
  if (name === 'JMP' && operandSize === 16 && first?.kind === 'immediate') return { name: 'jmp', operand: Number(BigInt.asIntN(16, first.value)) };
  return name === 'MOV' && first !== undefined && second !== undefined ? move(first, second) : undefined;
}

function move(to: DecodedOperand, from: DecodedOperand): { name: Name; operand: number } | undefined {
  if (from.kind === 'immediate') {
    const name = isRegister(to, 2, 16) ? 'mov dx' : isRegister(to, 0, 8) ? 'mov al' : isRegister(to, 0, 32) ? 'mov eax' : undefined;
    return name && { name, operand: Number(from.value) };
  }
  const [memory, register, name] = from.kind === 'memory' ? [from, to, 'load al' as const] : [to, from, 'store al' as const];
  if (memory.kind !== 'memory' || memory.base !== undefined || memory.index !== undefined || !isRegister(register, 0, 8)) return undefined;
  return { name, operand: Number(memory.displacement) };
}

/** A general register by its number: 0 is AL, AX, EAX; 2 is DX. */
function isRegister(operand: DecodedOperand | undefined, number: number, width: number): boolean {
  return operand?.kind === 'register' && operand.bank === 'general' && operand.number === number && operand.width === width && !operand.high;
}

const hex = (value: number): string => `0x${value.toString(16)}`;

/** A byte as C writes it: `'H'`, `'\n'`, or a number. */
export function characterOf(byte: number): string {
  if (byte === 0x0a) return "'\\n'";
  return byte >= 0x20 && byte < 0x7f ? `'${String.fromCharCode(byte)}'` : hex(byte);
}

/** As an assembler has it. @param rip where the instruction is */
export function textOf({ name, length, operand }: Instruction, rip: bigint): string {
  switch (name) {
    case 'mov al': return `mov al, ${characterOf(operand)}`;
    case 'mov dx': case 'mov eax': return `${name}, ${hex(operand)}`;
    case 'load al': return `mov al, [${hex(operand)}]`;
    case 'store al': return `mov [${hex(operand)}], al`;
    case 'out': return 'out dx, al';
    case 'in': return 'in al, dx';
    case 'jmp': return `jmp 0x${(rip + BigInt(length + operand)).toString(16)}`;
    default: return name;
  }
}
