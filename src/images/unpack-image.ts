import fs from 'node:fs';
import { unpackLayer } from '../layers/unpack.ts';
import { DelosError } from '../lib/errors.ts';
import { hasBlob } from './blobs.ts';
import { cannot } from './durable.ts';
import { readImageConfig, readManifest } from './image.ts';
import { takeLease } from './lease.ts';
import { requireImage, type ImageRecord } from './records.ts';
import { blobFile, type ImageStore } from './store.ts';

/**
 * Unpacks an image into a folder of its own: a root file system that belongs to whoever asked, and that nothing in the store depends on.
 * For an ordinary user all files are his own, and there are no devices.
 * @param folder empty, or not there; it is empty again, or gone, after a failure
 * @throws DelosError no-image, exists for a folder that is not empty, bad-image, bad-archive, too-large, io; what `signal` was aborted with
 */
export async function unpackImage(store: ImageStore, name: string, folder: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<ImageRecord> {
  using lease = takeLease(store);
  const image = requireImage(store, name);
  const [{ layers }, { diffIds }] = [readManifest(store, image.manifest), readImageConfig(store, image)];
  await lease.add(...layers.map(({ digest }) => digest));
  const missing = layers.find(({ digest }) => !hasBlob(store, digest));
  if (missing !== undefined) throw new DelosError('no-image', `the image is incomplete: ${missing.digest} is not in ${store.root}; pull it again`);
  const isNew = makeEmpty(folder);
  try {
    for (const [at, { digest }] of layers.entries()) {
      const { owners = 'told', devices = 'make', limits } = store.unpacking;
      const { diffId } = await unpackLayer(fs.createReadStream(blobFile(store, digest), { highWaterMark: 256 << 10 }), fs.realpathSync(folder), {
        whiteouts: 'apply', owners, devices, ...(limits !== undefined && { limits }), ...(signal !== undefined && { signal }),
      });
      if (diffId === diffIds[at]) continue;
      throw new DelosError('bad-image', `the layer ${digest} is not what the image's configuration says: expected the diffID ${diffIds[at]}, found ${diffId}`);
    }
    return image;
  } catch (error) {
    fs.rmSync(folder, { recursive: true, force: true });
    if (!isNew) fs.mkdirSync(folder);
    throw error;
  }
}

/** @returns whether it was made */
function makeEmpty(folder: string): boolean {
  try {
    const isNew = fs.mkdirSync(folder, { recursive: true }) !== undefined;
    if (!isNew && fs.readdirSync(folder).length > 0) throw new DelosError('exists', `${folder} is not empty`);
    return isNew;
  } catch (cause) {
    throw cannot(folder, 'made', cause);
  }
}
