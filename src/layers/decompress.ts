import type { Transform } from 'node:stream';
import zlib from 'node:zlib';
import { DelosError } from '../lib/errors.ts';
import { giveBack } from '../lib/give-back.ts';
import { ZstdFrames } from './zstd-frames.ts';

export type Compression = 'gzip' | 'zstd' | 'plain';

/** Told by the first bytes: RFC 1952 and RFC 8878 (frames and skippable frames). Fewer than four bytes are never compressed. */
export function compressionOf(head: Uint8Array): Compression {
  const magic = head.length < 4 ? 0 : Buffer.from(head.buffer, head.byteOffset, 4).readUInt32LE(0);
  if ((magic & 0xffff) === 0x8b1f) return 'gzip';
  if (magic === 0xfd2fb528 || (magic & 0xfffffff0) >>> 0 === 0x184d2a50) return 'zstd';
  return 'plain';
}

/** Bytes of output at a time: so large that a file is mostly written in one piece. */
const CHUNK = 128 * 1024;

/** Output that may wait, so that the next piece is made while one is written. */
const AHEAD = 4 * CHUNK;

/**
 * The stream without its compression: gzip of any number of members, zstd of any number of frames, or as it is. A chunk of the source need
 * not stay good when the next one is asked for.
 * @param fleeting nor do its own
 * @throws DelosError bad-archive for bytes that are damaged or end too early; errors of the source
 */
export async function* decompressed(source: AsyncIterable<Uint8Array>, fleeting = false): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  const head: Uint8Array[] = [];
  let isDone = false;
  try {
    let length = 0;
    while (length < 4) {
      const { value, done } = await iterator.next();
      if (done === true) break;
      // Of the few bytes of a short one nothing may be lost.
      head.push(value.length < 4 ? Uint8Array.from(value) : value);
      length += value.length;
    }
    const all = chained(head, iterator);
    const compression = compressionOf(head.length === 1 ? (head[0] as Uint8Array) : Buffer.concat(head));
    if (compression === 'plain') yield* all;
    else yield* through(all, compression, fleeting);
    isDone = true;
  } finally {
    const closed = iterator.return?.();
    // One who has given up does not wait for a source that may be waiting for the network.
    if (isDone) await closed;
    else closed?.catch(() => undefined);
  }
}

async function* chained(head: readonly Uint8Array[], rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* head;
  for (;;) {
    const { value, done } = await rest.next();
    if (done === true) return;
    yield value;
  }
}

async function* through(source: AsyncIterable<Uint8Array>, compression: 'gzip' | 'zstd', fleeting: boolean): AsyncGenerator<Uint8Array> {
  const buffering = { chunkSize: CHUNK, readableHighWaterMark: AHEAD, writableHighWaterMark: CHUNK };
  const transform = compression === 'gzip' ? zlib.createGunzip(buffering) : zlib.createZstdDecompress(buffering);
  const fed = feed(compression === 'gzip' ? source : cutAtFrames(source), transform).catch((error: Error) => void transform.destroy(error));
  try {
    for await (const chunk of transform as AsyncIterable<Buffer>) {
      yield chunk;
      if (fleeting) giveBack(chunk);
    }
    await fed;
  } catch (cause) {
    throw damage(cause, compression);
  } finally {
    transform.destroy();
  }
}

/** Gives one chunk after the other, each when the one before is used up. */
async function feed(source: AsyncIterable<Uint8Array>, transform: Transform): Promise<void> {
  for await (const chunk of source) {
    await new Promise<void>((resolve, reject) => {
      transform.write(chunk, (error) => (error ? reject(error) : resolve()));
    });
  }
  transform.end();
}

async function* cutAtFrames(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const frames = new ZstdFrames();
  for await (const chunk of source) yield* frames.cut(chunk);
  if (!frames.isBetween) throw new DelosError('bad-archive', "the layer's zstd stream is cut off");
}

/** zlib's errors as ours; all others as they are. */
function damage(error: unknown, compression: string): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (!code.startsWith('Z_') && !code.startsWith('ZSTD_')) return error;
  return new DelosError('bad-archive', `the layer's ${compression} stream is damaged: ${(error as Error).message}`, { cause: error });
}
