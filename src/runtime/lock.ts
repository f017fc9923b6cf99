import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf } from '../cgroup/control-file.ts';
import { DelosError } from '../lib/errors.ts';
import { SystemCallError, syscall } from '../sys/syscall.ts';
import { containerFolder, notFound } from './store.ts';

/** <sys/file.h>, flock(2). */
const LOCK_EX = 2;
const LOCK_NB = 4;

/**
 * Keeps other commands from changing the container until it is disposed of. The lock is on the container's folder and goes with
 * this process, so that one killed leaves none behind; children do not inherit it.
 * @throws DelosError not-found, also when the container was deleted while waiting; wrong-state when another command has not
 * ended after `timeoutMs`
 */
export async function lockContainer(root: string, id: string, timeoutMs = 10_000): Promise<Disposable> {
  const folder = containerFolder(root, id);
  const descriptor = openFolder(folder, id);
  try {
    const deadline = performance.now() + timeoutMs;
    for (let pauseMs = 1; !tryLock(descriptor); pauseMs = Math.min(pauseMs * 2, 50)) {
      if (performance.now() > deadline) throw new DelosError('wrong-state', `container ${id} is being changed by another command`);
      await sleep(pauseMs);
    }
    if (!isFolder(descriptor, folder)) throw notFound(id);
  } catch (error) {
    fs.closeSync(descriptor);
    throw error;
  }
  return { [Symbol.dispose]: () => fs.closeSync(descriptor) };
}

function openFolder(folder: string, id: string): number {
  try {
    return fs.openSync(folder, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY | fs.constants.O_NOFOLLOW);
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'ENAMETOOLONG') throw notFound(id, cause);
    throw new DelosError('io', `${folder}: cannot be opened: ${errno ?? 'an error'}`, { cause });
  }
}

/** Takes the lock of an open file or folder; it is held until the descriptor is closed. False when somebody else has it. */
export function tryLock(descriptor: number): boolean {
  try {
    syscall('flock', descriptor, LOCK_EX | LOCK_NB);
    return true;
  } catch (error) {
    if (error instanceof SystemCallError && error.errno === 'EAGAIN') return false;
    throw error;
  }
}

/** A lock may be got on a folder that was removed meanwhile; its name may even stand for a new one. */
export function isFolder(descriptor: number, folder: string): boolean {
  const [locked, named] = [fs.fstatSync(descriptor, { bigint: true }), fs.statSync(folder, { bigint: true, throwIfNoEntry: false })];
  return named !== undefined && named.ino === locked.ino && named.dev === locked.dev;
}
