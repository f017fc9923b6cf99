import { workloads, type Workload } from './guest.ts';

const begin = 1;
/** The last that the guest says. */
export const guestEnd = 4;
const [smallA, capitalA] = ['a', 'A'].map((letter) => letter.charCodeAt(0)) as [number, number];

/** Hears a guest's letters (guest/workloads.c) and measures the time, or whatever else, between them. */
export class Markers {
  readonly #now: () => number;
  readonly #spans = workloads.map((): number[] => []);
  #started = false;
  #since = 0;
  ended = false;

  /** @param now what is measured: milliseconds, or a count of instructions */
  constructor(now: () => number) {
    this.#now = now;
  }

  take(bytes: Iterable<number>): void {
    for (const byte of bytes) {
      if (byte === begin) this.#started = true;
      else if (byte === guestEnd) this.ended ||= this.#started;
      else if (this.#started) this.#letter(byte);
    }
  }

  #letter(byte: number): void {
    if (byte >= smallA) this.#since = this.#now();
    else this.#spans[byte - capitalA]?.push(this.#now() - this.#since);
  }

  /** Of each round. */
  of(workload: Workload): readonly number[] {
    return this.#spans[workloads.indexOf(workload)] ?? [];
  }
}
