import { BPF_JA, BPF_JMP } from './classic.ts';
import type { ClassicInstruction, ClassicItem } from './classic.ts';

/** Bytes of one `struct sock_filter`. */
export const classicInstructionSize = 8;

/** BPF_MAXINSNS: what the kernel takes at most. */
export const maxClassicInstructions = 4096;

/** What jt and jf can hold. */
const longestBranch = 255;

interface Encoded {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

/**
 * The bytes of a program: `struct sock_filter[]`, little endian. A conditional jump that is too far for its 8 bits gets a
 * jump of 32 bits behind it, and later ones to the same label use that.
 *
 * It works from the end: all jumps go forwards, so every goal's place is known when the jump is written, and so is
 * whether it is near enough.
 * @throws Error (a bug of the caller) for a label that is missing, given twice, or behind the jump
 */
export function assembleClassic(items: readonly ClassicItem[]): Uint8Array<ArrayBuffer> {
  const backwards = new Backwards();
  for (let index = items.length - 1; index >= 0; index--) backwards.put(items[index] as ClassicItem);
  return backwards.bytes();
}

/** A program that grows from its end. A place is counted from the end: the last instruction has place 1. */
class Backwards {
  readonly #instructions: Encoded[] = [];
  /** Label to the place that reaches it: its own, or that of a long jump to it, which is always nearer. */
  readonly #places = new Map<string, number>();
  readonly #labels = new Set<string>();

  put(item: ClassicItem): void {
    if ('label' in item) this.#label(item.label);
    else if ('goal' in item) this.#jump(item.goal);
    else if (item.goals) this.#branch(item, item.goals);
    else this.#instructions.push({ code: item.code, jt: 0, jf: 0, k: item.k });
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#instructions.length * classicInstructionSize);
    const view = new DataView(bytes.buffer);
    let at = bytes.length;
    for (const { code, jt, jf, k } of this.#instructions) {
      at -= classicInstructionSize;
      view.setUint16(at, code, true);
      view.setUint8(at + 2, jt);
      view.setUint8(at + 3, jf);
      view.setUint32(at + 4, k, true);
    }
    return bytes;
  }

  #label(name: string): void {
    if (this.#labels.has(name)) throw new Error(`BPF: label ${name} is given twice`);
    this.#labels.add(name);
    this.#places.set(name, this.#instructions.length);
  }

  #jump(goal: string): void {
    const distance = this.#distance(goal);
    if (distance === 0) return;
    this.#instructions.push({ code: BPF_JMP | BPF_JA, jt: 0, jf: 0, k: distance });
    this.#places.set(goal, this.#instructions.length);
  }

  #branch({ code, k }: ClassicInstruction, [ifTrue, ifFalse]: readonly [string | undefined, string | undefined]): void {
    const next = this.#instructions.length;
    // The first long jump moves the branch one further from the second goal, hence the 1.
    if (ifTrue !== undefined && this.#distance(ifTrue) + 1 > longestBranch) this.#jump(ifTrue);
    if (ifFalse !== undefined && this.#distance(ifFalse) > longestBranch) this.#jump(ifFalse);
    const here = this.#instructions.length;
    this.#instructions.push({
      code,
      jt: ifTrue === undefined ? here - next : this.#distance(ifTrue, here),
      jf: ifFalse === undefined ? here - next : this.#distance(ifFalse, here),
      k,
    });
  }

  /** How many instructions lie between one written now and the goal. */
  #distance(goal: string, here = this.#instructions.length): number {
    const place = this.#places.get(goal);
    if (place === undefined) throw new Error(`BPF: no label ${goal} after the jump to it`);
    return here - place;
  }
}
