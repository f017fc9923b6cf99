import { readdirSync } from 'node:fs';
import { join } from 'node:path/posix';
import { setTimeout as sleep } from 'node:timers/promises';
import { DelosError } from '../lib/errors.ts';
import { errnoOf, readControlFile, saysAbsent, writeControlFile } from './control-file.ts';
import { freeze, thawIfThere } from './freezer.ts';
import type { CgroupPaths } from './path.ts';
import { parseKeyed } from './stats-text.ts';

/**
 * The processes of the cgroup and of those below it, in no order. Ids are those of the pid namespace of this process;
 * one from outside of it would be 0 and is left out. Empty when the cgroup is gone.
 */
export function listProcesses(paths: CgroupPaths): number[] {
  const directory = processDirectory(paths);
  const pids = directory === undefined ? [] : withChildren(directory).flatMap((cgroup) =>
    (readControlFile(cgroup, 'cgroup.procs') ?? '').split('\n').map(Number).filter((pid) => pid > 0));
  return [...new Set(pids)];
}

/** A process is in the cgroup or below it. A zombie is none. */
export function isPopulated(paths: CgroupPaths): boolean {
  const directory = processDirectory(paths);
  if (directory === undefined) return false;
  const events = readControlFile(directory, 'cgroup.events');
  return events === undefined ? listProcesses(paths).length > 0 : parseKeyed(events, 'cgroup.events').get('populated') === 1n;
}

/**
 * Kills every process of the cgroup and waits until none is left, those included that are born meanwhile.
 * @throws DelosError kernel-refused when some are left after `timeoutMs`.
 */
export async function killAll(paths: CgroupPaths, timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (let pauseMs = 1; isPopulated(paths); pauseMs = Math.min(pauseMs * 2, 50)) {
    if (!killAtOnce(paths)) await signalAll(paths, 'SIGKILL');
    await sleep(pauseMs);
    if (performance.now() > deadline && isPopulated(paths)) {
      throw new DelosError('kernel-refused', `${processDirectory(paths)}: processes ${listProcesses(paths).join(' ')} cannot be killed`, { call: 'kill' });
    }
  }
}

/**
 * Sends a signal to every process of the cgroup, once. The cgroup stands still meanwhile, so that none escapes by forking and
 * no id can pass to another process; if it stood still before, it does so afterwards, except that SIGKILL wakes it up.
 */
export async function signalAll(paths: CgroupPaths, signal: NodeJS.Signals | number): Promise<void> {
  const wasFrozen = isFrozenByUser(paths);
  // A process in a long system call may not stop in time. The signal is sent all the same.
  if (!wasFrozen) await freeze(paths, 500).catch(() => undefined);
  try {
    for (const pid of listProcesses(paths)) sendSignal(pid, signal);
  } finally {
    if (!wasFrozen || signal === 'SIGKILL' || signal === 9) thawIfThere(paths);
  }
}

/** cgroup.kill, Linux 5.14. It is only of use where v2 has the processes: false otherwise, and nothing is done. */
export function killAtOnce(paths: CgroupPaths): boolean {
  const directory = paths[''];
  if (directory === undefined || readControlFile(directory, 'cgroup.procs') === undefined) return false;
  if (Object.keys(paths).length > 1 && processDirectory(paths) !== directory) {
    const members = new Set(listProcesses({ '': directory }));
    if (!listProcesses(paths).every((pid) => members.has(pid))) return false;
  }
  try {
    writeControlFile(directory, 'cgroup.kill', '1');
  } catch (error) {
    if (error instanceof DelosError && (error.detail.errno === 'ENOENT' || error.detail.errno === 'ENODEV')) return false;
    throw error;
  }
  // v1's freezer holds even SIGKILL back.
  thawIfThere(paths);
  return true;
}

function isFrozenByUser(paths: CgroupPaths): boolean {
  const legacy = paths['freezer'];
  if (legacy !== undefined) return readControlFile(legacy, 'freezer.state')?.trim() !== 'THAWED';
  return readControlFile(paths[''] ?? '/', 'cgroup.freeze')?.trim() === '1';
}

function sendSignal(pid: number, signal: NodeJS.Signals | number): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH') throw new DelosError('kernel-refused', `kill ${pid}: ${errnoOf(error)}`, { cause: error, call: 'kill' });
  }
}

/** Where to look for processes: in a hybrid they are in v1 for certain, and stopped by its freezer. */
export function processDirectory(paths: CgroupPaths): string | undefined {
  return paths['freezer'] ?? paths['devices'] ?? paths['pids'] ?? paths['memory'] ?? paths[''] ?? Object.values(paths)[0];
}

/** The cgroup and all below it, itself first. */
export function withChildren(directory: string): string[] {
  try {
    const children = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [directory, ...children.flatMap(({ name }) => withChildren(join(directory, name)))];
  } catch (error) {
    if (saysAbsent(errnoOf(error))) return [];
    throw new DelosError('io', `${directory}: cannot be listed: ${errnoOf(error)}`, { cause: error });
  }
}
