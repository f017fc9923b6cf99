import fs from 'node:fs';
import path from 'node:path';
import { DelosError } from '../lib/errors.ts';
import { copyTree, type CopyTreeOptions } from '../layers/copy-tree.ts';
import { unpackLayer } from '../layers/unpack.ts';
import { digestOf, type Digest } from '../registry/digest.ts';
import type { Arrival } from './arrival.ts';
import { cannot, readIfThere } from './durable.ts';
import { lockFile, type Waiting } from './file-lock.ts';
import { removeFolder } from './remove-folder.ts';
import { bootId, FRESH_MODE, isSettled } from './settled.ts';
import { blobFile, decideDriver, layerFolder, unpackingFolder, type ImageStore } from './store.ts';

/** What is known of an unpacked layer: `layer.json` beside its tree. */
export interface LayerRecord {
  readonly version: 1;
  readonly diffId: Digest;
  /** The chain ID of the layer below. */
  readonly parent?: Digest;
  /** Bytes of the uncompressed archive. */
  readonly size: number;
  /** What is below does not show. */
  readonly opaqueRoot: boolean;
  /** When it was unpacked: {@link bootId}. */
  readonly boot?: string;
}

/**
 * The chain IDs of layers, the lowest first (OCI image specification, "Layer ChainID"): a layer is unpacked once for all images that
 * have the same layers below it. What is below matters: a layer may leave out folders that it takes over.
 */
export function chainIds(diffIds: readonly Digest[]): Digest[] {
  const chain: Digest[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    chain.push(below === undefined ? diffId : digestOf(`${below} ${diffId}`));
  }
  return chain;
}

export function hasLayer(store: ImageStore, chain: Digest): boolean {
  return findLayer(store, chain) !== undefined;
}

/** @throws DelosError no-image when it is not there */
export function readLayer(store: ImageStore, chain: Digest): LayerRecord {
  const layer = findLayer(store, chain);
  if (layer === undefined) throw new DelosError('no-image', `the image is incomplete: the layer ${chain} is not unpacked; pull it again`);
  return layer;
}

