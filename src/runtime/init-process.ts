import fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { DelosError } from '../lib/errors.ts';
import { syscall, SystemCallError } from '../sys/syscall.ts';
import { isAlive, type ProcessStat } from './process-stat.ts';

/**
 * Sends a signal to this very process, never to another one that got its pid: the pidfd holds whatever has the pid now, and its
 * start time says whether that is the one meant. 0 sends nothing. False when it has ended.
 * @throws DelosError kernel-refused: no such signal, no right to send it
 */
export function signalProcess(target: ProcessStat, signal: number): boolean {
  try {
    const pidfd = syscall('pidfd_open', target.pid, 0);
    try {
      if (!isAlive(target)) return false;
      syscall('pidfd_send_signal', pidfd, signal, 0, 0);
      return true;
    } finally {
      fs.closeSync(pidfd);
    }
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    if (error.errno === 'ESRCH') return false;
    throw new DelosError('kernel-refused', `unable to signal init: ${error.call}: ${error.errno}`, { cause: error, call: error.call, errno: error.errno });
  }
}

/** Kills the process and waits until it has ended. @throws DelosError kernel-refused when it has not after `timeoutMs` */
export async function killProcess(target: ProcessStat, timeoutMs = 10_000): Promise<void> {
  signalProcess(target, 9);
  const deadline = performance.now() + timeoutMs;
  for (let pauseMs = 1; isAlive(target); pauseMs = Math.min(pauseMs * 2, 50)) {
    if (performance.now() > deadline) throw new DelosError('kernel-refused', `process ${target.pid} of the container cannot be killed`, { call: 'kill' });
    await sleep(pauseMs);
  }
}
