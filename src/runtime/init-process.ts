import fs from 'node:fs';
import path from 'node:path';
import { SystemCallError, syscall } from '../sys/syscall.ts';
import { DelosError } from '../lib/errors.ts';
import { readProcessStat, readStatFile } from './process-stat.ts';

/** The init process of a container: a pid alone may have passed to another process. */
export interface InitProcess {
  readonly pid: number;
  readonly startTime: bigint;
}

/** Who init is, as `create` has left it in the container's folder. Nothing as long as there has been none. */
export function readInit(folder: string): InitProcess | undefined {
  return readStatFile(path.join(folder, 'init'));
}

/** It runs. A zombie does not, nor does another process with its pid. */
export function isAlive({ pid, startTime }: InitProcess): boolean {
  const found = readProcessStat(pid);
  return found !== undefined && found.startTime === startTime && found.state !== 'Z' && found.state !== 'X';
}

/**
 * Sends a signal to init and to no other process: the descriptor stands for the process that has the pid when it is opened, and
 * only then is it asked whether that is init.
 * @param signal 1 to 64
 * @returns whether init was there
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
    throw new DelosError('kernel-refused', `signal ${signal} to init (pid ${init.pid}): ${error.errno}`, { cause: error, call: error.call, errno: error.errno });
  }
}
