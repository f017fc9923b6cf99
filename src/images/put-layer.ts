import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import zlib from 'node:zlib';
import { DelosError } from '../lib/errors.ts';
import { finish, type Digest } from '../registry/digest.ts';
import type { Descriptor } from '../registry/manifest.ts';
import { mediaTypes } from '../registry/media-types.ts';
import { ensureBlob } from './blobs.ts';
import { cannot } from './durable.ts';
import { tryLockFile } from './file-lock.ts';
import type { Lease } from './lease.ts';
import type { ImageStore } from './store.ts';

/** A layer that was just packed. */
export interface PutLayer {
  readonly blob: Descriptor;
  readonly diffId: Digest;
}

/**
 * Keeps a tar as a layer: gzipped, the same bytes for the same tar. Its digest is known only at the end, so it is laid down in the store's
 * working folder first.
 * @param tar not packed
 * @throws DelosError bad-archive for an empty one, io; what `tar` throws
 */
export async function putLayer(store: ImageStore, lease: Lease, tar: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<PutLayer> {
  const work = path.join(store.root, 'unpacking', `layer-${randomBytes(8).toString('hex')}`);
  using lock = tryLockFile(`${work}.lock`);
  if (lock === undefined) throw new Error('assertion: the name of a working file is random');
  try {
    const [plain, packed] = [createHash('sha256'), createHash('sha256')];
    const counts = { plain: 0, packed: 0 };
    await pipeline(
      Readable.from(tee(tar, (chunk) => {
        plain.update(chunk);
        counts.plain += chunk.length;
      }), { objectMode: false }),
      zlib.createGzip({ chunkSize: 256 << 10 }),
      (gzipped: AsyncIterable<Uint8Array>) => tee(gzipped, (chunk) => {
        packed.update(chunk);
        counts.packed += chunk.length;
      }),
      fs.createWriteStream(work, { flags: 'wx', mode: 0o600 }), ...(signal === undefined ? [] : [{ signal }]),
    );
    if (counts.plain === 0) throw new DelosError('bad-archive', 'the archive is empty');
    const blob = { mediaType: mediaTypes.ociLayerGzip, digest: finish(packed), size: counts.packed };
    await lease.add(blob.digest);
    await ensureBlob(store, blob, work, (start) => fs.createReadStream(work, { start, highWaterMark: 256 << 10 }), signal === undefined ? {} : { signal });
    return { blob, diffId: finish(plain) };
  } catch (error) {
    throw error instanceof Error && 'syscall' in error ? cannot(work, 'written', error) : error;
  } finally {
    fs.rmSync(work, { force: true });
    fs.rmSync(`${work}.lock`, { force: true });
  }
}

async function* tee(source: AsyncIterable<Uint8Array>, take: (chunk: Uint8Array) => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    take(chunk);
    yield chunk;
  }
}
