import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { Container } from '../../containers/container.ts';
import type { Places } from '../../containers/places.ts';
import { tryLockFile } from '../../images/file-lock.ts';
import { openStore } from '../../images/store.ts';
import { unpackImage } from '../../images/unpack-image.ts';
import { packLayer } from '../../layers/pack.ts';
import { unpackLayer } from '../../layers/unpack.ts';
import type { Digest } from '../../registry/digest.ts';
import { writtenLayer } from './written-layer.ts';

/**
 * The root of a container as an archive, put together from its image and what it has written: for one whose root this process cannot
 * mount. It takes the room of a copy meanwhile. For an ordinary user everything in it belongs to root.
 * @param manifest of its image @throws DelosError no-image, io; what writtenLayer() throws
 */
export async function* composedRoot(places: Places, container: Container, manifest: Digest): AsyncGenerator<Uint8Array> {
  const store = openStore(places.data);
  const { owners = 'told', devices = 'make' } = store.unpacking;
  const work = path.join(store.root, 'unpacking', `export-${randomBytes(8).toString('hex')}`);
  using lock = tryLockFile(`${work}.lock`);
  if (lock === undefined) throw new Error('assertion: the name of a working folder is random');
  try {
    await unpackImage(store, manifest, work);
    await unpackLayer(writtenLayer(places, container), work, { whiteouts: 'apply', owners, devices });
    yield* packLayer(work, owners === 'mine' ? { owner: () => [0, 0] } : {});
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
    fs.rmSync(`${work}.lock`, { force: true });
  }
}
