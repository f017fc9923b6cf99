import { defaultPlaces } from '../containers/places.ts';
import { inspectImage, listImages, removeImage, tagImage, type ImageDetails } from '../images/catalogue.ts';
import { importImage } from '../images/import.ts';
import { loadImages } from '../images/load.ts';
import type { OnProgress } from '../images/progress.ts';
import { pullImage } from '../images/pull.ts';
import { pushImage } from '../images/push.ts';
import type { ImageRecord } from '../images/records.ts';
import { saveImages } from '../images/save.ts';
import { openStore, type ImageStore } from '../images/store.ts';
import { unpackImage } from '../images/unpack-image.ts';
import type { Credentials } from '../registry/credentials.ts';
import { formatPlatform, parsePlatform } from '../registry/platform.ts';
import { familiarReference, parseReference } from '../registry/reference.ts';

/** What every function about images takes. */
export interface StoreOptions {
  /** The folder of the store. Default: that of the command, /var/lib/delos or `~/.local/share/delos`. */
  readonly store?: string;
}

export interface TransferOptions extends StoreOptions {
  /** In place of what `login` has stored; null for none. */
  readonly credentials?: Credentials | null;
  /** Is told of each layer how far it has come. */
  readonly onProgress?: OnProgress;
  /** Aborted, it ends the transfer; what was fetched stays for another try. */
  readonly signal?: AbortSignal;
}

export interface PlatformOptions {
  /** `linux/arm64`. Default: the host's. */
  readonly platform?: string;
}

export interface LoadOptions extends StoreOptions, PlatformOptions {
  readonly signal?: AbortSignal;
}

export interface ImportOptions extends StoreOptions {
  readonly name?: string;
  /** Instructions of a Dockerfile that change no file: `CMD ["sh"]`. */
  readonly changes?: readonly string[];
}

/** An image in the store. */
export interface ImageSummary {
  /** `sha256:...`, of its configuration. */
  readonly id: string;
  /** `sha256:...`, of its manifest: what registries know it by. */
  readonly digest: string;
  /** `alpine:latest`. */
  readonly names: readonly string[];
  /** `linux/amd64`. */
  readonly platform: string;
  /** RFC 3339, if it says so. */
  readonly created?: string;
  /** Bytes of its unpacked layers. */
  readonly size: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly user: string;
  readonly workingDir: string;
}

function storeOf({ store = defaultPlaces().data }: StoreOptions): ImageStore {
  return openStore(store);
}

function summary({ record, config, size }: ImageDetails): ImageSummary {
  const { platform, created, defaults: { labels, entrypoint, cmd, env, user, workingDir } } = config;
  return {
    id: record.id, digest: record.manifest, names: record.tags.map((tag) => familiarReference(parseReference(tag))), platform: formatPlatform(platform),
    size, labels, env, user, workingDir,
    ...(created !== undefined && { created }), ...(entrypoint !== undefined && { entrypoint }), ...(cmd !== undefined && { cmd }),
  };
}

function summaryOf(store: ImageStore, { manifest }: ImageRecord): ImageSummary {
  return summary(inspectImage(store, manifest));
}

/** The images of registries and of the store that the command uses too. Names are docker's: `alpine` is `docker.io/library/alpine:latest`. */
export const images = {
  /** Fetches an image from its registry. @throws DelosError bad-reference, no-image, bad-image, registry, bad-archive, too-large, io */
  async pull(name: string, { platform, store: folder, ...options }: TransferOptions & PlatformOptions = {}): Promise<ImageSummary> {
    const store = storeOf(folder === undefined ? {} : { store: folder });
    const { image } = await pullImage(store, parseReference(name), { ...options, ...(platform !== undefined && { platform: parsePlatform(platform) }) });
    return summaryOf(store, image);
  },

  /** Sends it to its registry. @returns the digest of its manifest there @throws DelosError no-image, registry */
  push(name: string, { store, ...options }: TransferOptions = {}): Promise<string> {
    return pushImage(storeOf(store === undefined ? {} : { store }), name, options);
  },

  /** All images, the newest first. */
  async list(options: StoreOptions = {}): Promise<ImageSummary[]> {
    return listImages(storeOf(options)).map(summary);
  },

  /** @param name a name, an ID or the beginning of one @throws DelosError no-image */
  async inspect(name: string, options: StoreOptions = {}): Promise<ImageSummary> {
    return summary(inspectImage(storeOf(options), name));
  },

  /** Gives an image another name. @throws DelosError no-image, bad-reference */
  tag(name: string, newName: string, options: StoreOptions = {}): Promise<void> {
    return tagImage(storeOf(options), name, newName);
  },

  /** Removes a name, and with the last one the image. @param options `force`: with all its names, used or not @throws DelosError no-image, wrong-state */
  async remove(name: string, { force = false, ...options }: StoreOptions & { readonly force?: boolean } = {}): Promise<void> {
    await removeImage(storeOf(options), name, { force });
  },

  /**
   * Makes a folder with the image's root file system, for `run({ image: folder })` or anything else. It is the caller's.
   * @param folder empty, or not there @throws DelosError no-image, exists, bad-archive, too-large, io
   */
  async unpack(name: string, folder: string, { signal, ...options }: StoreOptions & { readonly signal?: AbortSignal } = {}): Promise<ImageSummary> {
    const store = storeOf(options);
    return summaryOf(store, await unpackImage(store, name, folder, signal === undefined ? {} : { signal }));
  },

  /** Images as one archive, which is a docker archive and an OCI layout at once. @throws DelosError no-image, io */
  save(names: readonly string[], options: StoreOptions = {}): AsyncIterable<Uint8Array> {
    return saveImages(storeOf(options), names);
  },

  /** Takes what `save`, docker, podman or skopeo have written, as a stream or an unpacked folder. @throws DelosError bad-archive, bad-image, too-large, io */
  async load(
    source: AsyncIterable<Uint8Array> | { readonly folder: string }, { platform, signal, ...options }: LoadOptions = {},
  ): Promise<ImageSummary[]> {
    const store = storeOf(options);
    const loaded = await loadImages(store, source, 'folder' in source ? source.folder : 'the archive', {
      ...(platform !== undefined && { platform: parsePlatform(platform) }), ...(signal !== undefined && { signal }),
    });
    return loaded.map((record) => summaryOf(store, record));
  },

  /**
   * Makes an image of a root file system in a tar archive.
   * @throws DelosError bad-usage, bad-reference, bad-archive, too-large, io
   */
  async import(archive: AsyncIterable<Uint8Array>, { name, changes = [], ...options }: ImportOptions = {}): Promise<ImageSummary> {
    const store = storeOf(options);
    return summaryOf(store, await importImage(store, archive, { names: name === undefined ? [] : [parseReference(name)], changes }));
  },
} as const;
