import fs from 'node:fs';
import path from 'node:path';
import { isDigest, type Digest } from '../registry/digest.ts';
import { namesIn, readIfThere } from './durable.ts';
import { lockNew, tryLockFile } from './file-lock.ts';
import { lockStore, type ImageStore } from './store.ts';

/** What a process needs while it works: it is not removed until the lease is disposed of or the process ends. */
export interface Lease extends Disposable {
  /** Blobs by their digests, layers by their chain IDs. To be called before it is looked whether they are there. */
  add(...needed: readonly Digest[]): Promise<void>;
}

/** A lease on nothing yet. It is a file that this process has locked. */
export function takeLease(store: ImageStore): Lease {
  const { file, lock } = lockNew(path.join(store.root, 'leases', String(process.pid)));
  return {
    async add(...needed) {
      using _ = await lockStore(store);
      fs.writeSync(lock.descriptor, needed.map((digest) => `${digest}\n`).join(''));
    },
    [Symbol.dispose]() {
      fs.rmSync(file, { force: true });
      lock[Symbol.dispose]();
    },
  };
}

/** What living processes need. The leases of dead ones are removed. For one who has locked the store. */
export function leased(store: ImageStore): Set<Digest> {
  const folder = path.join(store.root, 'leases');
  const needed = new Set<Digest>();
  for (const file of namesIn(folder).map((name) => path.join(folder, name))) {
    if (isOrphan(file)) fs.rmSync(file, { force: true });
    else for (const line of readIfThere(file)?.split('\n') ?? []) if (isDigest(line)) needed.add(line);
  }
  return needed;
}

/** Whether nobody has the file locked. One that is gone is none. */
function isOrphan(file: string): boolean {
  try {
    using lock = tryLockFile(file, false);
    return lock !== undefined;
  } catch {
    return false;
  }
}
