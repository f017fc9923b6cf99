import fs from 'node:fs';
import path from 'node:path';
import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_RDONLY } from '../abi/fcntl.ts';
import { errnoOf } from '../cgroup/control-file.ts';
import { syscall } from '../sys/syscall.ts';
import { cannot, namesIn } from './durable.ts';
import { layerShelves, type ImageStore } from './store.ts';

/** What a blob, or the record of a layer, gets when it has its name, and when it is on the disk for sure. */
export const FRESH_MODE = 0o600;
const SETTLED_MODE = 0o400;

/** Whether the file was on the disk, with all that it stands for, before a crash of the machine could have happened. */
export function isSettled({ mode }: fs.Stats): boolean {
  return (mode & 0o200) === 0;
}

/**
 * Brings all that came into the store to the disk, and marks it so: to be done before an image gets a name. One syncfs(2) for all costs a
 * tenth of a pull; fsync(2) of each file would cost more than all the rest. It waits for what others write to the file system, too.
 * @throws DelosError io
 */
export function settle(store: ImageStore): void {
  const fresh = files(store).filter((file) => {
    const found = fs.statSync(file, { throwIfNoEntry: false });
    return found !== undefined && !isSettled(found);
  });
  if (fresh.length === 0) return;
  syncFileSystem(store.root);
  for (const file of fresh) mark(file);
  // A file system need not keep the order of the marks and of the image's name, which comes next.
  syncFileSystem(store.root);
}

function files({ root }: ImageStore): string[] {
  const blobs = path.join(root, 'blobs/sha256');
  const layers = Object.values(layerShelves).map((name) => path.join(root, name));
  return [
    ...namesIn(blobs).map((name) => path.join(blobs, name)),
    ...layers.flatMap((folder) => namesIn(folder).map((name) => path.join(folder, name, 'layer.json'))),
  ];
}

function mark(file: string): void {
  try {
    fs.chmodSync(file, SETTLED_MODE);
  } catch (error) {
    // Removed meanwhile.
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

function syncFileSystem(folder: string): void {
  const fd = syscall('openat', AT_FDCWD, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
  try {
    syscall('syncfs', fd);
  } catch (cause) {
    throw cannot(folder, 'written to the disk', cause);
  } finally {
    fs.closeSync(fd);
  }
}

let boot: string | undefined;

/** Names the time since the machine was started. */
export function bootId(): string {
  boot ??= fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return boot;
}
