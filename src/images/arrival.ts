import fs from 'node:fs';
import type { Descriptor } from '../registry/manifest.ts';
import { blobFile, partialFile, type ImageStore } from './store.ts';

/** Bytes that are read at a time. */
const CHUNK = 256 * 1024;

/**
 * A blob on its way into the store, for one who reads it while another fetches it. What is read is verified only when {@link bytes} ends
 * by itself.
 */
export class Arrival {
  readonly #store: ImageStore;
  readonly #blob: Descriptor;
  /** Bytes that are in the file. */
  #there = 0;
  #isWhole = false;
  #isBegunAnew = false;
  #failure: { readonly error: unknown } | undefined;
  #news = Promise.withResolvers<void>();

  constructor(store: ImageStore, blob: Descriptor) {
    this.#store = store;
    this.#blob = blob;
  }

  /** What was there of it from an earlier try was wrong, and all of it is fetched once more: what was read so far is void. */
  get isBegunAnew(): boolean {
    return this.#isBegunAnew;
  }

  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** So many bytes were written by this process. */
  wrote(there: number): void {
    if (there < this.#there) this.#isBegunAnew = true;
    this.#there = there;
    this.#tell();
  }

  /** It has its name in the store. */
  finish(): void {
    this.#isWhole = true;
    this.#there = this.#blob.size;
    this.#tell();
  }

  /** Nothing more will come. */
  fail(error: unknown): void {
    if (this.#isWhole) return;
    this.#failure ??= { error };
    this.#tell();
  }

  async whole(): Promise<void> {
    while (!this.#isWhole) await this.#more();
  }

  /**
   * The bytes as they come. A chunk is good until the next one is asked for.
   * @throws Error when it is begun anew; what it failed with
   */
  async *bytes(): AsyncGenerator<Uint8Array> {
    const buffer = Buffer.allocUnsafe(CHUNK);
    let file: number | undefined;
    try {
      for (let at = 0; at < this.#blob.size;) {
        const most = Math.min(CHUNK, this.#blob.size - at);
        while (this.#there < at + most) await this.#more();
        file ??= this.#open();
        const read = fs.readSync(file, buffer, 0, most, at);
        if (this.#isBegunAnew || read === 0) throw new Error(`${this.#blob.digest} is fetched anew`);
        at += read;
        yield buffer.subarray(0, read);
      }
      await this.whole();
    } finally {
      if (file !== undefined) fs.closeSync(file);
    }
  }

  /** Its name changes once, when it is whole; an open file stays what it is. */
  #open(): number {
    const [partial, whole] = [partialFile(this.#store, this.#blob.digest), blobFile(this.#store, this.#blob.digest)];
    return fs.openSync(this.#isWhole ? whole : partial, 'r');
  }

  async #more(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error;
    await this.#news.promise;
  }

  #tell(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }
}
