/** The guest's machine code taken apart: 16-bit operands, flat addresses, the few instructions that the exercise and its bonus speak of. */

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

type Operand = 'none' | 'byte' | 'word' | 'dword' | 'distance';

const widths: Readonly<Record<Operand, number>> = { none: 0, byte: 1, word: 2, dword: 4, distance: 1 };

const encodings: readonly (readonly [opcode: readonly number[], name: Name, operand: Operand])[] = [
  [[0xba], 'mov dx', 'word'],
  [[0xb0], 'mov al', 'byte'],
  [[0xee], 'out', 'none'],
  [[0xf4], 'hlt', 'none'],
  [[0xec], 'in', 'none'],
  [[0x90], 'nop', 'none'],
  [[0xeb], 'jmp', 'distance'],
  [[0x66, 0xb8], 'mov eax', 'dword'],
  [[0xa0], 'load al', 'word'],
  [[0xa2], 'store al', 'word'],
  [[0x67, 0xa0], 'load al', 'dword'],
  [[0x67, 0xa2], 'store al', 'dword'],
  [[0x0f, 0xa2], 'cpuid', 'none'],
  [[0x0f, 0x31], 'rdtsc', 'none'],
  [[0x0f, 0x01, 0xc1], 'vmcall', 'none'],
  [[0x0f, 0x01, 0xd9], 'vmmcall', 'none'],
  [[0x0f, 0x32], 'rdmsr', 'none'],
  [[0x0f, 0x30], 'wrmsr', 'none'],
  [[0xcc], 'int3', 'none'],
  [[0x0f, 0x0b], 'ud2', 'none'],
];

/**
 * The instruction that `code` begins with.
 * @param code what memory holds from there on; 15 bytes are always enough
 * @returns 'truncated' when memory ends in the middle of it, 'unknown' when it is none of ours
 */
export function decode(code: Uint8Array): Instruction | 'truncated' | 'unknown' {
  const row = encodings.find(([opcode]) => opcode.every((byte, at) => at >= code.length || code[at] === byte));
  if (row === undefined) return 'unknown';
  const [opcode, name, operand] = row;
  const length = opcode.length + widths[operand];
  if (code.length < length) return 'truncated';
  return { name, length, operand: valueOf(operand, new DataView(code.buffer, code.byteOffset + opcode.length)) };
}

function valueOf(operand: Operand, view: DataView): number {
  if (operand === 'none') return 0;
  if (operand === 'byte') return view.getUint8(0);
  if (operand === 'word') return view.getUint16(0, true);
  return operand === 'dword' ? view.getUint32(0, true) : view.getInt8(0);
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
