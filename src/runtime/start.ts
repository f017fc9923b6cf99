import fs from 'node:fs';
import { errnoOf } from '../cgroup/control-file.ts';
import { DelosError } from '../lib/errors.ts';
import { startFifo } from '../oci/start-fifo.ts';
import { endProcesses } from './delete.ts';
import { runHooks } from './hooks.ts';
import type { InitProcess } from './init-process.ts';
import { lockContainer } from './lock.ts';
import { statNow } from './process-stat.ts';
import { ociState } from './state.ts';
import { conditionOf, type Status } from './status.ts';
import { containerFolder, readRecord } from './store.ts';

/**
 * Lets a created container go on to its program, then runs the poststart hooks. When one of those fails, the container is killed,
 * as runtime.md "Lifecycle" step 9 wants it since 1.3; before, it was a warning.
 * @param beforeHooks called when there are such hooks, before anything is done
 * @throws DelosError not-found, wrong-state, hook-failed
 */
export async function startContainer(root: string, id: string, beforeHooks?: () => void): Promise<void> {
  const record = readRecord(root, id);
  if (record.config.hooks?.poststart?.length) beforeHooks?.();
  const init = await release(root, id);
  try {
    await runHooks('poststart', record.config.hooks?.poststart, ociState(record, { status: 'running', init }));
  } catch (error) {
    await endProcesses(root, record);
    throw error;
  }
}

/** The lock ends before the hooks begin, which may run commands on the container. */
async function release(root: string, id: string): Promise<InitProcess> {
  using _ = await lockContainer(root, id);
  const { status, init } = conditionOf(root, readRecord(root, id));
  if (status !== 'created' || init === undefined) throw wrongState(status);
  if (!writeByte(containerFolder(root, id))) {
    // What ends closes its files before it is gone.
    throw wrongState(statNow(init)?.hasExecuted ? 'running' : 'stopped');
  }
  return init;
}

/** Writes what init waits for. False when it does not wait: it has died, or a `start` was killed after its write. */
function writeByte(folder: string): boolean {
  const fifo = startFifo(folder, 'start');
  try {
    const descriptor = fs.openSync(fifo, fs.constants.O_WRONLY | fs.constants.O_NONBLOCK | fs.constants.O_NOFOLLOW);
    try {
      fs.writeSync(descriptor, '.');
    } finally {
      fs.closeSync(descriptor);
    }
    return true;
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno !== 'ENXIO' && errno !== 'EPIPE') throw new DelosError('io', `${fifo}: cannot be written: ${errno ?? 'an error'}`, { cause });
    return false;
  } finally {
    markStarted(folder);
  }
}

/** Whatever became of init: nobody is to write once more. */
function markStarted(folder: string): void {
  try {
    fs.renameSync(startFifo(folder, 'start'), startFifo(folder, 'started'));
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}

function wrongState(status: Status): DelosError {
  if (status === 'running') return new DelosError('wrong-state', 'cannot start an already running container');
  if (status === 'stopped') return new DelosError('wrong-state', 'cannot start a container that has stopped');
  return new DelosError('wrong-state', `cannot start a container in the ${status} state`);
}
