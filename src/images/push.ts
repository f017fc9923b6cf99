import fs from 'node:fs';
import { Readable } from 'node:stream';
import { openRepository, type RegistryOptions } from '../registry/client.ts';
import type { Digest } from '../registry/digest.ts';
import type { Descriptor } from '../registry/manifest.ts';
import { familiarReference, parseReference, type Reference } from '../registry/reference.ts';
import type { Repository } from '../registry/repository.ts';
import { putManifest, uploadBlob, type UploadOptions } from '../registry/upload.ts';
import { DelosError } from '../lib/errors.ts';
import { hasBlob, readBlob } from './blobs.ts';
import { readManifest } from './image.ts';
import { takeLease } from './lease.ts';
import { inParallel } from './parallel.ts';
import type { OnProgress } from './progress.ts';
import { changeRecords, readRecords, requireImage, withImage } from './records.ts';
import { blobFile, type ImageStore } from './store.ts';

export interface PushOptions extends RegistryOptions, Pick<UploadOptions, 'chunkBytes'> {
  /** Where to; the image's own name by default. */
  readonly to?: Reference;
  /** Layers that are sent at once: 3. */
  readonly atOnce?: number;
  readonly onProgress?: OnProgress;
}

/**
 * Pushes an image: what the registry does not have of it, then its manifest, as it is: digests do not change.
 * @param name a name; an ID only with `to`
 * @returns the digest of the manifest
 * @throws DelosError no-image, registry
 */
export async function pushImage(store: ImageStore, name: string, options: PushOptions = {}): Promise<Digest> {
  using lease = takeLease(store);
  const image = requireImage(store, name);
  const reference = options.to ?? parseReference(name);
  if (reference.tag === undefined) throw new DelosError('bad-reference', `${familiarReference(reference)} has no tag to push to`);
  const manifest = readManifest(store, image.manifest);
  await lease.add(image.manifest, manifest.config.digest, ...manifest.layers.map(({ digest }) => digest));
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  using connection = await openRepository(reference, { ...options, signal });
  const { repository } = connection;
  const distinct = [...new Map([...manifest.layers, manifest.config].map((blob) => [blob.digest, blob])).values()];
  await inParallel(
    distinct, options.atOnce ?? 3, (blob) => pushBlob(store, repository, blob, { ...options, mountFrom: sourcesOf(store, reference, blob) }),
    () => stop.abort(),
  );
  const digest = await putManifest(repository, reference.tag, manifest.mediaType, readBlob(store, image.manifest));
  await changeRecords(store, (images) => (images.some((record) => record.manifest === digest) ? withImage(images, image, [{ ...reference, digest }]) : images));
  return digest;
}

async function pushBlob(
  store: ImageStore, repository: Repository, blob: Descriptor, { onProgress, mountFrom, chunkBytes }: PushOptions & Pick<UploadOptions, 'mountFrom'>,
): Promise<void> {
  const tell = (phase: 'uploading' | 'done' | 'exists' | 'mounted', current: number): void => {
    onProgress?.({ layer: blob.digest, phase, current, total: blob.size });
  };
  if (!hasBlob(store, blob.digest)) throw new DelosError('no-image', `the image is incomplete: ${blob.digest} is not in ${store.root}; pull it again`);
  const file = blobFile(store, blob.digest);
  const source = {
    open: (start: number, end: number) => (end > start ? fs.createReadStream(file, { start, end: end - 1, highWaterMark: 256 << 10 }) : Readable.from([])),
  };
  const how = await uploadBlob(repository, blob, source, {
    onProgress: (sent) => tell('uploading', sent), ...(mountFrom !== undefined && { mountFrom }), ...(chunkBytes !== undefined && { chunkBytes }),
  });
  tell(how === 'uploaded' ? 'done' : how, blob.size);
}

/** Repositories of the same registry that this store knows to have the blob. At most one is tried: each try is a request. */
function sourcesOf(store: ImageStore, { domain, path }: Reference, { digest }: Descriptor): string[] {
  for (const image of readRecords(store)) {
    const other = image.digests.map(parseReference).find((candidate) => candidate.domain === domain && candidate.path !== path);
    if (other !== undefined && hasBlob(store, image.manifest) && readManifest(store, image.manifest).layers.some((layer) => layer.digest === digest)) {
      return [other.path];
    }
  }
  return [];
}
