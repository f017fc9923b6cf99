import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { DelosError } from '../lib/errors.ts';
import type { Digest } from '../registry/digest.ts';
import { namesIn } from './durable.ts';
import { tryLockFile } from './file-lock.ts';
import { readHolds } from './holds.ts';
import { partsOf } from './image.ts';
import { leased } from './lease.ts';
import { readRecords, type ImageRecord } from './records.ts';
import { removeFolder } from './remove-folder.ts';
import { layerShelves, lockStore, type ImageStore } from './store.ts';

/** Removes a folder with what is in it; a user who has subordinate ids may need more than rm for that. */
export type RemoveTree = (folder: string) => Promise<void>;

export interface Collected {
  /** Digests of blobs and chain IDs of layers that are gone. */
  readonly removed: readonly Digest[];
  /** Bytes of blobs and of the layers' archives. */
  readonly bytes: number;
}

/** A week: a download that was broken off is resumed until then. */
const staleMs = 7 * 24 * 3600 * 1000;

export interface CollectOptions {
  readonly removeTree?: RemoveTree;
  /** How old a broken download may get, in milliseconds; 0 removes all that nobody works at. */
  readonly keepPartialMs?: number;
}

/**
 * Removes what no image in the catalogue, no container and no running process needs. It goes from sight while the store is locked,
 * and from the disk afterwards; what a killed process left on the way is removed by the next.
 */
export async function collectGarbage(store: ImageStore, { removeTree = removeFolder, keepPartialMs = staleMs }: CollectOptions = {}): Promise<Collected> {
  const removed: { digest: Digest; bytes: number }[] = [];
  {
    using _ = await lockStore(store);
    const needed = neededParts(store);
    for (const { folder, sizeOf } of shelves(store)) {
      for (const hex of namesIn(folder)) {
        const digest: Digest = `sha256:${hex}`;
        if (needed.has(digest)) continue;
        const bytes = sizeOf(path.join(folder, hex));
        toTrash(store, path.join(folder, hex));
        removed.push({ digest, bytes });
      }
    }
    sweep(store, needed, keepPartialMs);
  }
  const trash = path.join(store.root, 'trash');
  for (const name of namesIn(trash)) await removeTree(path.join(trash, name));
  return { removed: removed.map(({ digest }) => digest), bytes: removed.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** The folders of what is kept by content, and how large a thing in them is. */
export function shelves({ root }: ImageStore): { folder: string; sizeOf: (file: string) => number }[] {
  return [
    { folder: path.join(root, 'blobs/sha256'), sizeOf: (file) => fs.statSync(file).size },
    ...Object.values(layerShelves).map((name) => ({ folder: path.join(root, name), sizeOf: layerSize })),
  ];
}

function layerSize(folder: string): number {
  return (JSON.parse(fs.readFileSync(path.join(folder, 'layer.json'), 'utf8')) as { size: number }).size;
}

/** For one who has locked the store. An image that is incomplete needs what it still names. */
export function neededParts(store: ImageStore): Set<Digest> {
  const needed = leased(store);
  const images: readonly ImageRecord[] = [...readRecords(store), ...readHolds(store).map(({ image }) => image)];
  for (const image of images) for (const part of partsIfThere(store, image)) needed.add(part);
  return needed;
}

function partsIfThere(store: ImageStore, image: ImageRecord): Digest[] {
  try {
    return partsOf(store, image);
  } catch (error) {
    if (error instanceof DelosError && error.code === 'no-image') return [image.manifest, image.id, ...(image.index === undefined ? [] : [image.index])];
    throw error;
  }
}

function toTrash({ root }: ImageStore, file: string): void {
  fs.renameSync(file, path.join(root, 'trash', `${path.basename(file)}-${randomBytes(4).toString('hex')}`));
}

/** What killed processes left in the working folders. */
function sweep(store: ImageStore, needed: ReadonlySet<Digest>, keepPartialMs: number): void {
  const partial = path.join(store.root, 'partial');
  for (const hex of namesIn(partial)) {
    const file = path.join(partial, hex);
    const old = Date.now() - (fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Infinity) >= keepPartialMs;
    if (old && !needed.has(`sha256:${hex}`)) ifUnlocked(file, () => fs.rmSync(file, { force: true }));
  }
  const unpacking = path.join(store.root, 'unpacking');
  for (const hex of new Set(namesIn(unpacking).map((name) => name.replace(/\.lock$/, '')))) {
    const folder = path.join(unpacking, hex);
    ifUnlocked(`${folder}.lock`, () => {
      if (fs.existsSync(folder)) toTrash(store, folder);
      fs.rmSync(`${folder}.lock`, { force: true });
    });
  }
  for (const folder of [store.root, path.join(store.root, 'holds')]) {
    // What a durable write was killed before it could rename; they are only made while the store is locked.
    for (const name of namesIn(folder)) if (/^\..*\.\d+$/.test(name)) fs.rmSync(path.join(folder, name), { force: true });
  }
}

function ifUnlocked(file: string, then: () => void): void {
  using lock = tryLockFile(file);
  if (lock !== undefined) then();
}
