import { setTimeout as sleep } from 'node:timers/promises';
import { DelosError } from '../lib/errors.ts';
import { readControlFile, writeControlFile } from './control-file.ts';
import type { CgroupPaths } from './path.ts';
import { parseKeyed } from './stats-text.ts';

/**
 * Stops every process of the cgroup and returns when all of them stand still. If that fails, they run on.
 * @throws DelosError unsupported without a freezer; kernel-refused when some do not stop within `timeoutMs`.
 */
export async function freeze(paths: CgroupPaths, timeoutMs = 10_000): Promise<void> {
  const freezer = freezerOf(paths);
  try {
    await (freezer.version === 1 ? freezeLegacy(freezer.directory, timeoutMs) : freezeUnified(freezer.directory, timeoutMs));
  } catch (error) {
    thaw(paths);
    throw error;
  }
}

/** Lets the processes of the cgroup run on. @throws DelosError unsupported, kernel-refused. */
export function thaw(paths: CgroupPaths): void {
  const { version, directory } = freezerOf(paths);
  if (version === 1) writeControlFile(directory, 'freezer.state', 'THAWED');
  else writeControlFile(directory, 'cgroup.freeze', '0');
}

/** As {@link thaw}; nothing when the cgroup is gone or there is no freezer. @throws DelosError kernel-refused */
export function thawIfThere(paths: CgroupPaths): void {
  try {
    thaw(paths);
  } catch (error) {
    const errno = error instanceof DelosError ? error.detail.errno : undefined;
    const isGone = errno === 'ENOENT' || errno === 'ENODEV' || (error instanceof DelosError && error.code === 'unsupported');
    if (!isGone) throw error;
  }
}

/** Every process of the cgroup stands still. False without a freezer and without a cgroup. */
export function isFrozen(paths: CgroupPaths): boolean {
  const legacy = paths['freezer'];
  if (legacy !== undefined) return readControlFile(legacy, 'freezer.state')?.trim() === 'FROZEN';
  const unified = paths[''];
  return unified !== undefined && areAllStopped(unified);
}

/** A process that forks while v1 freezes can escape the sweep, and the state stays FREEZING until it is asked again. */
async function freezeLegacy(directory: string, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (let round = 0; performance.now() < deadline; round++) {
    writeControlFile(directory, 'freezer.state', 'FROZEN');
    const state = readControlFile(directory, 'freezer.state')?.trim();
    if (state === 'FROZEN') return;
    if (round % 50 === 49) {
      // Two processes may wait for one another, one of them frozen. A moment of running frees them.
      writeControlFile(directory, 'freezer.state', 'THAWED');
      await sleep(10);
    } else if (round > 2) {
      await sleep(1);
    }
  }
  throw cannotFreeze(directory, timeoutMs);
}

async function freezeUnified(directory: string, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  writeControlFile(directory, 'cgroup.freeze', '1');
  for (let pauseMs = 1; !areAllStopped(directory); pauseMs = Math.min(pauseMs * 2, 20)) {
    if (performance.now() > deadline) throw cannotFreeze(directory, timeoutMs);
    await sleep(pauseMs);
  }
}

/** An empty v2 cgroup says `frozen 1` too. */
function areAllStopped(directory: string): boolean {
  return parseKeyed(readControlFile(directory, 'cgroup.events') ?? '', 'cgroup.events').get('frozen') === 1n;
}

function freezerOf(paths: CgroupPaths): { version: 1 | 2; directory: string } {
  const legacy = paths['freezer'];
  if (legacy !== undefined) return { version: 1, directory: legacy };
  const unified = paths[''];
  if (unified !== undefined) return { version: 2, directory: unified };
  throw new DelosError('unsupported', 'this host has no cgroup freezer');
}

function cannotFreeze(directory: string, timeoutMs: number): DelosError {
  return new DelosError('kernel-refused', `${directory}: its processes did not stand still within ${timeoutMs} ms`, { call: 'write' });
}
