import { DelosError } from '../lib/errors.ts';
import type { Digest } from '../registry/digest.ts';
import { parseManifest, type Index, type Manifest } from '../registry/manifest.ts';
import { readBlob } from './blobs.ts';
import { parseImageConfig, type ImageConfig } from './config.ts';
import { chainIds } from './layers.ts';
import type { ImageRecord } from './records.ts';
import type { ImageStore } from './store.ts';

/** An image's manifest. @throws DelosError no-image when it is not there, bad-image */
export function readManifest(store: ImageStore, digest: Digest): Manifest {
  const content = parseManifest(readBlob(store, digest), undefined, `the manifest ${digest}`);
  if (content.kind !== 'manifest') throw new DelosError('bad-image', `${digest} is an index, not a manifest`);
  return content;
}

/** @throws DelosError no-image when it is not there, bad-image */
export function readIndex(store: ImageStore, digest: Digest): Index {
  const content = parseManifest(readBlob(store, digest), undefined, `the index ${digest}`);
  if (content.kind !== 'index') throw new DelosError('bad-image', `${digest} is a manifest, not an index`);
  return content;
}

/** What an image wants to be run with, and of which layers it is. @throws DelosError no-image when it is not there, bad-image */
export function readImageConfig(store: ImageStore, { id }: Pick<ImageRecord, 'id'>): ImageConfig {
  return parseImageConfig(readBlob(store, id), `the configuration ${id}`);
}

/** All that an image is made of: blobs by their digests, unpacked layers by their chain IDs. */
export function partsOf(store: ImageStore, { manifest, id, index }: Pick<ImageRecord, 'manifest' | 'id' | 'index'>): Digest[] {
  const { layers } = readManifest(store, manifest);
  return [manifest, id, ...(index === undefined ? [] : [index]), ...layers.map(({ digest }) => digest), ...chainIds(readImageConfig(store, { id }).diffIds)];
}
