import path from 'node:path';
import { DelosError } from '../lib/errors.ts';
import { isDigest, type Digest } from '../registry/digest.ts';
import { formatReference, parseReference, repositoryOf, type Reference } from '../registry/reference.ts';
import { readIfThere, writeDurably } from './durable.ts';
import { lockStore, type ImageStore } from './store.ts';

/** An image in the store. It is known by its manifest; people know it by its names or by its ID, the digest of its configuration. */
export interface ImageRecord {
  readonly manifest: Digest;
  /** The digest of its configuration: what people know as the image's ID. */
  readonly id: Digest;
  /** The index it was chosen from, if its names stand for one. */
  readonly index?: Digest;
  /** Whole names with a tag. Each is of one image only. */
  readonly tags: readonly string[];
  /** Whole names with a digest: where it was pulled from or pushed to. */
  readonly digests: readonly string[];
  /** When it came here: RFC 3339. */
  readonly added: string;
}

interface Catalogue {
  readonly version: 1;
  readonly images: readonly ImageRecord[];
}

function catalogueFile({ root }: ImageStore): string {
  return path.join(root, 'images.json');
}

/** All images, the newest first. @throws DelosError io for a catalogue that cannot be read */
export function readRecords(store: ImageStore): readonly ImageRecord[] {
  const file = catalogueFile(store);
  const text = readIfThere(file);
  if (text === undefined) return [];
  try {
    const { version, images } = JSON.parse(text) as Partial<Catalogue>;
    if (version === 1 && Array.isArray(images)) return images as readonly ImageRecord[];
  } catch {
    // Told below.
  }
  throw new DelosError('io', `${file}: expected the catalogue of images, version 1`);
}

/** Changes the catalogue while nobody else does. The store must not be locked by the caller. */
export async function changeRecords(store: ImageStore, change: (images: readonly ImageRecord[]) => readonly ImageRecord[]): Promise<void> {
  using _ = await lockStore(store);
  writeRecords(store, change(readRecords(store)));
}

/** For one who has locked the store. */
export function writeRecords(store: ImageStore, images: readonly ImageRecord[]): void {
  writeDurably(catalogueFile(store), `${JSON.stringify({ version: 1, images } satisfies Catalogue)}\n`);
}

/**
 * The catalogue with an image in it under a name; the image that had the name before loses it, but stays.
 * @param names more names with a digest
 */
export function withImage(
  images: readonly ImageRecord[], image: Omit<ImageRecord, 'tags' | 'digests' | 'added'>, names: readonly Reference[], now = new Date(),
): ImageRecord[] {
  const tags = names.filter(({ digest }) => digest === undefined).map(formatReference);
  const digests = names.flatMap(({ domain, path, digest }) => (digest === undefined ? [] : formatReference({ domain, path, digest })));
  const known = images.find(({ manifest }) => manifest === image.manifest);
  const others = images.filter((other) => other !== known).map((other) => ({ ...other, tags: other.tags.filter((tag) => !tags.includes(tag)) }));
  const merged: ImageRecord = {
    ...known, ...image, tags: [...new Set([...known?.tags ?? [], ...tags])], digests: [...new Set([...known?.digests ?? [], ...digests])],
    added: known?.added ?? now.toISOString(),
  };
  return [merged, ...others];
}

/**
 * An image by a name, by its ID or the beginning of it, or by the digest of its manifest. Nothing when there is none.
 * @throws DelosError bad-usage for a beginning that several have; bad-reference
 */
export function findImageRecord(store: ImageStore, text: string): ImageRecord | undefined {
  const images = readRecords(store);
  if (isDigest(text)) return images.find(({ id, manifest }) => id === text || manifest === text);
  const named = byName(images, text);
  if (named !== undefined || !/^[0-9a-f]{3,64}$/.test(text)) return named;
  const found = images.filter(({ id }) => id.startsWith(`sha256:${text}`));
  if (new Set(found.map(({ id }) => id)).size > 1) throw new DelosError('bad-usage', `${text} is the beginning of several images' IDs: give more of it`);
  return found[0];
}

function byName(images: readonly ImageRecord[], text: string): ImageRecord | undefined {
  // An ID of 64 digits is no name.
  if (/^[0-9a-f]{64}$/.test(text)) return undefined;
  const reference = parseReference(text);
  const { digest } = reference;
  if (digest === undefined) return images.find(({ tags }) => tags.includes(formatReference(reference)));
  return images.find(({ digests }) => digests.includes(`${repositoryOf(reference)}@${digest}`));
}

/** As {@link findImageRecord}. @throws DelosError no-image too */
export function requireImage(store: ImageStore, text: string): ImageRecord {
  const found = findImageRecord(store, text);
  if (found === undefined) throw new DelosError('no-image', `no such image: ${text}`);
  return found;
}
