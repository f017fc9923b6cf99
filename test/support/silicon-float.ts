import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { arch } from 'node:process';

/** One instruction's operands, each 128 bits, and its control word (MXCSR or x87's) and immediate. */
export interface Question {
  readonly a: bigint;
  readonly b: bigint;
  readonly control: number;
  readonly immediate: number;
}

export interface Answer {
  readonly first: bigint;
  readonly second: bigint;
  /** MXCSR's exceptions or x87's status. */
  readonly flags: number;
  /** It raised an exception instead of giving a result. */
  readonly trapped: boolean;
}

const questionBytes = 40;
const answerBytes = 40;

/** This machine's own processor, asked through a small C program. */
export class Silicon implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'delos-silicon-'));
  readonly #program = join(this.#folder, 'silicon');

  constructor() {
    const source = join(import.meta.dirname, 'silicon-float.c');
    execFileSync('cc', ['-O1', '-mavx', '-Wall', '-Wextra', '-Werror', '-o', this.#program, source], { stdio: ['ignore', 'ignore', 'inherit'] });
  }

  /** Why it can't be asked, or nothing. */
  static missing(): string | undefined {
    // What the manuals leave open (partial remainders, arguments out of range) is done as AMD does it.
    if (arch !== 'x64' || cpus()[0]?.model.includes('AMD') !== true) return "this processor is none of AMD's";
    return spawnSync('cc', ['--version']).status === 0 ? undefined : 'there is no C compiler';
  }

  ask(operation: string, questions: readonly Question[]): Answer[] {
    const input = new DataView(new ArrayBuffer(questions.length * questionBytes));
    for (const [index, { a, b, control, immediate }] of questions.entries()) {
      const at = index * questionBytes;
      input.setBigUint64(at, a, true);
      input.setBigUint64(at + 8, a >> 64n, true);
      input.setBigUint64(at + 16, b, true);
      input.setBigUint64(at + 24, b >> 64n, true);
      input.setUint32(at + 32, control, true);
      input.setUint32(at + 36, immediate, true);
    }
    const bytes = execFileSync(this.#program, [operation], { input: new Uint8Array(input.buffer), maxBuffer: 2 ** 30 });
    const output = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return questions.map((_, index) => {
      const at = index * answerBytes;
      return {
        first: output.getBigUint64(at, true) | output.getBigUint64(at + 8, true) << 64n,
        second: output.getBigUint64(at + 16, true) | output.getBigUint64(at + 24, true) << 64n,
        flags: output.getUint32(at + 32, true),
        trapped: output.getUint32(at + 36, true) !== 0,
      };
    });
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }
}
