import fs from 'node:fs';
import path from 'node:path';
import { namesIn } from './durable.ts';
import { readHolds } from './holds.ts';
import { neededParts, shelves } from './garbage.ts';
import { readRecords } from './records.ts';
import { lockStore, type ImageStore } from './store.ts';

/** What images take of the disk, in bytes. */
export interface StoreUsage {
  readonly images: number;
  /** Of the images, those that containers hold. */
  readonly held: number;
  /** Manifests, configurations and packed layers. */
  readonly blobs: number;
  /** Unpacked layers, as large as their archives. */
  readonly layers: number;
  /** Downloads that are running or were broken off. */
  readonly partial: number;
  /** What nobody needs, and prune would remove at once. */
  readonly reclaimable: number;
}

interface Part {
  readonly bytes: number;
  /** Of it, what nobody needs. */
  readonly free: number;
}

/** For `system df`. Layers that images share are counted once. */
export async function storeUsage(store: ImageStore): Promise<StoreUsage> {
  using _ = await lockStore(store);
  const needed = neededParts(store);
  const [blobs, ...layers] = shelves(store).map(({ folder, sizeOf }) => {
    const parts = namesIn(folder).map((hex) => ({ bytes: sizeOf(path.join(folder, hex)), needed: needed.has(`sha256:${hex}`) }));
    return { bytes: total(parts), free: total(parts.filter((part) => !part.needed)) };
  }) as [Part, ...Part[]];
  const partialFolder = path.join(store.root, 'partial');
  const partial = total(namesIn(partialFolder).map((name) => ({ bytes: fs.statSync(path.join(partialFolder, name), { throwIfNoEntry: false })?.size ?? 0 })));
  return {
    images: readRecords(store).length, held: new Set(readHolds(store).map(({ image }) => image.manifest)).size,
    blobs: blobs.bytes, layers: total(layers), partial, reclaimable: layers.reduce((sum, { free }) => sum + free, blobs.free),
  };
}

function total(parts: readonly { readonly bytes: number }[]): number {
  return parts.reduce((sum, { bytes }) => sum + bytes, 0);
}
