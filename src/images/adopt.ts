import { DelosError } from '../lib/errors.ts';
import type { Digest } from '../registry/digest.ts';
import type { Manifest } from '../registry/manifest.ts';
import type { Reference } from '../registry/reference.ts';
import type { ImageConfig } from './config.ts';
import { readImageConfig, readManifest } from './image.ts';
import { chainIds, ensureLayer, type LayerOptions } from './layers.ts';
import type { Lease } from './lease.ts';
import { changeRecords, readRecords, withImage, type ImageRecord } from './records.ts';
import { settle } from './settled.ts';
import type { ImageStore } from './store.ts';

/** @throws DelosError bad-image for a manifest and a configuration that do not belong together */
export function checkConfig({ diffIds }: ImageConfig, { layers }: Manifest, document: string): void {
  if (diffIds.length === layers.length) return;
  throw new DelosError('bad-image', `${document}: the manifest has ${layers.length} layers, the configuration ${diffIds.length}`);
}

/**
 * Makes an image of what is in the store: unpacks its layers and gives it its names. Its blobs must be there, and leased.
 * @throws DelosError bad-image, bad-archive, too-large, io
 */
export async function adoptImage(
  store: ImageStore, lease: Lease, { manifest, index }: Pick<ImageRecord, 'manifest' | 'index'>, names: readonly Reference[], options: LayerOptions = {},
): Promise<ImageRecord> {
  const content = readManifest(store, manifest);
  const { diffIds } = readImageConfig(store, { id: content.config.digest });
  checkConfig({ diffIds } as ImageConfig, content, `the manifest ${manifest}`);
  await lease.add(...chainIds(diffIds));
  for (const [at, layer] of content.layers.entries()) await ensureLayer(store, diffIds.slice(0, at + 1), layer.digest, options);
  return recordImage(store, { manifest, id: content.config.digest, ...(index !== undefined && { index }) }, names);
}

/** Puts an image that is whole into the catalogue, when all of it is on the disk. */
export async function recordImage(
  store: ImageStore, image: { readonly manifest: Digest; readonly id: Digest; readonly index?: Digest }, names: readonly Reference[],
): Promise<ImageRecord> {
  settle(store);
  await changeRecords(store, (images) => withImage(images, image, names));
  const record = readRecords(store).find(({ manifest }) => manifest === image.manifest);
  if (record === undefined) throw new DelosError('no-image', `the image ${image.id} was removed while it was made`);
  return record;
}
