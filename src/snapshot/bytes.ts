/** Values one after the other, little endian: what the state of a snapshot is written in. A reader trusts no length. */

import { DelosError } from '../lib/errors.ts';

export class Writer {
  #bytes = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** All that was written. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  byte(value: number): void {
    const at = this.#room(1);
    this.#view.setUint8(at, value);
  }

  word(value: number): void {
    const at = this.#room(4);
    this.#view.setUint32(at, value, true);
  }

  wide(value: bigint): void {
    const at = this.#room(8);
    this.#view.setBigUint64(at, value, true);
  }

  /** Bytes whose number the reader knows. */
  raw(bytes: Uint8Array): void {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** How many, and the bytes. */
  blob(bytes: Uint8Array): void {
    this.word(bytes.length);
    this.raw(bytes);
  }

  text(text: string): void {
    this.blob(new TextEncoder().encode(text));
  }

  /** How many, and each. */
  list<Item>(items: readonly Item[], write: (item: Item) => void): void {
    this.word(items.length);
    items.forEach(write);
  }

  /** Where there are so many bytes to be written. It may move all that was written: it comes before any look at them. */
  #room(bytes: number): number {
    const at = this.#length;
    this.#length += bytes;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#length);
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}

/** All of its methods: @throws DelosError `bad-snapshot` when there is less than is wanted */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  byte(): number {
    return this.#view.getUint8(this.#take(1));
  }

  word(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  wide(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  /** A number of 64 bits that a number of ours holds exactly. */
  size(): number {
    const value = this.wide();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw damaged(`${value} is no size`);
    return Number(value);
  }

  /** A copy of so many bytes. */
  raw(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.slice(at, at + length);
  }

  blob(): Uint8Array {
    return this.raw(this.word());
  }

  text(): string {
    return new TextDecoder().decode(this.blob());
  }

  /** Each item has a byte at least, so a count that is too large is told before anything is made of it. */
  list<Item>(read: () => Item): Item[] {
    const count = this.word();
    if (count > this.#bytes.length - this.#at) throw damaged(`a list of ${count} is longer than all that follows`);
    return Array.from({ length: count }, read);
  }

  /** Nothing is left. */
  end(): void {
    if (this.#at !== this.#bytes.length) throw damaged(`${this.#bytes.length - this.#at} bytes are too many`);
  }

  #take(length: number): number {
    const at = this.#at;
    if (length > this.#bytes.length - at) throw damaged(`${length} bytes are wanted at ${at} of ${this.#bytes.length}`);
    this.#at = at + length;
    return at;
  }
}

function damaged(what: string): DelosError {
  return new DelosError('bad-snapshot', `the snapshot's state is damaged: ${what}`);
}
