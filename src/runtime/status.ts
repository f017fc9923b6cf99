import fs from 'node:fs';
import path from 'node:path';
import { isFrozen } from '../cgroup/freezer.ts';
import { readInit, type InitProcess } from './init-process.ts';
import { isAlive } from './process-stat.ts';
import type { ContainerRecord } from './record.ts';
import { containerFolder } from './store.ts';

/** runtime.md "State", and `paused`, which runc adds. */
export type Status = 'creating' | 'created' | 'running' | 'paused' | 'stopped';

export interface Condition {
  readonly status: Status;
  /** Absent until `create` has made it, and when it has ended. */
  readonly init?: InitProcess;
}

/** What a container does now. Nothing of it is stored: it follows from the process, the fifo and the freezer. */
export function conditionOf(root: string, record: ContainerRecord): Condition {
  const folder = containerFolder(root, record.id);
  const init = readInit(folder);
  if (init === undefined) return { status: 'creating' };
  if (!isAlive(init)) return { status: 'stopped' };
  // An empty v2 cgroup may call itself frozen, so it is asked only when there is a process.
  if (isFrozen(record.cgroup)) return { status: 'paused', init };
  return { status: fs.existsSync(startFifo(folder)) ? 'created' : 'running', init };
}

/** The fifo that init waits at. As long as it is there, nobody has started the container. */
export function startFifo(folder: string): string {
  return path.join(folder, 'start');
}
