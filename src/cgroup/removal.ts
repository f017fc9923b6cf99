import { rmdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { DelosError } from '../lib/errors.ts';
import { errnoOf } from './control-file.ts';
import { requireCgroupFilesystem } from './host.ts';
import type { CgroupPaths } from './path.ts';
import { withChildren } from './processes.ts';

/**
 * Removes the cgroup with all below it from every hierarchy. What is not there is no failure. Its processes must be dead; the
 * kernel may still be busy with their remains, so a refusal is tried again for about a second.
 * @throws DelosError kernel-refused for the first directory that stays; the others are removed all the same.
 */
export async function removeCgroup(paths: CgroupPaths): Promise<void> {
  let failure: unknown;
  for (const directory of new Set(Object.values(paths))) {
    try {
      await removeTree(directory);
    } catch (error) {
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
}

async function removeTree(directory: string): Promise<void> {
  try {
    requireCgroupFilesystem(directory);
  } catch (error) {
    // Whoever waits for the container may remove it at this same moment; or its maker, who is to be refused, makes it in the next.
    if (error instanceof DelosError && (error.detail.errno === 'ENOENT' || error.detail.errno === 'ENOTDIR')) return;
    throw error;
  }
  for (const cgroup of withChildren(directory).toReversed()) await removeOne(cgroup);
}

async function removeOne(directory: string): Promise<void> {
  for (let pauseMs = 1; ; pauseMs *= 2) {
    try {
      rmdirSync(directory);
      return;
    } catch (cause) {
      const errno = errnoOf(cause) ?? 'an error';
      if (errno === 'ENOENT') return;
      if (errno !== 'EBUSY' || pauseMs > 512) {
        throw new DelosError('kernel-refused', `${directory}: cannot be removed: ${errno}`, { cause, call: 'rmdir', errno });
      }
      await sleep(pauseMs);
    }
  }
}
