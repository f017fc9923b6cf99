const most = 2048;
const nothing = 0xffffffff;

/**
 * Which entries of a table of translations are not global: a write to CR3 has to forget those, and looking at all entries for them takes longer than
 * a guest's whole system call. An entry is 16 bytes: a tag of 8, of ones when there is nothing, and last a word that is 1 when it is global.
 */
export class LocalEntries {
  readonly #words: Uint32Array;
  readonly #first: number;
  readonly #end: number;
  /** Where they begin, in words; some more than once, some global by now. */
  readonly #entries = new Uint32Array(most);
  #count = 0;

  /** @param from where the table begins and @param to where it ends, in bytes */
  constructor(words: Uint32Array, from: number, to: number) {
    this.#words = words;
    this.#first = from >>> 2;
    this.#end = to >>> 2;
  }

  /** An entry that is not global has been filled. @param entry in words */
  add(entry: number): void {
    if (this.#count < most) this.#entries[this.#count] = entry;
    this.#count++;
  }

  /** All are empty. */
  clear(): void {
    this.#count = 0;
  }

  /** Empties them. */
  forget(): void {
    const entries = this.#entries;
    const count = this.#count;
    this.#count = 0;
    if (count > most) {
      for (let entry = this.#first; entry < this.#end; entry += 4) this.#empty(entry);
      return;
    }
    for (let at = 0; at < count; at++) this.#empty(entries[at] as number);
  }

  #empty(entry: number): void {
    const words = this.#words;
    if (words[entry + 3] === 1) return;
    words[entry] = nothing;
    words[entry + 1] = nothing;
  }
}
