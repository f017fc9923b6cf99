import fs from 'node:fs';
import path from 'node:path';
import { isFrozen } from '../cgroup/freezer.ts';
import { isAlive, readInit, type InitProcess } from './init-process.ts';
import type { ContainerRecord } from './record.ts';
import { containerFolder } from './store.ts';

/** runtime.md "State", and `paused`, which runc adds. */
export type Status = 'creating' | 'created' | 'running' | 'paused' | 'stopped';

export interface Situation {
  readonly status: Status;
  /** Absent until `create` has made it, and when it has ended. */
  readonly init?: InitProcess;
}

/** How things stand with a container now. Nothing of it is stored: it follows from the process, the fifo and the freezer. */
export function situation(root: string, record: ContainerRecord): Situation {
  const folder = containerFolder(root, record.id);
  const init = readInit(folder);
  if (init === undefined) return { status: 'creating' };
  if (!isAlive(init)) return { status: 'stopped' };
  // An empty v2 cgroup may call itself frozen, so it is asked only when there is a process.
  if (isFrozen(record.cgroup)) return { status: 'paused', init };
  return { status: fs.existsSync(startFifo(folder)) ? 'created' : 'running', init };
}

/** {@link situation} without the process. */
export function status(root: string, record: ContainerRecord): Status {
  return situation(root, record).status;
}

/** The fifo that init waits at. As long as it is there, nobody has started the container. */
export function startFifo(folder: string): string {
  return path.join(folder, 'start');
}
