import { digestOf, type Digest } from '../registry/digest.ts';
import type { Descriptor } from '../registry/manifest.ts';
import { mediaTypes } from '../registry/media-types.ts';
import { hostPlatform, type Platform } from '../registry/platform.ts';
import type { Reference } from '../registry/reference.ts';
import { adoptImage } from './adopt.ts';
import { putBlob, readBlob } from './blobs.ts';
import type { RunConfig } from './config-change.ts';
import { readManifest } from './image.ts';
import { takeLease, type Lease } from './lease.ts';
import { putLayer } from './put-layer.ts';
import type { ImageRecord } from './records.ts';
import type { ImageStore } from './store.ts';

/** A step of how an image came to be, as in the JSON of its configuration. */
export interface Step {
  readonly created_by?: string;
  readonly author?: string;
  readonly comment?: string;
}

/** An image made here: what is below, one more layer, and what it wants to be run with. */
export interface NewImage {
  /** The manifest of the image below; nothing for one that begins with this layer. */
  readonly base?: Digest;
  /** The layer as tar, not packed; nothing for a step that changes only the configuration. */
  readonly layer?: AsyncIterable<Uint8Array>;
  /** In place of the base's. */
  readonly config: RunConfig;
  readonly step: Step;
  readonly created: Date;
  /** In place of the base's or the host's. */
  readonly platform?: Platform;
  readonly names: readonly Reference[];
  readonly signal?: AbortSignal;
}

interface RawConfig {
  readonly config?: RunConfig;
  readonly rootfs?: { readonly diff_ids?: readonly Digest[] };
  readonly history?: readonly object[];
  readonly [other: string]: unknown;
}

/** `config` of an image as it is in the JSON. @throws DelosError no-image */
export function runConfigOf(store: ImageStore, manifest: Digest): RunConfig {
  return rawConfig(store, manifest).config ?? {};
}

/**
 * Makes an image: packs its layer, writes its configuration and manifest, and gives it its names. Equal input makes an equal image.
 * @throws DelosError no-image when the base is not there, bad-archive, too-large, io; what the layer's source throws
 */
export async function commitImage(store: ImageStore, image: NewImage): Promise<ImageRecord> {
  using lease = takeLease(store);
  const below = image.base === undefined ? { layers: [], raw: {} } : await takeBase(store, lease, image.base);
  const added = image.layer === undefined ? undefined : await putLayer(store, lease, image.layer, image.signal);
  const raw = newConfig(below.raw, image, added?.diffId);
  const config = await put(store, lease, Buffer.from(JSON.stringify(raw)), mediaTypes.ociConfig);
  const layers = [...below.layers, ...(added === undefined ? [] : [added.blob])];
  const document = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers };
  const { digest } = await put(store, lease, Buffer.from(JSON.stringify(document)), mediaTypes.ociManifest);
  return await adoptImage(store, lease, { manifest: digest }, image.names, image.signal === undefined ? {} : { signal: image.signal });
}

async function takeBase(store: ImageStore, lease: Lease, manifest: Digest): Promise<{ layers: readonly Descriptor[]; raw: RawConfig }> {
  await lease.add(manifest);
  const { config, layers } = readManifest(store, manifest);
  await lease.add(config.digest, ...layers.map(({ digest }) => digest));
  return { layers: layers.map(asOci), raw: rawConfig(store, manifest) };
}

/** Docker's names for layers do not belong into an OCI manifest; what they name is the same. */
function asOci(layer: Descriptor): Descriptor {
  if (layer.mediaType === mediaTypes.dockerLayerGzip) return { ...layer, mediaType: mediaTypes.ociLayerGzip };
  return layer.mediaType === mediaTypes.dockerLayer ? { ...layer, mediaType: mediaTypes.ociLayer } : layer;
}

/** Of an image that was read when it came here, so that its form is right. */
function rawConfig(store: ImageStore, manifest: Digest): RawConfig {
  return JSON.parse(readBlob(store, readManifest(store, manifest).config.digest).toString('utf8')) as RawConfig;
}

function newConfig(base: RawConfig, { config, step, created, platform }: NewImage, diffId: Digest | undefined): RawConfig {
  const { container: _, container_config: __, docker_version: ___, id: ____, parent: _____, ...rest } = base;
  const at = created.toISOString();
  const usual = hostPlatform();
  return {
    os: usual.os, architecture: usual.architecture, ...rest, ...platform,
    created: at, ...(step.author !== undefined && { author: step.author }), config,
    rootfs: { type: 'layers', diff_ids: [...base.rootfs?.diff_ids ?? [], ...(diffId === undefined ? [] : [diffId])] },
    history: [...base.history ?? [], { created: at, ...step, ...(diffId === undefined && { empty_layer: true }) }],
  } as RawConfig;
}

async function put(store: ImageStore, lease: Lease, bytes: Buffer, mediaType: string): Promise<Descriptor> {
  await lease.add(digestOf(bytes));
  return putBlob(store, bytes, mediaType);
}
