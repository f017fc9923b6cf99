import { createHash, type Hash } from 'node:crypto';
import { fileChunks } from '../layers/file-chunks.ts';
import { digestOf, finish, type Digest } from '../registry/digest.ts';
import type { ByteString } from '../tar/byte-string.ts';
import type { TarEntry } from '../tar/entry.ts';
import { tarEnd, tarHeader, tarPadding } from '../tar/writer.ts';

/** One file for a layer: its header, and where its bytes come from. */
export interface ArchiveItem {
  readonly entry: TarEntry;
  /** Of a file: opens it for reading; the caller closes it. Or its bytes, or a stream of them. */
  readonly content?: (() => number) | Uint8Array | AsyncIterable<Uint8Array>;
}

/** An archive that is made as it is read, and its digest, which leaves the times out. */
export class TreeArchive {
  readonly #hash: Hash = createHash('sha256');
  readonly #latestSeconds: number;
  #count = 0;

  /** @param latestSeconds later times become this one */
  constructor(latestSeconds = Number.POSITIVE_INFINITY) {
    this.#latestSeconds = latestSeconds;
  }

  /** Entries so far. */
  get count(): number {
    return this.#count;
  }

  /** When all was read. */
  digest(): Digest {
    return finish(this.#hash);
  }

  async *bytes(items: Iterable<ArchiveItem> | AsyncIterable<ArchiveItem>): AsyncGenerator<Uint8Array> {
    for await (const { entry, content } of items) {
      this.#count++;
      this.#hash.update(tarHeader({ ...entry, mtime: { seconds: 0, nanoseconds: 0 } }));
      yield tarHeader(this.#clamped(entry));
      if (content === undefined || entry.type !== 'file') continue;
      for await (const chunk of chunksOf(content, entry.size)) {
        this.#hash.update(chunk);
        yield chunk;
      }
      yield tarPadding(entry.size);
    }
    yield tarEnd();
  }

  #clamped(entry: TarEntry): TarEntry {
    return entry.mtime.seconds < this.#latestSeconds ? entry : { ...entry, mtime: { seconds: this.#latestSeconds, nanoseconds: 0 } };
  }
}

/** The digest of what an archive of these would hold, times left out. */
export async function contentDigest(items: AsyncIterable<ArchiveItem>, signal?: AbortSignal): Promise<Digest> {
  const archive = new TreeArchive();
  for await (const _ of archive.bytes(items)) signal?.throwIfAborted();
  return archive.digest();
}

/**
 * Of several items of one name the last, as only that would stay; what unpacks layers by tar-split refuses a name that is there twice.
 * @param items gives them all, and the same ones when it is asked again
 */
export async function* lastOfEach(items: () => AsyncIterable<ArchiveItem>): AsyncGenerator<ArchiveItem> {
  const left = new Map<ByteString, number>();
  for await (const { entry: { name } } of items()) left.set(name, (left.get(name) ?? 0) + 1);
  for await (const item of items()) {
    const { name } = item.entry;
    const more = (left.get(name) ?? 1) - 1;
    left.set(name, more);
    if (more <= 0) yield item;
  }
}

async function* chunksOf(content: NonNullable<ArchiveItem['content']>, size: number): AsyncGenerator<Uint8Array> {
  if (content instanceof Uint8Array) yield content;
  else if (typeof content === 'function') yield* fileChunks(content(), size);
  else yield* content;
}

/** Of something that is described by JSON. */
export function keyOf(parts: unknown): Digest {
  return digestOf(JSON.stringify(parts));
}

/** The folders around a path, the outermost first, without the root. */
export function foldersAround(path: ByteString): ByteString[] {
  const parts = path.split('/');
  return parts.slice(0, -1).map((_, index) => parts.slice(0, index + 1).join('/'));
}
