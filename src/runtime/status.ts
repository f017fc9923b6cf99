import fs from 'node:fs';
import { isFrozen } from '../cgroup/freezer.ts';
import { startFifo } from '../oci/start-fifo.ts';
import { readInit, type InitProcess } from './init-process.ts';
import { statNow } from './process-stat.ts';
import type { ContainerRecord } from './record.ts';
import { containerFolder } from './store.ts';

/** runtime.md "State", and `paused`, which runc adds. */
export type Status = 'creating' | 'created' | 'running' | 'paused' | 'stopped';

export interface Condition {
  readonly status: Status;
  /** Absent until `create` has made it, and when it has ended. */
  readonly init?: InitProcess;
}

/** What a container does now. Nothing of it is stored: it follows from the process, the fifo's name and the freezer. */
export function conditionOf(root: string, record: ContainerRecord): Condition {
  const folder = containerFolder(root, record.id);
  const init = readInit(folder);
  if (init === undefined) return { status: 'creating' };
  const now = statNow(init);
  if (now === undefined) return { status: 'stopped' };
  // An empty v2 cgroup may call itself frozen, so it is asked only when there is a process.
  if (isFrozen(record.cgroup)) return { status: 'paused', init };
  if (fs.existsSync(startFifo(folder, 'start'))) return { status: 'created', init };
  // One that `run` makes has no fifo, and from `start` to its program a held one is running already.
  return { status: now.hasExecuted || fs.existsSync(startFifo(folder, 'started')) ? 'running' : 'creating', init };
}
