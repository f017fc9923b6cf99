import { SIGKILL } from '../abi/signal.ts';
import { thawIfThere } from '../cgroup/freezer.ts';
import { isPopulated, signalAll } from '../cgroup/processes.ts';
import { DelosError } from '../lib/errors.ts';
import { hasNew } from '../oci/field.ts';
import { signalInit } from './init-process.ts';
import { conditionOf } from './status.ts';
import { readRecord } from './store.ts';

export interface KillOptions {
  /** Every process of the container's cgroup, those included that have outlived init. */
  readonly all?: boolean;
}

/**
 * Sends a signal to the container's init process, or to all its processes.
 * @param signal 1 to 64; 0 only asks whether one could be sent
 * @throws DelosError not-found, wrong-state when there is nobody to get it, kernel-refused
 */
export async function killContainer(root: string, id: string, signal: number, { all = false }: KillOptions = {}): Promise<void> {
  const record = readRecord(root, id);
  const { status, init } = conditionOf(root, record);
  // Init that shares its pid namespace takes nobody with it.
  const isForAll = all || (signal === SIGKILL && !hasNew(record.config, 'pid'));
  if (isForAll && isPopulated(record.cgroup)) return signalAll(record.cgroup, signal);
  if (init === undefined || !signalInit(init, signal)) throw new DelosError('wrong-state', 'container not running');
  // In a frozen cgroup of v1 a process dies only when it may run again.
  if (status === 'paused' && signal === SIGKILL) thawIfThere(record.cgroup);
}
