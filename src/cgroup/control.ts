import { mkdirSync, rmdirSync } from 'node:fs';
import { DelosError } from '../lib/errors.ts';
import type { AncestorWrite } from './ancestors.ts';
import { errnoOf, readControlFile, writeControlFile } from './control-file.ts';
import { requireCgroupFilesystem } from './host.ts';
import type { CgroupDirectory, CgroupPaths } from './path.ts';
import type { CgroupWrite, CurrentLimits } from './row.ts';
import { parseValue, UINT64_MAX } from './stats-text.ts';

/**
 * Makes the directories of a container's cgroup and of the cgroups above it that are missing. On a failure those that
 * were made are removed again. Gives what was made, outermost first.
 * @throws DelosError kernel-refused, unsupported when a mount point is no cgroup.
 */
export function createDirectories(directories: readonly CgroupDirectory[]): string[] {
  const made: string[] = [];
  try {
    for (const { hierarchy, create } of directories) {
      requireCgroupFilesystem(hierarchy.mountPoint, hierarchy.version);
      for (const directory of create) if (makeDirectory(directory)) made.push(directory);
    }
    return made;
  } catch (error) {
    for (const directory of made.toReversed()) rmdirSync(directory);
    throw error;
  }
}

function makeDirectory(directory: string): boolean {
  try {
    mkdirSync(directory, 0o755);
    return true;
  } catch (cause) {
    const errno = errnoOf(cause) ?? 'an error';
    if (errno === 'EEXIST') return false;
    throw new DelosError('kernel-refused', `${directory}: cannot be made: ${errno}`, { cause, call: 'mkdir', errno, field: '/linux/cgroupsPath' });
  }
}

/** Makes the writes in their order. @throws DelosError kernel-refused for one that is not optional. */
export function applyWrites(paths: CgroupPaths, writes: readonly CgroupWrite[]): void {
  applyAncestorWrites(writes.map(({ controller, ...write }) => ({ ...write, directory: directoryOf(paths, controller, write.why) })));
}

/** As {@link applyWrites}, for the cgroups above the container's. */
export function applyAncestorWrites(writes: readonly AncestorWrite[]): void {
  for (const { directory, file, value, why, optional } of writes) {
    try {
      writeControlFile(directory, file, value, why);
    } catch (error) {
      const isRefusal = error instanceof DelosError && error.code === 'kernel-refused';
      if (optional !== true || !isRefusal) throw error;
    }
  }
}

/** Moves a process into the cgroup, in every hierarchy. @throws DelosError kernel-refused. */
export function joinCgroup(paths: CgroupPaths, pid: number): void {
  for (const directory of new Set(Object.values(paths))) writeControlFile(directory, 'cgroup.procs', String(pid), '/linux/cgroupsPath');
}

/** What resourceWrites needs to know for an update. */
export function readCurrentLimits(paths: CgroupPaths): CurrentLimits {
  const isLegacy = paths['memory'] !== undefined;
  const directory = paths['memory'] ?? paths[''];
  if (directory === undefined) return {};
  const read = (file: string): bigint | undefined => {
    const text = readControlFile(directory, file);
    return text === undefined ? undefined : parseValue(text, file);
  };
  const limit = read(isLegacy ? 'memory.limit_in_bytes' : 'memory.max');
  const usage = read(isLegacy ? 'memory.usage_in_bytes' : 'memory.current');
  return {
    ...(limit !== undefined && limit !== UINT64_MAX && { memoryLimit: limit }),
    ...(usage !== undefined && { memoryUsage: usage }),
  };
}

function directoryOf(paths: CgroupPaths, controller: string, why: string): string {
  const directory = paths[controller];
  if (directory === undefined) {
    throw new DelosError('unsupported', `the container has no cgroup for ${controller === '' ? 'cgroup v2' : controller}`, { field: why });
  }
  return directory;
}
