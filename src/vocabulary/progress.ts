import { truncate } from './table.ts';

/** Where progress goes: stderr, since stdout is data. */
export interface ProgressStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/**
 * One line for each thing under way, as docker shows the layers of a pull. On a terminal the lines are redrawn in place;
 * elsewhere every change of a thing's state is a line of its own, and its measure (bytes so far) is left out.
 */
export class Progress {
  readonly #stream: ProgressStream;
  readonly #lines = new Map<string, { state: string; measure: string }>();
  #drawn = 0;

  constructor(stream: ProgressStream) {
    this.#stream = stream;
  }

  /** `name` keeps its place; `state` is a word or two (`Compiling`), `measure` how far it is (`3.1MB/7MB`). */
  update(name: string, state: string, measure = ''): void {
    const before = this.#lines.get(name);
    if (before?.state === state && before.measure === measure) return;
    this.#lines.set(name, { state, measure });
    if (this.#stream.isTTY === true) this.#draw();
    else if (before?.state !== state) this.#stream.write(`${name}: ${state}\n`);
  }

  #draw(): void {
    const width = Math.max(this.#stream.columns ?? 80, 2) - 1;
    const lines = [...this.#lines].map(([name, { state, measure }]) => truncate(`${name}: ${state}${measure === '' ? '' : ` ${measure}`}`, width));
    // Up to the first line, then each anew with the rest of its row erased.
    const up = this.#drawn === 0 ? '' : `\x1b[${this.#drawn}A`;
    this.#stream.write(`${up}${lines.map((line) => `${line}\x1b[K\n`).join('')}`);
    this.#drawn = lines.length;
  }
}
