import fs from 'node:fs';
import path from 'node:path';
import { isFrozen } from '../cgroup/freezer.ts';
import { DelosError } from '../lib/errors.ts';
import { isAlive, parseProcessStat, type ProcessStat } from './process-stat.ts';
import type { ContainerRecord } from './record.ts';
import { containerFolder } from './store.ts';

/** runtime.md "State", and `paused` as runc has it. */
export type Status = 'creating' | 'created' | 'running' | 'paused' | 'stopped';

/** What a container does now. `init` is its first process, absent while it has none and when it has ended. */
export interface Condition {
  readonly status: Status;
  readonly init?: ProcessStat;
}

/** Asks the kernel what the container does. Nothing of it is kept: it may be over the moment it is known. */
export function conditionOf(root: string, record: ContainerRecord): Condition {
  const folder = containerFolder(root, record.id);
  const init = readInit(folder);
  if (init === undefined) return { status: 'creating' };
  if (!isAlive(init)) return { status: 'stopped' };
  // An empty cgroup may call itself frozen, so only a living one is asked.
  if (isFrozen(record.cgroup)) return { status: 'paused', init };
  return { status: fs.existsSync(path.join(folder, 'start')) ? 'created' : 'running', init };
}

/** The init process as it was when it began; undefined while a runtime is making it. */
function readInit(folder: string): ProcessStat | undefined {
  try {
    return parseProcessStat(fs.readFileSync(path.join(folder, 'init'), 'utf8'));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new DelosError('io', `${folder}/init: cannot be read: ${code}`, { cause });
  }
}

/** The state as hooks get it on stdin and `state` begins with, runtime.md "State". */
export interface OciState {
  readonly ociVersion: string;
  readonly id: string;
  readonly status: Status;
  /** Absent when there is no process. */
  readonly pid?: number;
  readonly bundle: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export function ociState({ ociVersion, id, bundle, config }: ContainerRecord, { status, init }: Condition): OciState {
  return {
    ociVersion, id, status, bundle,
    ...(init !== undefined && { pid: init.pid }),
    ...(config.annotations !== undefined && { annotations: config.annotations }),
  };
}
