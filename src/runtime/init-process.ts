import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SIGKILL } from '../abi/signal.ts';
import { DelosError } from '../lib/errors.ts';
import { SystemCallError, syscall } from '../sys/syscall.ts';
import { isAlive, readStatFile } from './process-stat.ts';

/** The init process of a container. A pid alone may have passed to another process. */
export interface InitProcess {
  readonly pid: number;
  /** As in ProcessStat. */
  readonly startTime: bigint;
}

/** Who init is or was, as `create` has left it in the container's folder. Nothing as long as there has been none. */
export function readInit(folder: string): InitProcess | undefined {
  return readStatFile(path.join(folder, 'init'));
}

/**
 * Sends a signal to init and to no other process: the descriptor stands for whatever has the pid when it is opened, and only then
 * is it asked whether that is init.
 * @param signal 1 to 64; 0 sends nothing and tells whether one could
 * @returns false when init has ended
 * @throws DelosError kernel-refused, as with EPERM
 */
export function signalInit(init: InitProcess, signal: number): boolean {
  try {
    const pidfd = syscall('pidfd_open', init.pid, 0);
    try {
      if (!isAlive(init)) return false;
      syscall('pidfd_send_signal', pidfd, signal, 0, 0);
      return true;
    } finally {
      fs.closeSync(pidfd);
    }
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    if (error.errno === 'ESRCH') return false;
    const { call, errno } = error;
    throw new DelosError('kernel-refused', `signal ${signal} to init, process ${init.pid}: ${call}: ${errno}`, { cause: error, call, errno });
  }
}

/** Kills init and waits until it has ended. @throws DelosError kernel-refused when it has not after `timeoutMs` */
export async function killInit(init: InitProcess, timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  signalInit(init, SIGKILL);
  for (let pauseMs = 1; isAlive(init); pauseMs = Math.min(pauseMs * 2, 50)) {
    if (performance.now() > deadline) throw new DelosError('kernel-refused', `init, process ${init.pid}, cannot be killed`, { call: 'pidfd_send_signal' });
    await sleep(pauseMs);
  }
}
