import { DelosError } from '../lib/errors.ts';
import { isDigest, type Digest } from '../registry/digest.ts';
import type { Manifest } from '../registry/manifest.ts';
import { familiarReference, formatReference, parseReference } from '../registry/reference.ts';
import type { HistoryEntry, ImageConfig } from './config.ts';
import { collectGarbage, type Collected, type CollectOptions } from './garbage.ts';
import { readHolds } from './holds.ts';
import { readImageConfig, readManifest } from './image.ts';
import { chainIds, hasLayer, readLayer } from './layers.ts';
import { changeRecords, readRecords, requireImage, withImage, type ImageRecord } from './records.ts';
import type { ImageStore } from './store.ts';

/** All that is known of an image. */
export interface ImageDetails {
  readonly record: ImageRecord;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  /** Bytes of its unpacked layers' archives; of packed ones where they are not unpacked. */
  readonly size: number;
  /** Containers that hold it. */
  readonly containers: readonly string[];
}

/** @param name a name, an ID or the beginning of one @throws DelosError no-image, bad-image, bad-reference */
export function inspectImage(store: ImageStore, name: string): ImageDetails {
  return detailsOf(store, requireImage(store, name), readHolds(store).map(({ owner, image }) => ({ owner, id: image.manifest })));
}

/** All images, the newest first. One that is incomplete is left out: it has to be pulled again. */
export function listImages(store: ImageStore): ImageDetails[] {
  const holds = readHolds(store).map(({ owner, image }) => ({ owner, id: image.manifest }));
  return readRecords(store).flatMap((record) => {
    try {
      return detailsOf(store, record, holds);
    } catch (error) {
      if (error instanceof DelosError && error.code === 'no-image') return [];
      throw error;
    }
  });
}

function detailsOf(store: ImageStore, record: ImageRecord, holds: readonly { owner: string; id: Digest }[]): ImageDetails {
  const [manifest, config] = [readManifest(store, record.manifest), readImageConfig(store, record)];
  const chain = chainIds(config.diffIds);
  const size = chain.reduce((sum, id, index) => sum + (hasLayer(store, id) ? readLayer(store, id).size : manifest.layers[index]?.size ?? 0), 0);
  return { record, manifest, config, size, containers: holds.filter(({ id }) => id === record.manifest).map(({ owner }) => owner) };
}

export interface HistoryRow extends HistoryEntry {
  /** Bytes of the layer that the step made; 0 for none. */
  readonly size: number;
}

/** How an image came to be, the last step first. Steps and layers are brought together as far as both are told. */
export function imageHistory(store: ImageStore, name: string): HistoryRow[] {
  const { config, manifest } = inspectImage(store, name);
  const chain = chainIds(config.diffIds);
  let layer = 0;
  const rows = config.history.map((entry) => {
    const index = entry.emptyLayer ? -1 : layer++;
    const id = chain[index];
    return { ...entry, size: id === undefined ? 0 : hasLayer(store, id) ? readLayer(store, id).size : manifest.layers[index]?.size ?? 0 };
  });
  return rows.toReversed();
}

/** Gives an image another name. Another image that has it loses it. @throws DelosError no-image, bad-reference */
export async function tagImage(store: ImageStore, name: string, newName: string): Promise<void> {
  const { manifest } = requireImage(store, name);
  const reference = parseReference(newName);
  if (reference.digest !== undefined) throw new DelosError('bad-reference', `invalid image name '${newName}': a new name cannot have a digest`);
  await changeRecords(store, (images) => {
    const image = images.find((record) => record.manifest === manifest);
    if (image === undefined) throw new DelosError('no-image', `the image ${name} was removed meanwhile`);
    return withImage(images, image, [reference]);
  });
}

export interface Removed extends Collected {
  /** The names that are gone. */
  readonly untagged: readonly string[];
}

export interface RemoveOptions extends CollectOptions {
  /** Also an image that has several names, or that containers hold: it stays for them, without a name. */
  readonly force?: boolean;
}

/**
 * Removes a name of an image, and with the last one the image. An image that is named by its ID goes with all its names.
 * @throws DelosError no-image; wrong-state for one that a container holds, or that has several names and was named by its ID
 */
export async function removeImage(store: ImageStore, name: string, { force = false, ...collect }: RemoveOptions = {}): Promise<Removed> {
  let untagged: readonly string[] = [];
  const { manifest } = requireImage(store, name);
  await changeRecords(store, (images) => {
    const image = images.find((record) => record.manifest === manifest);
    if (image === undefined) throw new DelosError('no-image', `no such image: ${name}`);
    const named = nameMeant(image, name);
    if (named === undefined) checkRemovable(image, name, force);
    const tags = image.tags.filter((tag) => tag !== named);
    const digests = image.digests.filter((digest) => digest !== named);
    // A digest is how a registry calls it: without a tag, and without another of those, nobody asks for it.
    const stays = named !== undefined && (tags.length > 0 || (image.tags.length === 0 && digests.length > 0));
    if (!stays) checkUnheld(store, image, name, force);
    untagged = stays ? [named] : [...image.tags, ...image.digests];
    return images.flatMap((record) => (record !== image ? record : stays ? { ...image, tags, digests } : []));
  });
  return { untagged, ...(await collectGarbage(store, collect)) };
}

/** The whole name that was meant; undefined when it was an ID or the digest of the manifest. */
function nameMeant(image: ImageRecord, name: string): string | undefined {
  if (isDigest(name) || /^[0-9a-f]{64}$/.test(name)) return undefined;
  const { domain, path, tag, digest } = parseReference(name);
  const whole = formatReference(digest === undefined ? { domain, path, ...(tag !== undefined && { tag }) } : { domain, path, digest });
  return image.tags.includes(whole) || image.digests.includes(whole) ? whole : undefined;
}

function checkRemovable(image: ImageRecord, name: string, force: boolean): void {
  if (force || image.tags.length < 2) return;
  const names = image.tags.map((tag) => familiarReference(parseReference(tag))).join(', ');
  throw new DelosError('wrong-state', `the image ${name} has several names (${names}): remove them one by one, or all with --force`);
}

function checkUnheld(store: ImageStore, image: ImageRecord, name: string, force: boolean): void {
  const holder = readHolds(store).find((hold) => hold.image.manifest === image.manifest);
  if (holder === undefined || force) return;
  throw new DelosError('wrong-state', `the image ${name} is used by container ${holder.owner.slice(0, 12)}: remove that first, or use --force`);
}

/**
 * Removes images that have no name, or with `all` those that no container holds.
 * @throws DelosError io
 */
export async function pruneImages(store: ImageStore, { all = false, ...collect }: CollectOptions & { readonly all?: boolean } = {}): Promise<Removed> {
  const untagged: string[] = [];
  await changeRecords(store, (images) => {
    const held = new Set(readHolds(store).map(({ image }) => image.manifest));
    const [kept, gone] = [[] as ImageRecord[], [] as ImageRecord[]];
    for (const image of images) (held.has(image.manifest) || (image.tags.length > 0 && !all) ? kept : gone).push(image);
    untagged.push(...gone.flatMap(({ tags, digests }) => [...tags, ...digests]));
    return kept;
  });
  return { untagged, ...(await collectGarbage(store, collect)) };
}
