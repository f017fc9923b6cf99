import fs from 'node:fs';
import path from 'node:path';
import { hexOf, type Digest } from '../registry/digest.ts';
import { mediaTypes } from '../registry/media-types.ts';
import { formatReference, parseReference, type Reference } from '../registry/reference.ts';
import { tarEntry } from '../tar/entry.ts';
import { tarEnd, tarHeader, tarPadding } from '../tar/writer.ts';
import { hasBlob } from './blobs.ts';
import { readIndex, readManifest } from './image.ts';
import { requireImage, type ImageRecord } from './records.ts';
import { blobFile, type ImageStore } from './store.ts';
import { takeLease, type Lease } from './lease.ts';
import { DelosError } from '../lib/errors.ts';

/** A file of an archive: small ones by their bytes, blobs by where they are. */
interface ArchiveFile {
  readonly name: string;
  readonly content: Buffer | { readonly blob: string };
}

/** The annotations by which an OCI layout names its images: the whole name, and as the specification has it. */
export const nameAnnotations = { whole: 'io.containerd.image.name', short: 'org.opencontainers.image.ref.name' } as const;

/**
 * Images as one tar archive, which is an OCI image layout and a docker archive at the same time, as docker's own are: what loads the
 * one or the other loads it. The same images give the same bytes.
 * @param names of images; one that is named by its ID has no name in the archive
 * @throws DelosError no-image, io
 */
export async function* saveImages(store: ImageStore, names: readonly string[]): AsyncGenerator<Uint8Array> {
  using lease = takeLease(store);
  const files = await layoutFiles(store, names, lease);
  for (const folder of ['blobs', 'blobs/sha256']) yield tarHeader(tarEntry({ name: folder, type: 'directory' }));
  for (const { name, content } of files) {
    const size = 'blob' in content ? fs.statSync(content.blob).size : content.length;
    yield tarHeader(tarEntry({ name, size }));
    if (!('blob' in content)) yield content;
    else yield* fs.createReadStream(content.blob, { highWaterMark: 256 << 10 }) as AsyncIterable<Buffer>;
    yield tarPadding(size);
  }
  yield tarEnd();
}

/**
 * Images as an OCI image layout in a folder, which must be empty or not be there.
 * @throws DelosError no-image, exists, io
 */
export async function saveLayout(store: ImageStore, names: readonly string[], folder: string): Promise<void> {
  using lease = takeLease(store);
  const files = await layoutFiles(store, names, lease);
  fs.mkdirSync(folder, { recursive: true });
  if (fs.readdirSync(folder).length > 0) throw new DelosError('exists', `${folder} is not empty`);
  fs.mkdirSync(path.join(folder, 'blobs/sha256'), { recursive: true });
  for (const { name, content } of files) {
    const target = path.join(folder, name);
    if ('blob' in content) fs.copyFileSync(content.blob, target, fs.constants.COPYFILE_FICLONE);
    else fs.writeFileSync(target, content);
    fs.chmodSync(target, 0o644);
  }
}

/** All files. What says what they are stands behind the blobs: whoever reads an archive then has all that it names. */
async function layoutFiles(store: ImageStore, names: readonly string[], lease: Lease): Promise<ArchiveFile[]> {
  const chosen = names.map((text) => ({ image: requireImage(store, text), name: nameIn(store, text) }));
  const blobs = new Set<Digest>();
  for (const { image } of chosen) {
    const { config, layers } = readManifest(store, image.manifest);
    for (const digest of [image.manifest, config.digest, ...layers.map(({ digest }) => digest)]) blobs.add(digest);
  }
  await lease.add(...blobs);
  const missing = [...blobs].find((digest) => !hasBlob(store, digest));
  if (missing !== undefined) throw new DelosError('no-image', `the image is incomplete: ${missing} is not in ${store.root}; pull it again`);
  const json = (value: unknown): Buffer => Buffer.from(`${JSON.stringify(value)}\n`);
  return [
    ...[...blobs].toSorted().map((digest) => ({ name: blobName(digest), content: { blob: blobFile(store, digest) } })),
    {
      name: 'index.json',
      content: json({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: chosen.map(({ image, name }) => indexEntry(store, image, name)) }),
    },
    { name: 'manifest.json', content: json(dockerManifest(store, chosen)) },
    { name: 'oci-layout', content: json({ imageLayoutVersion: '1.0.0' }) },
  ];
}

/** The name that was meant; none where it was an ID. */
function nameIn(store: ImageStore, text: string): Reference | undefined {
  const { tags } = requireImage(store, text);
  if (text.startsWith('sha256:')) return undefined;
  try {
    const reference = parseReference(text);
    return tags.includes(formatReference(reference)) ? reference : undefined;
  } catch {
    return undefined;
  }
}

function indexEntry(store: ImageStore, { manifest, index }: ImageRecord, name: Reference | undefined): object {
  const { mediaType } = readManifest(store, manifest);
  const siblings = index === undefined || !hasBlob(store, index) ? [] : readIndex(store, index).manifests;
  const platform = siblings.find(({ digest }) => digest === manifest)?.platform;
  return {
    mediaType, digest: manifest, size: fs.statSync(blobFile(store, manifest)).size, ...(platform !== undefined && { platform }),
    ...(name !== undefined && { annotations: { [nameAnnotations.whole]: formatReference(name), [nameAnnotations.short]: name.tag } }),
  };
}

/** docker's manifest.json: an item for each image, with all its names: whole ones, as podman takes short ones for its own. */
function dockerManifest(store: ImageStore, chosen: readonly { image: ImageRecord; name: Reference | undefined }[]): object[] {
  return [...new Set(chosen.map(({ image }) => image))].map((image) => {
    const { config, layers } = readManifest(store, image.manifest);
    const names = chosen.filter((other) => other.image.manifest === image.manifest).flatMap(({ name }) => name ?? []);
    return { Config: blobName(config.digest), RepoTags: names.map(formatReference), Layers: layers.map(({ digest }) => blobName(digest)) };
  });
}

function blobName(digest: Digest): string {
  return `blobs/sha256/${hexOf(digest)}`;
}
