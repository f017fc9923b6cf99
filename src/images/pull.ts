import { DelosError } from '../lib/errors.ts';
import { findImage, type RegistryOptions } from '../registry/client.ts';
import { digestOf, type Digest } from '../registry/digest.ts';
import { defaultLimits, type Limits } from '../registry/limits.ts';
import { compressionOf, selectPlatform, type Descriptor, type Manifest } from '../registry/manifest.ts';
import { hostPlatform, platformMatch, type Platform } from '../registry/platform.ts';
import { familiarReference, formatReference, parseReference, type Reference } from '../registry/reference.ts';
import type { Fetched, Repository } from '../registry/repository.ts';
import { shownUrl } from '../registry/shown.ts';
import { checkConfig, recordImage } from './adopt.ts';
import { hasWholeBlob, putBlob, readBlob } from './blobs.ts';
import { checkPlatform, parseImageConfig, type ImageConfig } from './config.ts';
import { readImageConfig } from './image.ts';
import { chainIds, hasLayer } from './layers.ts';
import { takeLease, type Lease } from './lease.ts';
import { fetchLayers } from './pull-layers.ts';
import type { OnProgress } from './progress.ts';
import { findImageRecord, type ImageRecord } from './records.ts';
import type { ImageStore } from './store.ts';

/** When to ask the registry: if the image is not here, in any case, not at all. */
export type PullPolicy = 'missing' | 'always' | 'never';

export interface PullOptions extends RegistryOptions {
  /** The host's by default. */
  readonly platform?: Platform;
  /** Layers that are fetched at once: 3. */
  readonly atOnce?: number;
  readonly onProgress?: OnProgress;
}

export interface Pulled {
  readonly image: ImageRecord;
  /** Nothing had to be fetched. */
  readonly upToDate: boolean;
}

/**
 * The image of a name, pulled if the policy says so. An ID of an image that is here is a name too.
 * @throws DelosError no-image when it is not here and must not be pulled; what {@link pullImage} throws
 */
export async function obtainImage(store: ImageStore, name: string, policy: PullPolicy = 'missing', options: PullOptions = {}): Promise<ImageRecord> {
  const known = policy === 'always' ? undefined : findImageRecord(store, name);
  if (known !== undefined && canBeRun(store, known, options.platform)) return known;
  const reference = parseReference(name);
  if (policy === 'never') throw new DelosError('no-image', `the image ${familiarReference(reference)} is not here, and is not to be pulled`);
  return (await pullImage(store, reference, options)).image;
}

/**
 * Pulls an image and unpacks its layers. Nothing of it is seen before it is verified; what is fetched stays for another try when it fails.
 * @throws DelosError no-image, bad-image, registry, bad-archive, too-large, io
 */
export async function pullImage(store: ImageStore, reference: Reference, options: PullOptions = {}): Promise<Pulled> {
  const limits = { ...defaultLimits, ...options.limits };
  // The first failure stops all that runs at once.
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  using connection = await findImage(reference, { ...options, signal });
  using lease = takeLease(store);
  const { repository, found } = connection;
  const { manifest, index } = await chooseManifest(store, repository, lease, found, options.platform ?? hostPlatform());
  const content = manifest.content as Manifest;
  content.layers.forEach((layer) => checkLayer(layer, limits));
  await lease.add(manifest.digest, content.config.digest, ...content.layers.map(({ digest }) => digest));
  await putBlob(store, manifest.bytes);
  const config = await fetchConfig(store, repository, content.config, limits);
  const document = `${formatReference(reference)} (${manifest.digest})`;
  checkConfig(config, content, document);
  if (index === undefined || options.platform !== undefined) checkPlatform(config, options.platform ?? hostPlatform(), document);
  await lease.add(...chainIds(config.diffIds));
  const fetched = await fetchLayers(
    store, repository, content.layers, config.diffIds, { stop, signal, atOnce: options.atOnce ?? 3, onProgress: options.onProgress },
  );
  const image = { manifest: manifest.digest, id: content.config.digest, ...(index !== undefined && { index }) };
  const { domain, path } = reference;
  const byDigest = { domain, path, digest: found.digest };
  const record = await recordImage(store, image, reference.digest === undefined ? [reference, byDigest] : [byDigest]);
  return { image: record, upToDate: !fetched };
}

/** Whether all that running the image needs is here, and it is for this platform, if one was asked for. */
function canBeRun(store: ImageStore, image: ImageRecord, wanted: Platform | undefined): boolean {
  try {
    const { platform, diffIds } = readImageConfig(store, image);
    return (wanted === undefined || platformMatch(platform, wanted) > 0) && chainIds(diffIds).every((chain) => hasLayer(store, chain));
  } catch (error) {
    if (error instanceof DelosError && error.code === 'no-image') return false;
    throw error;
  }
}

async function chooseManifest(
  store: ImageStore, repository: Repository, lease: Lease, found: Fetched, platform: Platform,
): Promise<{ manifest: Fetched; index?: Digest }> {
  if (found.content.kind === 'manifest') return { manifest: found };
  const entry = selectPlatform(found.content, platform, shownUrl(repository.urlOf(`manifests/${found.digest}`)));
  await lease.add(found.digest, entry.digest);
  await putBlob(store, found.bytes);
  const manifest = await repository.manifest(entry.digest);
  if (manifest.content.kind !== 'manifest') throw new DelosError('bad-image', `${entry.digest} is an index in an index, which is not supported`);
  return { manifest, index: found.digest };
}

function checkLayer(layer: Descriptor, { layerBytes }: Limits): void {
  compressionOf(layer);
  if (layer.size > layerBytes) throw new DelosError('too-large', `the layer ${layer.digest} has ${layer.size} bytes, more than the ${layerBytes} allowed`);
}

async function fetchConfig(store: ImageStore, repository: Repository, config: Descriptor, { configBytes }: Limits): Promise<ImageConfig> {
  if (!await hasWholeBlob(store, config)) {
    const bytes = await repository.smallBlob(config, configBytes);
    if (digestOf(bytes) !== config.digest) throw new Error('assertion: a small blob is verified');
    await putBlob(store, bytes);
  }
  return parseImageConfig(readBlob(store, config.digest), `the configuration ${config.digest}`);
}