/** One that no image had named when the machine crashed may be torn: it is none. */
function findLayer(store: ImageStore, chain: Digest): LayerRecord | undefined {
  const file = path.join(layerFolder(store, chain), 'layer.json');
  const [found, text] = [fs.statSync(file, { throwIfNoEntry: false }), readIfThere(file)];
  if (found === undefined || text === undefined) return undefined;
  try {
    const record = JSON.parse(text) as LayerRecord;
    return isSettled(found) || record.boot === undefined || record.boot === bootId() ? record : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The folders to stack for an image, the topmost first: the `lowerdir` of its overlay mount. Those that would not show are left out; of the
 * driver vfs only the topmost does.
 * @throws DelosError no-image when a layer is not there
 */
export function layerTrees(store: ImageStore, diffIds: readonly Digest[]): string[] {
  const trees: string[] = [];
  for (const chain of chainIds(diffIds).toReversed()) {
    trees.push(path.join(layerFolder(store, chain), 'tree'));
    if (readLayer(store, chain).opaqueRoot || store.driver === 'vfs') break;
  }
  return trees;
}

export interface LayerOptions extends Pick<Waiting, 'signal'> {
  /** The blob, if it is still on its way. */
  readonly arrival?: Arrival;
  /** Is told how many bytes of the blob are unpacked. */
  readonly onProgress?: (current: number) => void;
}

/**
 * Unpacks the topmost of some layers; those below must be there. Of all that want it at once, here and in other processes, one does
 * it. The layer gets its name when it is whole, and the archive was what the image's configuration says.
 * @param diffIds up to this layer, the lowest first
 * @param blob the packed layer, which must be there or arrive
 * @throws DelosError bad-image for another diffID, bad-archive, too-large, io; nothing is left of it
 */
export async function ensureLayer(store: ImageStore, diffIds: readonly Digest[], blob: Digest, options: LayerOptions = {}): Promise<'exists' | 'unpacked'> {
  await decideDriver(store);
  const chain = chainIds(diffIds).at(-1) as Digest;
  const [work, lockPath] = [unpackingFolder(store, chain), `${unpackingFolder(store, chain)}.lock`];
  using lock = await lockFile(lockPath, { ...(options.signal !== undefined && { signal: options.signal }), until: () => hasLayer(store, chain) });
  if (lock === undefined) return 'exists';
  try {
    if (hasLayer(store, chain)) return 'exists';
    // What a process that was killed here has left.
    await removeFolder(work);
    await unpackOrAgain(work, { store, diffIds, blob }, options);
    // What was torn is in its place.
    await removeFolder(layerFolder(store, chain));
    fs.renameSync(work, layerFolder(store, chain));
    return 'unpacked';
  } catch (error) {
    await removeFolder(work);
    throw error instanceof Error && 'syscall' in error ? cannot(work, 'unpacked into', error) : error;
  } finally {
    fs.rmSync(lockPath, { force: true });
  }
}

/**
 * A blob that is still on its way is not verified. What goes wrong with it counts only when it is, and when what was read is what it is
 * now; what would fill the disk is not waited for.
 */
async function unpackOrAgain(work: string, top: TopLayer, { arrival, ...options }: LayerOptions): Promise<void> {
  if (arrival === undefined || arrival.isWhole) return unpackInto(work, top, storedBytes(top), options);
  try {
    return await unpackInto(work, top, arrival.bytes(), options);
  } catch (error) {
    if (error instanceof DelosError && error.code === 'too-large') throw error;
    await arrival.whole();
    if (!arrival.isBegunAnew) throw error;
  }
  await removeFolder(work);
  return unpackInto(work, top, storedBytes(top), options);
}

/** A layer to be unpacked: the store, the diffIDs up to it, and its blob. */
interface TopLayer {
  readonly store: ImageStore;
  readonly diffIds: readonly Digest[];
  readonly blob: Digest;
}

async function unpackInto(work: string, { store, diffIds, blob }: TopLayer, bytes: AsyncIterable<Uint8Array>, { onProgress, signal }: LayerOptions): Promise<void> {
  const [diffId, below] = [diffIds.at(-1) as Digest, diffIds.slice(0, -1)];
  const tree = path.join(work, 'tree');
  fs.mkdirSync(work, { mode: 0o711 });
  // As long as no entry of the layer says otherwise.
  fs.mkdirSync(tree, { mode: 0o755 });
  const stopping = signal === undefined ? {} : { signal };
  const lowers = layerTrees(store, below);
  const [lower] = lowers;
  if (store.driver === 'vfs' && lower !== undefined) await copyTree(lower, tree, { ...ownersOf(store), ...stopping });
  const how = store.driver === 'vfs' ? { whiteouts: 'apply' as const } : { lowers };
  const unpacked = await unpackLayer(told(bytes, onProgress), tree, { ...store.unpacking, ...how, ...stopping });
  if (unpacked.diffId !== diffId) {
    throw new DelosError('bad-image', `the layer ${blob} is not what the image's configuration says: expected the diffID ${diffId}, found ${unpacked.diffId}`);
  }
  const parent = chainIds(below).at(-1);
  const { size, opaqueRoot } = unpacked;
  const record: LayerRecord = { version: 1, diffId, ...(parent !== undefined && { parent }), size, opaqueRoot, boot: bootId() };
  fs.writeFileSync(path.join(work, 'layer.json'), `${JSON.stringify(record)}\n`, { mode: FRESH_MODE });
}

/** Whom what is copied belongs to. */
function ownersOf({ unpacking }: ImageStore): Pick<CopyTreeOptions, 'owner'> {
  return unpacking.owners === 'mine' ? {} : { owner: (uid, gid) => [uid, gid] };
}

function storedBytes({ store, blob }: TopLayer): AsyncIterable<Uint8Array> {
  return fs.createReadStream(blobFile(store, blob), { highWaterMark: 256 << 10 });
}

async function* told(bytes: AsyncIterable<Uint8Array>, onProgress?: (current: number) => void): AsyncGenerator<Uint8Array> {
  let current = 0;
  for await (const chunk of bytes) {
    yield chunk;
    onProgress?.(current += chunk.length);
  }
}
