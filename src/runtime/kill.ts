import { SIGKILL } from '../abi/signal.ts';
import { thawIfThere } from '../cgroup/freezer.ts';
import { isPopulated, killAtOnce, signalAll } from '../cgroup/processes.ts';
import { DelosError } from '../lib/errors.ts';
import { hasNew } from '../oci/field.ts';
import { signalInit, type InitProcess } from './init-process.ts';
import type { ContainerRecord } from './record.ts';
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
  if (init === undefined || !reach(record, init, signal)) throw new DelosError('wrong-state', 'container not running');
  // In a frozen cgroup of v1 a process dies only when it may run again.
  if (status === 'paused' && signal === SIGKILL) thawIfThere(record.cgroup);
}

/** An AppArmor profile may let no signal in; what kills a whole cgroup asks no security module. */
function reach({ cgroup }: ContainerRecord, init: InitProcess, signal: number): boolean {
  try {
    return signalInit(init, signal);
  } catch (error) {
    const isRefused = error instanceof DelosError && error.detail.errno === 'EACCES';
    if (isRefused && signal === SIGKILL && killAtOnce(cgroup)) return true;
    throw error;
  }
}
