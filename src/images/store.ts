import fs from 'node:fs';
import path from 'node:path';
import type { UnpackOptions } from '../layers/unpack-options.ts';
import { hexOf, type Digest } from '../registry/digest.ts';
import { askedDriver, chooseDriver, knownDriver, type Driver, type DriverChoice } from './driver.ts';
import { lockFile, type FileLock } from './file-lock.ts';

/**
 * Where images are kept, by their content. Nothing in `blobs` and `layers` is ever changed: it comes there whole and verified, by a
 * rename, and goes as a whole. All the rest is working space of processes, which is known by its locks. So it is after any kill of
 * any process. It is so after a crash of the machine, too: before an image gets a name, all that came here is brought to the disk and
 * marked ({@link settle}); a blob that is not marked is read through before it is used, a layer is unpacked anew.
 *
 * - `images.json`: {@link ImageRecord}s, the names of the images
 * - `blobs/sha256/HEX`: manifests, configurations and packed layers
 * - `driver.json`: {@link DriverChoice}
 * - `layers/HEX`: an unpacked layer by its chain ID: `tree` and `layer.json`
 * - `vfs/HEX`: the same for the driver vfs: its tree holds what is below it too
 * - `holds/OWNER`: which image a container needs
 * - `leases/*`: what a running process needs; locked by it
 * - `partial/HEX`: the beginning of a blob, locked by whoever fetches it
 * - `unpacking/HEX`: a layer being unpacked, `unpacking/HEX.lock` beside it
 * - `trash/*`: on its way out
 */
export interface ImageStore {
  /** Absolute. */
  readonly root: string;
  readonly unpacking: StoredUnpacking;
  /** How its layers are kept, as far as that is decided: by {@link decideDriver}. */
  readonly driver: Driver;
}

/** How layers are unpacked in a store: the same for all, since they are shared. */
export type StoredUnpacking = Omit<UnpackOptions, 'lowers' | 'signal'>;

/** What can be unpacked by this user for an overlay mount. */
function usualUnpacking(): StoredUnpacking {
  return process.geteuid?.() === 0 ? { whiteouts: 'overlay' } : { whiteouts: 'overlay', overlayXattr: 'user', owners: 'mine', devices: 'skip' };
}

/** Where unpacked layers are. */
export const layerShelves: Readonly<Record<Driver, string>> = { overlay: 'layers', vfs: 'vfs' };

const folders = ['blobs/sha256', 'layers', 'vfs', 'holds', 'leases', 'partial', 'unpacking', 'trash'];

/**
 * Opens the store, and makes it if need be.
 * @param root the folder: /var/lib/delos for root, $XDG_DATA_HOME/delos for other users
 */
export function openStore(root: string, unpacking = usualUnpacking()): ImageStore {
  // Others may pass through it into what lets them; what is here does not.
  fs.mkdirSync(root, { recursive: true, mode: 0o711 });
  for (const folder of folders) fs.mkdirSync(path.join(root, folder), { recursive: true, mode: folder === 'layers' || folder === 'vfs' ? 0o711 : 0o700 });
  const asked = askedDriver();
  let known: DriverChoice | undefined;
  return {
    root: path.resolve(root), unpacking,
    get driver() {
      return (asked ?? (known ??= knownDriver(root)))?.driver ?? 'overlay';
    },
  };
}

/** Sees to it that it is known how layers are kept, before the first one is. */
export async function decideDriver({ root }: ImageStore): Promise<void> {
  if (askedDriver() === undefined) await chooseDriver(root);
}

export function blobFile({ root }: ImageStore, digest: Digest): string {
  return path.join(root, 'blobs/sha256', hexOf(digest));
}

export function partialFile({ root }: ImageStore, digest: Digest): string {
  return path.join(root, 'partial', hexOf(digest));
}

/** @param chain the chain ID: {@link chainIds} */
export function layerFolder({ root, driver }: ImageStore, chain: Digest): string {
  return path.join(root, layerShelves[driver], hexOf(chain));
}

export function unpackingFolder({ root }: ImageStore, chain: Digest): string {
  return path.join(root, 'unpacking', hexOf(chain));
}

/** What is needed is changed, and what is not needed is removed, by one process at a time, for a short time. */
export function lockStore({ root }: ImageStore, signal?: AbortSignal): Promise<FileLock> {
  return lockFile(path.join(root, 'lock'), signal === undefined ? {} : { signal });
}
