import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DelosError } from '../lib/errors.ts';
import { SystemCallError, syscall } from '../sys/syscall.ts';

/** <sys/file.h>, flock(2). */
const LOCK_EX = 2;
const LOCK_NB = 4;

/** No change takes as long as this. */
const patienceMs = 60_000;

/** Between two attempts. Who waits long asks less often. */
const pauseMs = { least: 1, most: 15 };

/**
 * Keeps other processes from changing networks until it is disposed of; a process that is killed leaves it free. One lock for
 * all: the kernel does these changes one after the other in any case, and the packet filter is shared.
 * @param signal aborted, it ends the waiting
 * @throws DelosError network-in-use after a minute; the signal's reason
 */
export async function lockNetworks(folder: string, signal?: AbortSignal): Promise<Disposable> {
  signal?.throwIfAborted();
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const descriptor = fs.openSync(path.join(folder, 'lock'), 'a', 0o600);
  try {
    const deadline = performance.now() + patienceMs;
    for (let pause = pauseMs.least; !tryLock(descriptor); pause = Math.min(pause * 2, pauseMs.most)) {
      if (performance.now() > deadline) throw new DelosError('network-in-use', `${folder}: the networks are being changed by another command`);
      await sleep(pause * (0.5 + Math.random()));
      signal?.throwIfAborted();
    }
  } catch (error) {
    fs.closeSync(descriptor);
    throw error;
  }
  return { [Symbol.dispose]: () => fs.closeSync(descriptor) };
}

function tryLock(descriptor: number): boolean {
  try {
    syscall('flock', descriptor, LOCK_EX | LOCK_NB);
    return true;
  } catch (error) {
    if (error instanceof SystemCallError && error.errno === 'EAGAIN') return false;
    throw error;
  }
}
