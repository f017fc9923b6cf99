import { createHash } from 'node:crypto';
import { compressionOf } from '../layers/decompress.ts';
import { DelosError } from '../lib/errors.ts';
import { digestOf, finish, hexOf } from '../registry/digest.ts';
import { Foreign } from '../registry/foreign.ts';
import { defaultLimits, type Limits } from '../registry/limits.ts';
import { parseManifest, selectPlatform, type Descriptor, type IndexEntry } from '../registry/manifest.ts';
import { mediaTypes } from '../registry/media-types.ts';
import { hostPlatform, type Platform } from '../registry/platform.ts';
import { parseReference, type Reference } from '../registry/reference.ts';
import { adoptImage } from './adopt.ts';
import { archiveFiles, folderFiles, type ArchiveFiles } from './archive-files.ts';
import { ensureBlob, putBlob } from './blobs.ts';
import { takeLease, type Lease } from './lease.ts';
import type { ImageRecord } from './records.ts';
import { nameAnnotations } from './save.ts';
import type { ImageStore } from './store.ts';

export interface LoadOptions {
  /** Of an index with several platforms; the host's by default. */
  readonly platform?: Platform;
  readonly limits?: Partial<Limits>;
  readonly signal?: AbortSignal;
}

const mostImages = 1000;

/**
 * Loads what {@link saveImages}, `docker save`, `podman save`, skopeo, buildah or umoci have written: a docker archive or an OCI image
 * layout, as a tar stream (packed or not) or as a folder.
 * @param place what it is, for messages
 * @throws DelosError bad-archive, bad-image, no-image, too-large, registry (content that is not what its name says), io
 */
export async function loadImages(
  store: ImageStore, source: AsyncIterable<Uint8Array> | { readonly folder: string }, place: string, options: LoadOptions = {},
): Promise<ImageRecord[]> {
  const limits = { ...defaultLimits, ...options.limits };
  using files = 'folder' in source ? folderFiles(source.folder) : await archiveFiles(store, source, place, limits.layerBytes);
  using lease = takeLease(store);
  const work: Work = { store, files, lease, limits, options };
  if (files.has('index.json')) return await loadLayout(work);
  if (files.has('manifest.json')) return await loadDocker(work);
  throw new DelosError('bad-archive', `${place} is no saved image: expected an index.json (OCI layout) or a manifest.json (docker archive)`);
}

interface Work {
  readonly store: ImageStore;
  readonly files: ArchiveFiles;
  readonly lease: Lease;
  readonly limits: Limits;
  readonly options: LoadOptions;
}

async function loadLayout(work: Work): Promise<ImageRecord[]> {
  const { files, limits } = work;
  const index = parseManifest(files.read('index.json', limits.manifestBytes), mediaTypes.ociIndex, `${files.place}: index.json`);
  if (index.kind !== 'index' || index.manifests.length === 0) throw new DelosError('bad-image', `${files.place}: index.json names no image`);
  if (index.manifests.length > mostImages) throw new DelosError('too-large', `${files.place}: more than ${mostImages} images`);
  const loaded = new Map<string, ImageRecord>();
  for (const entry of index.manifests) {
    const image = await loadEntry(work, entry);
    loaded.set(image.manifest, image);
  }
  return [...loaded.values()];
}

async function loadEntry(work: Work, entry: IndexEntry): Promise<ImageRecord> {
  const { files, limits, options, store, lease } = work;
  const top = readEntry(files, entry, limits);
  const names = namesOf(entry, files.place);
  const [chosen, index] = top.kind === 'index' ? [selectPlatform(top, options.platform ?? hostPlatform(), files.place), entry.digest] : [entry, undefined];
  const manifest = chosen === entry ? top : readEntry(files, chosen, limits);
  if (manifest.kind !== 'manifest') throw new DelosError('bad-image', `${files.place}: ${chosen.digest} is an index in an index, which is not supported`);
  await fetch(work, [...(index === undefined ? [] : [entry]), chosen, manifest.config, ...manifest.layers]);
  return adoptImage(store, lease, { manifest: chosen.digest, ...(index !== undefined && { index }) }, names, signalOf(options));
}

