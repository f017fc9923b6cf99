import { DelosError } from '../lib/errors.ts';

/** Bytes of the fields that a frame header's descriptor announces: RFC 8878, 3.1.1.1. */
function headerLength(descriptor: number): number {
  const singleSegment = (descriptor & 0x20) !== 0;
  const dictionaryId = [0, 1, 2, 4][descriptor & 3] as number;
  const contentSize = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] as number;
  return (singleSegment ? 0 : 1) + dictionaryId + contentSize;
}

/**
 * Finds where the frames of a zstd stream end (RFC 8878, 3), without decompressing any. Node's decompressor takes the end of a frame for
 * the end of all, if the bytes that it is given go on; layers of many frames are usual (zstd:chunked has one a file).
 */
export class ZstdFrames {
  #state: 'magic' | 'descriptor' | 'block' | 'skippable' = 'magic';
  readonly #field = Buffer.alloc(4);
  #filled = 0;
  /** Bytes to pass over before the next field. */
  #skip = 0;
  #hasChecksum = false;

  /** Whether the stream may end here. */
  get isBetween(): boolean {
    return this.#state === 'magic' && this.#filled === 0 && this.#skip === 0;
  }

  /** The pieces of a chunk, cut where frames end. @throws DelosError bad-archive for what is no zstd */
  *cut(chunk: Uint8Array): Generator<Uint8Array> {
    let start = 0;
    let at = 0;
    while (at < chunk.length) {
      const skipped = Math.min(this.#skip, chunk.length - at);
      this.#skip -= skipped;
      at += skipped;
      if (skipped === 0) {
        this.#field[this.#filled++] = chunk[at++] as number;
        if (this.#filled === this.#wanted) this.#useField();
      }
      if (!this.isBetween) continue;
      yield chunk.subarray(start, at);
      start = at;
    }
    if (start < chunk.length) yield chunk.subarray(start);
  }

  get #wanted(): number {
    return { magic: 4, descriptor: 1, block: 3, skippable: 4 }[this.#state];
  }

  #useField(): void {
    this.#filled = 0;
    switch (this.#state) {
      case 'magic': {
        const magic = this.#field.readUInt32LE(0);
        if (magic !== 0xfd2fb528 && (magic & 0xfffffff0) >>> 0 !== 0x184d2a50) throw new DelosError('bad-archive', "the layer's zstd stream is damaged: no frame begins where one should");
        this.#state = magic === 0xfd2fb528 ? 'descriptor' : 'skippable';
        return;
      }
      case 'skippable':
        this.#skip = this.#field.readUInt32LE(0);
        this.#state = 'magic';
        return;
      case 'descriptor':
        this.#hasChecksum = (this.#field.readUInt8(0) & 4) !== 0;
        this.#skip = headerLength(this.#field.readUInt8(0));
        this.#state = 'block';
        return;
      default: {
        const block = this.#field.readUIntLE(0, 3);
        const [isLast, type, size] = [(block & 1) !== 0, (block >> 1) & 3, block >> 3];
        // A block of one byte repeated (1) has that byte only.
        this.#skip = type === 1 ? 1 : size;
        if (!isLast) return;
        this.#skip += this.#hasChecksum ? 4 : 0;
        this.#state = 'magic';
      }
    }
  }
}
