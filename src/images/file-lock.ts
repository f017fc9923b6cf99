import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { SystemCallError, syscall } from '../sys/syscall.ts';

/** <sys/file.h>, flock(2). */
const LOCK_EX = 2;
const LOCK_NB = 4;

/** A file that this process has for itself, until it is disposed of or the process ends, however it ends. Children do not inherit it. */
export interface FileLock extends Disposable {
  readonly descriptor: number;
}

/**
 * Takes the lock on a file, which is made if need be; undefined when another one has it. It is a lock on the file that has the name
 * now: on one that was renamed or removed meanwhile it is worth nothing, and is not given.
 */
export function tryLockFile(file: string, make = true): FileLock | undefined {
  const { O_RDWR, O_CREAT, O_NOFOLLOW } = fs.constants;
  for (;;) {
    const descriptor = fs.openSync(file, O_RDWR | O_NOFOLLOW | (make ? O_CREAT : 0), 0o600);
    try {
      syscall('flock', descriptor, LOCK_EX | LOCK_NB);
      if (isStill(descriptor, file)) return { descriptor, [Symbol.dispose]: () => fs.closeSync(descriptor) };
      fs.closeSync(descriptor);
    } catch (error) {
      fs.closeSync(descriptor);
      if (error instanceof SystemCallError && error.errno === 'EAGAIN') return undefined;
      throw error;
    }
  }
}

/**
 * A new file, locked, with a random end to its name. Whoever sweeps may find it in the moment before it is locked, and have it locked
 * to see whether anybody has; then there is another.
 */
export function lockNew(beginning: string, ending = ''): { readonly file: string; readonly lock: FileLock } {
  for (;;) {
    const file = `${beginning}-${randomBytes(8).toString('hex')}${ending}`;
    const lock = tryLockFile(file);
    if (lock !== undefined) return { file, lock };
  }
}

export interface Waiting {
  readonly signal?: AbortSignal;
  /** Is called now and then while another one has it. */
  readonly whileWaiting?: () => void;
  /** Looked at before each try: true ends the waiting without the lock. */
  readonly until?: () => boolean;
}

/** Waits for the lock. Undefined when `until` became true first. @throws the signal's reason when it is aborted */
export async function lockFile(file: string, waiting: Waiting & { until: () => boolean }): Promise<FileLock | undefined>;
export async function lockFile(file: string, waiting?: Waiting): Promise<FileLock>;
export async function lockFile(file: string, { signal, whileWaiting, until }: Waiting = {}): Promise<FileLock | undefined> {
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, 50)) {
    if (until?.() === true) return undefined;
    const lock = tryLockFile(file);
    if (lock !== undefined) return lock;
    whileWaiting?.();
    await sleep(pauseMs, undefined, signal === undefined ? {} : { signal });
  }
}

function isStill(descriptor: number, file: string): boolean {
  const [locked, named] = [fs.fstatSync(descriptor, { bigint: true }), fs.lstatSync(file, { bigint: true, throwIfNoEntry: false })];
  return named !== undefined && named.ino === locked.ino && named.dev === locked.dev;
}