function readEntry(files: ArchiveFiles, entry: Descriptor, { manifestBytes }: Limits): ReturnType<typeof parseManifest> {
  const bytes = files.read(blobName(entry), manifestBytes);
  if (digestOf(bytes) !== entry.digest) {
    throw new DelosError('bad-image', `${files.place}: ${blobName(entry)} is not what its name says: found ${digestOf(bytes)}`);
  }
  return parseManifest(bytes, entry.mediaType, `${files.place}: ${entry.digest}`);
}

/** The whole name if there is one; a tag alone names nothing. */
function namesOf({ annotations }: IndexEntry, place: string): Reference[] {
  const text = own(annotations, nameAnnotations.whole) ?? own(annotations, nameAnnotations.short);
  if (text === undefined || (own(annotations, nameAnnotations.whole) === undefined && !/[:/]/.test(text))) return [];
  return [named(text, place)];
}

function named(text: string, place: string): Reference {
  try {
    return parseReference(text);
  } catch (cause) {
    throw new DelosError('bad-image', `${place}: ${(cause as Error).message}`, { cause });
  }
}

async function loadDocker(work: Work): Promise<ImageRecord[]> {
  const { files, limits } = work;
  const items = Foreign.parse(files.read('manifest.json', limits.manifestBytes), `${files.place}: manifest.json`).list(mostImages);
  const loaded = new Map<string, ImageRecord>();
  for (const item of items) {
    const image = await loadDockerItem(work, item);
    loaded.set(image.manifest, image);
  }
  return [...loaded.values()];
}

/** docker's archives have no manifest: it is made here. */
async function loadDockerItem(work: Work, item: Foreign): Promise<ImageRecord> {
  const { files, limits, store, lease, options } = work;
  const names = item.get('RepoTags').list(mostImages).map((tag) => named(tag.string(), files.place));
  const configBytes = files.read(item.get('Config').string(), limits.configBytes);
  const config = { mediaType: mediaTypes.ociConfig, digest: digestOf(configBytes), size: configBytes.length };
  await lease.add(config.digest);
  await putBlob(store, configBytes);
  const layers: Descriptor[] = [];
  for (const layer of item.get('Layers').list(mostImages)) layers.push(await keepLayer(work, layer.string()));
  const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers }));
  await lease.add(digestOf(manifest));
  const { digest } = await putBlob(store, manifest);
  return adoptImage(store, lease, { manifest: digest }, names, signalOf(options));
}

const layerTypeOf = { gzip: mediaTypes.ociLayerGzip, zstd: mediaTypes.ociLayerZstd, plain: mediaTypes.ociLayer } as const;

async function keepLayer({ files, store, lease, limits, options }: Work, name: string): Promise<Descriptor> {
  const size = files.size(name);
  if (size > limits.layerBytes) throw new DelosError('too-large', `${files.place}: ${name} has ${size} bytes, more than the ${limits.layerBytes} allowed`);
  const hash = createHash('sha256');
  let head: Uint8Array = Buffer.alloc(0);
  for await (const chunk of files.open(name, 0)) {
    if (head.length < 4) head = Buffer.concat([head, chunk]);
    hash.update(chunk);
  }
  const layer = { mediaType: layerTypeOf[compressionOf(head)], digest: finish(hash), size };
  await lease.add(layer.digest);
  await ensureBlob(store, layer, files.place, (start) => files.open(name, start), signalOf(options));
  return layer;
}

async function fetch({ store, files, lease, options }: Work, blobs: readonly Descriptor[]): Promise<void> {
  await lease.add(...blobs.map(({ digest }) => digest));
  for (const blob of blobs) {
    await ensureBlob(store, blob, `${files.place}: ${blobName(blob)}`, (start) => files.open(blobName(blob), start), signalOf(options));
  }
}

function signalOf({ signal }: LoadOptions): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

function blobName({ digest }: Descriptor): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

function own(record: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
