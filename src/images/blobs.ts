import { createHash, type Hash } from 'node:crypto';
import fs from 'node:fs';
import { DelosError } from '../lib/errors.ts';
import { digestOf, finish, type Digest } from '../registry/digest.ts';
import type { Descriptor } from '../registry/manifest.ts';
import { cannot } from './durable.ts';
import { lockFile } from './file-lock.ts';
import { FRESH_MODE, isSettled } from './settled.ts';
import { blobFile, partialFile, type ImageStore } from './store.ts';

export interface BlobOptions {
  /** Is told how many bytes are there, also while another process fetches them. */
  readonly onProgress?: (current: number) => void;
  /** Is told how many bytes this process has in `partial`. Fewer than before: it begins anew. */
  readonly onWritten?: (there: number) => void;
  readonly signal?: AbortSignal;
}

/** Bytes from `start` on. */
export type BlobOrigin = (start: number) => AsyncIterable<Uint8Array>;

export function hasBlob(store: ImageStore, digest: Digest): boolean {
  return fs.existsSync(blobFile(store, digest));
}

/** Whether the whole of a blob is there. One that may be torn is read through. */
export async function hasWholeBlob(store: ImageStore, blob: Descriptor): Promise<boolean> {
  return hasWhole(store, blob, true) || (hasWhole(store, blob, false) && await isIntact(store, blob));
}

/** Whether a blob is there, and on the disk too, if that matters; one that is not may be torn by a crash of the machine since. */
function hasWhole(store: ImageStore, { digest, size }: Descriptor, onDisk: boolean): boolean {
  const found = fs.statSync(blobFile(store, digest), { throwIfNoEntry: false });
  return found?.size === size && (!onDisk || isSettled(found));
}

/** A small blob, whole and verified once more. @throws DelosError no-image when it is not there, io */
export function readBlob(store: ImageStore, digest: Digest): Buffer {
  const file = blobFile(store, digest);
  const incomplete = (cause?: unknown): DelosError => new DelosError(
    'no-image', `the image is incomplete: ${digest} is not in ${store.root}; pull it again`, { cause },
  );
  try {
    const bytes = fs.readFileSync(file);
    if (digestOf(bytes) === digest) return bytes;
  } catch (cause) {
    throw hasBlob(store, digest) ? cannot(file, 'read', cause) : incomplete(cause);
  }
  throw incomplete();
}

/** Keeps bytes that are there already. */
export async function putBlob(store: ImageStore, bytes: Uint8Array, mediaType = ''): Promise<Descriptor> {
  const blob = { mediaType, digest: digestOf(bytes), size: bytes.length };
  await ensureBlob(store, blob, 'memory', async function* rest(start) {
    yield bytes.subarray(start);
  });
  return blob;
}

/**
 * Sees to it that a blob is in the store. Of all that want it at once, here and in other processes, one fetches it; what an earlier
 * one has left of it is kept. It gets its name only when its digest is right.
 * @param place where it comes from, for messages
 * @throws DelosError registry when the content is not what its name says: nothing is left of it; io; what `origin` throws
 */
export async function ensureBlob(
  store: ImageStore, blob: Descriptor, place: string, origin: BlobOrigin, options: BlobOptions = {},
): Promise<'exists' | 'fetched'> {
  const partial = partialFile(store, blob.digest);
  const { onProgress, onWritten, signal } = options;
  let waited = false;
  using lock = await lockFile(partial, {
    ...(signal !== undefined && { signal }), until: () => hasWhole(store, blob, !waited),
    whileWaiting: () => {
      // What comes meanwhile was verified just now.
      waited = true;
      onProgress?.(Math.min(blob.size, fs.statSync(partial, { throwIfNoEntry: false })?.size ?? blob.size));
    },
  });
  if (lock === undefined) return 'exists';
  try {
    if (await hasWholeBlob(store, blob)) {
      fs.rmSync(partial, { force: true });
      return 'exists';
    }
    await fill(lock.descriptor, blob, place, origin, (there) => {
      onWritten?.(there);
      onProgress?.(there);
    });
    fs.fchmodSync(lock.descriptor, FRESH_MODE);
    fs.renameSync(partial, blobFile(store, blob.digest));
    return 'fetched';
  } catch (error) {
    if (fs.fstatSync(lock.descriptor).size === 0) fs.rmSync(partial, { force: true });
    throw error instanceof Error && 'syscall' in error ? cannot(partial, 'written', error) : error;
  }
}

/** Whether a blob that may be torn is what its name says. */
async function isIntact(store: ImageStore, { digest, size }: Descriptor): Promise<boolean> {
  const file = fs.openSync(blobFile(store, digest), 'r');
  try {
    const { hash } = await hashOf(file, size);
    return finish(hash) === digest;
  } finally {
    fs.closeSync(file);
  }
}

/** Writes what is missing of the file. Where its beginning turns out wrong, as after a crash of the machine, all of it is fetched once more. */
async function fill(descriptor: number, blob: Descriptor, place: string, origin: BlobOrigin, onWritten: (there: number) => void): Promise<void> {
  for (;;) {
    const { hash, length: begun } = await hashOf(descriptor, blob.size);
    let at = begun;
    onWritten(at);
    for await (const chunk of origin(begun)) {
      if (at + chunk.length > blob.size) break;
      hash.update(chunk);
      // A page cache takes it at once; a thread of its own for each chunk would cost more.
      for (let done = 0; done < chunk.length;) done += fs.writeSync(descriptor, chunk, done, chunk.length - done, at + done);
      at += chunk.length;
      onWritten(at);
    }
    const digest = finish(hash);
    if (at === blob.size && digest === blob.digest) return;
    fs.ftruncateSync(descriptor, 0);
    if (begun === 0) {
      throw new DelosError('registry', `${place}: the content is not what its name says: expected ${blob.digest} of ${blob.size} bytes, found ${digest}`);
    }
  }
}

/** The hash of what a file has, of `most` bytes at most; what goes beyond is cut off. */
async function hashOf(descriptor: number, most: number): Promise<{ hash: Hash; length: number }> {
  const hash = createHash('sha256');
  const { size } = fs.fstatSync(descriptor);
  if (size > most) {
    fs.ftruncateSync(descriptor, 0);
    return { hash, length: 0 };
  }
  if (size > 0) {
    const begun = fs.createReadStream('', { fd: descriptor, start: 0, end: size - 1, autoClose: false, highWaterMark: 1 << 20 });
    for await (const chunk of begun as AsyncIterable<Buffer>) hash.update(chunk);
  }
  return { hash, length: size };
}
