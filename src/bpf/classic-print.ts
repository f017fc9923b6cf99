import { BPF_A, BPF_ABS, BPF_AND, BPF_ALU, BPF_JA, BPF_JMP, BPF_LD, BPF_RET, BPF_X, conditions } from './classic.ts';
import { classicInstructionSize } from './classic-assemble.ts';

/** What `note` is told of an instruction. */
export interface PrintedInstruction {
  readonly kind: 'load' | 'compare' | 'return' | 'other';
  readonly k: number;
  /** The offset of the word that the accumulator holds, if the instruction before in the listing is known to have loaded it. */
  readonly word: number | undefined;
}

/**
 * A program as text, one instruction a line: place, instruction, goals as places.
 * `  1: jeq 0xc000003e ? 2 : 9    ; note`
 * @param program `struct sock_filter[]`
 * @param note a word on an instruction's constant, such as the system call's name; undefined for none
 */
export function printClassic(program: Uint8Array, note: (instruction: PrintedInstruction) => string | undefined = () => undefined): string {
  const view = new DataView(program.buffer, program.byteOffset, program.byteLength);
  const words = loadedWords(view);
  const width = String(words.length - 1).length;
  const lines = words.map((word, at) => {
    const { text, kind, k } = instructionText(view, at);
    const comment = note({ kind, k, word });
    const line = `${String(at).padStart(width)}: ${text}`;
    return comment === undefined ? line : `${line.padEnd(40)} ; ${comment}`;
  });
  return lines.join('\n');
}

function instructionText(view: DataView, at: number): { text: string; kind: PrintedInstruction['kind']; k: number } {
  const code = view.getUint16(at * classicInstructionSize, true);
  const k = view.getUint32(at * classicInstructionSize + 4, true);
  const hex = `0x${k.toString(16)}`;
  if (code === (BPF_LD | BPF_ABS)) return { text: `ld [${k}]`, kind: 'load', k };
  if (code === BPF_RET) return { text: `ret ${hex}`, kind: 'return', k };
  if (code === (BPF_RET | BPF_A)) return { text: 'ret a', kind: 'other', k };
  if (code === (BPF_ALU | BPF_AND)) return { text: `and ${hex}`, kind: 'other', k };
  if (code === (BPF_JMP | BPF_JA)) return { text: `ja ${at + 1 + k}`, kind: 'other', k };
  const condition = Object.entries(conditions).find(([, bits]) => code === (BPF_JMP | bits) || code === (BPF_JMP | BPF_X | bits));
  if (!condition) return { text: `code 0x${code.toString(16)} k ${hex}`, kind: 'other', k };
  const [ifTrue, ifFalse] = branchGoals(view, at);
  const operand = code & BPF_X ? 'x' : hex;
  return { text: `${condition[0]} ${operand} ? ${ifTrue} : ${ifFalse}`, kind: 'compare', k };
}

function branchGoals(view: DataView, at: number): [number, number] {
  return [at + 1 + view.getUint8(at * classicInstructionSize + 2), at + 1 + view.getUint8(at * classicInstructionSize + 3)];
}

/** For every instruction the offset of the word in the accumulator when it is reached; undefined if changed or not the same on all ways. */
function loadedWords(view: DataView): (number | undefined)[] {
  const count = Math.floor(view.byteLength / classicInstructionSize);
  const incoming = Array.from({ length: count }, () => new Set<number | undefined>());
  for (let at = 0; at < count; at++) {
    const code = view.getUint16(at * classicInstructionSize, true);
    const k = view.getUint32(at * classicInstructionSize + 4, true);
    const before = only(incoming[at]);
    if (code === BPF_RET || code === (BPF_RET | BPF_A)) continue;
    if (code === (BPF_JMP | BPF_JA)) incoming[at + 1 + k]?.add(before);
    else if ((code & 7) === BPF_JMP) for (const goal of branchGoals(view, at)) incoming[goal]?.add(before);
    else incoming[at + 1]?.add(code === (BPF_LD | BPF_ABS) ? k : undefined);
  }
  return incoming.map(only);
}

function only(words: ReadonlySet<number | undefined> | undefined): number | undefined {
  return words?.size === 1 ? [...words][0] : undefined;
}
