import type { Readable } from 'node:stream';
import { locationOf, reasonOf } from './answer.ts';
import { digestOf, isDigest, type Digest } from './digest.ts';
import { unusable } from './failure.ts';
import type { Descriptor } from './manifest.ts';
import type { Repository } from './repository.ts';
import { pause, pauseBefore } from './retry.ts';
import { discard, type Answer, type Exchange } from './transport.ts';

/** The bytes of a blob on this side, any part of them, any number of times. `end` is exclusive. */
export interface BlobSource {
  open(start: number, end: number): Readable;
}

export interface UploadOptions {
  /** Bytes that one request carries at most; a longer blob goes in several. */
  readonly chunkBytes?: number;
  /** Repositories of the same registry that may have the blob already. */
  readonly mountFrom?: readonly string[];
  /** Is told how many bytes the registry has. */
  readonly onProgress?: (sent: number) => void;
}

/** How a blob came to be in the repository. */
export type Uploaded = 'exists' | 'mounted' | 'uploaded';

const usualChunkBytes = 32 << 20;

function pushScope({ path }: Repository, from: readonly string[] = []): string[] {
  return [`repository:${path}:pull,push`, ...from.map((other) => `repository:${other}:pull`)];
}

/**
 * Puts a blob into a repository: not at all if it is there, from another repository of the registry if it is there, else in one
 * request or in chunks. An upload that breaks off is resumed at what the registry has.
 * @throws DelosError registry
 */
export async function uploadBlob(repository: Repository, blob: Descriptor, source: BlobSource, options: UploadOptions = {}): Promise<Uploaded> {
  if (await repository.hasBlob(blob, pushScope(repository))) return 'exists';
  for (const from of options.mountFrom ?? []) {
    const answer = await begin(repository, `?mount=${blob.digest}&from=${encodeURIComponent(from)}`, pushScope(repository, [from]));
    if (answer.status === 201) return 'mounted';
    // The registry does not have it there, and has begun an upload instead.
    return upload(repository, blob, source, locationOf(answer), options);
  }
  return upload(repository, blob, source, locationOf(await begin(repository, '', pushScope(repository))), options);
}

async function begin(repository: Repository, query: string, scopes: readonly string[]): Promise<Answer> {
  const url = new URL(`${repository.urlOf('blobs/uploads/').href}${query}`);
  const answer = await repository.session.send({ method: 'POST', url }, scopes);
  if (answer.status !== 202 && answer.status !== 201) {
    throw unusable(answer, `expected an upload to begin (status 202), found ${answer.status}: ${await reasonOf(answer)}`);
  }
  await discard(answer);
  return answer;
}

async function upload(repository: Repository, blob: Descriptor, source: BlobSource, location: URL, options: UploadOptions): Promise<'uploaded'> {
  const { chunkBytes = usualChunkBytes, onProgress } = options;
  let [url, at, failures] = [location, 0, 0];
  for (;;) {
    const end = Math.min(at + chunkBytes, blob.size);
    try {
      if (end === blob.size) {
        await complete(repository, url, blob, source, at);
        onProgress?.(blob.size);
        return 'uploaded';
      }
      url = await sendChunk(repository, url, source, at, end);
      at = end;
    } catch (error) {
      if (++failures >= repository.limits.attempts) throw error;
      await pause(pauseBefore(failures, repository.limits));
      const state = await stateOf(repository, url, blob).catch(() => undefined);
      // The answer to the last request may be what was lost.
      if (state === undefined && await repository.hasBlob(blob, pushScope(repository)).catch(() => false)) return 'uploaded';
      if (state === undefined) throw error;
      if (state.at > at) failures = 0;
      ({ url, at } = state);
    }
    onProgress?.(at);
  }
}

/** @returns where the next chunk goes */
async function sendChunk(repository: Repository, url: URL, source: BlobSource, start: number, end: number): Promise<URL> {
  const answer = await sendBody(repository, {
    method: 'PATCH', url, headers: { 'Content-Type': 'application/octet-stream', 'Content-Range': `${start}-${end - 1}` },
    body: { length: end - start, open: () => source.open(start, end) },
  });
  if (answer.status !== 202) throw unusable(answer, `expected the chunk to be accepted (status 202), found ${answer.status}: ${await reasonOf(answer)}`);
  await discard(answer);
  return locationOf(answer);
}

/** The last bytes, or all of them, and the digest that the registry has to find. */
async function complete(repository: Repository, location: URL, blob: Descriptor, source: BlobSource, start: number): Promise<void> {
  const url = new URL(location);
  url.searchParams.set('digest', blob.digest);
  const answer = await sendBody(repository, {
    method: 'PUT', url, headers: { 'Content-Type': 'application/octet-stream', ...(start > 0 && { 'Content-Range': `${start}-${blob.size - 1}` }) },
    body: { length: blob.size - start, open: () => source.open(start, blob.size) },
  });
  if (answer.status !== 201) {
    throw unusable(answer, `expected the blob ${blob.digest} to be stored (status 201), found ${answer.status}: ${await reasonOf(answer)}`);
  }
  await discard(answer);
}

/** How far an upload has come, as the registry tells it. */
async function stateOf(repository: Repository, url: URL, blob: Descriptor): Promise<{ url: URL; at: number }> {
  const answer = await repository.session.send({ method: 'GET', url }, pushScope(repository));
  await discard(answer);
  const last = /^(?:bytes=)?0-(\d{1,16})$/.exec(answer.headers['range'] ?? '')?.[1];
  if (answer.status !== 204 || last === undefined) throw unusable(answer, `expected the state of an upload (status 204), found ${answer.status}`);
  // An upload without a byte is told as 0-0, like one with a byte.
  const at = Number(last) === 0 ? 0 : Number(last) + 1;
  if (at > blob.size) throw unusable(answer, `the registry has ${at} bytes of the ${blob.size}`);
  return { url: answer.headers.location === undefined ? url : locationOf(answer), at };
}

function sendBody(repository: Repository, exchange: Exchange): Promise<Answer> {
  return repository.session.send(exchange, pushScope(repository));
}

/**
 * Puts a manifest or an index under a tag or its digest. What it names has to be there.
 * @throws DelosError registry
 */
export async function putManifest(repository: Repository, target: string, mediaType: string, bytes: Uint8Array): Promise<Digest> {
  const answer = await repository.session.send(
    { method: 'PUT', url: repository.urlOf(`manifests/${target}`), headers: { 'Content-Type': mediaType }, body: bytes }, pushScope(repository),
  );
  if (answer.status !== 201) throw unusable(answer, `expected the manifest to be stored (status 201), found ${answer.status}: ${await reasonOf(answer)}`);
  await discard(answer);
  const [digest, told] = [digestOf(bytes), answer.headers['docker-content-digest']];
  if (isDigest(told) && told !== digest) throw unusable(answer, `the registry stored ${told} in place of ${digest}`);
  return digest;
}
