import type { RunConfig } from '../images/config-change.ts';
import type { Lease } from '../images/lease.ts';
import { layerTrees } from '../images/layers.ts';
import { partsOf, readImageConfig, readManifest } from '../images/image.ts';
import { putBlob, readBlob } from '../images/blobs.ts';
import { adoptImage } from '../images/adopt.ts';
import type { ImageRecord } from '../images/records.ts';
import type { ImageStore } from '../images/store.ts';
import { digestOf, type Digest } from '../registry/digest.ts';
import { compressionOf, type Descriptor } from '../registry/manifest.ts';
import { mediaTypes } from '../registry/media-types.ts';
import type { Platform } from '../registry/platform.ts';
import type { Reference } from '../registry/reference.ts';
import { LayerView } from './layer-view.ts';

/** One step of how an image came to be, as in the JSON of its configuration. */
export interface HistoryStep {
  readonly created?: string;
  readonly created_by?: string;
  readonly empty_layer?: boolean;
  readonly [other: string]: unknown;
}

export interface BuiltLayer {
  readonly diffId: Digest;
  readonly blob: Descriptor;
}

/** A stage after some of its steps: all that an image of it would be made of. */
export interface State {
  /** The lowest first. */
  readonly layers: readonly BuiltLayer[];
  readonly config: RunConfig;
  readonly history: readonly HistoryStep[];
  readonly platform: Platform;
  readonly author?: string;
  /** RFC 3339: of the last step, or of the base; absent at the very beginning. */
  readonly created?: string;
}

export const usualPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** `FROM scratch`. */
export function emptyState(platform: Platform): State {
  return { layers: [], config: { Env: [usualPath] }, history: [], platform };
}

/** `FROM image`. What it is made of is held by the lease. @throws DelosError no-image, bad-image */
export async function stateOf(store: ImageStore, lease: Lease, image: ImageRecord): Promise<State> {
  await lease.add(...partsOf(store, image));
  const { platform, diffIds, created } = readImageConfig(store, image);
  const raw = JSON.parse(readBlob(store, image.id).toString('utf8')) as { config?: RunConfig | null; history?: HistoryStep[] | null; author?: string };
  const { layers } = readManifest(store, image.manifest);
  return {
    layers: layers.map((blob, index) => ({ diffId: diffIds[index] as Digest, blob: { ...blob, mediaType: ociTypes[compressionOf(blob)] } })),
    config: raw.config ?? {}, history: raw.history ?? [], platform, ...(raw.author !== undefined && { author: raw.author }), ...(created !== undefined && { created }),
  };
}

/** An OCI manifest names layers by OCI's names. */
const ociTypes = { gzip: mediaTypes.ociLayerGzip, zstd: mediaTypes.ociLayerZstd, none: mediaTypes.ociLayer } as const;

export function diffIdsOf({ layers }: State): Digest[] {
  return layers.map(({ diffId }) => diffId);
}

/** The folders of its layers, the topmost first. */
export function treesOf(store: ImageStore, state: State): string[] {
  return layerTrees(store, diffIdsOf(state));
}

/** Its root. The caller disposes of it. */
export function viewOf(store: ImageStore, state: State): LayerView {
  return new LayerView(treesOf(store, state), store.unpacking.owners === 'mine');
}

/** Makes the image. @throws DelosError io */
export async function imageOf(store: ImageStore, lease: Lease, state: State, names: readonly Reference[]): Promise<ImageRecord> {
  const { layers, config, history, platform: { os, architecture, variant }, author, created } = state;
  const image = await put(store, lease, mediaTypes.ociConfig, {
    created, ...(author !== undefined && { author }), architecture, os, ...(variant !== undefined && { variant }), config,
    rootfs: { type: 'layers', diff_ids: diffIdsOf(state) }, history,
  });
  const manifest = await put(store, lease, mediaTypes.ociManifest, {
    schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: image, layers: layers.map(({ blob }) => blob),
  });
  return adoptImage(store, lease, { manifest: manifest.digest }, names);
}

async function put(store: ImageStore, lease: Lease, mediaType: string, document: object): Promise<Descriptor> {
  const bytes = Buffer.from(JSON.stringify(document));
  await lease.add(digestOf(bytes));
  return putBlob(store, bytes, mediaType);
}
