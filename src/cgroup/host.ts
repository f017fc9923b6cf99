import { existsSync, readdirSync, readFileSync, statfsSync } from 'node:fs';
import { DelosError } from '../lib/errors.ts';
import { cgroupHost, unifiedMountPoint, type CgroupHierarchy, type CgroupHost } from './hierarchy.ts';

/** statfs(2) f_type, <linux/magic.h>. */
export const CGROUP_SUPER_MAGIC = 0x27e0eb;
export const CGROUP2_SUPER_MAGIC = 0x63677270;

/**
 * This host's cgroups, from /proc/self/mountinfo and /proc/self/cgroup.
 * @throws DelosError unsupported when something mounted as a cgroup hierarchy is none; io when a file cannot be read.
 */
export function readCgroupHost(): CgroupHost {
  const mountinfo = readText('/proc/self/mountinfo');
  const unified = unifiedMountPoint(mountinfo);
  const controllers = unified === undefined ? '' : readText(`${unified}/cgroup.controllers`);
  const host = cgroupHost(mountinfo, readText('/proc/self/cgroup'), controllers, hasBfq());
  for (const hierarchy of host.hierarchies) requireCgroupFilesystem(hierarchy.mountPoint, hierarchy.version);
  return host;
}

/**
 * Files made in an ordinary directory limit nothing and say nothing, so every directory is asked what it is before it is
 * written to. Gives the version.
 * @throws DelosError unsupported when `directory` is no cgroup, or not of the version asked for; io when it is not there.
 */
export function requireCgroupFilesystem(directory: string, version?: CgroupHierarchy['version']): 1 | 2 {
  const found = cgroupVersion(directory);
  if (found === undefined || (version !== undefined && found !== version)) {
    throw new DelosError('unsupported', `${directory}: expected a cgroup${version === 2 ? '2' : ''} filesystem, found another one; nothing was written`);
  }
  return found;
}

function cgroupVersion(directory: string): 1 | 2 | undefined {
  try {
    const { type } = statfsSync(directory);
    return type === CGROUP2_SUPER_MAGIC ? 2 : type === CGROUP_SUPER_MAGIC ? 1 : undefined;
  } catch (cause) {
    const errno = (cause as NodeJS.ErrnoException).code ?? 'an error';
    throw new DelosError('io', `${directory}: cannot be examined: ${errno}`, { cause, call: 'statfs', errno });
  }
}

/** A block device's list of schedulers names every one the kernel has, which is what decides whether BFQ's files exist. */
function hasBfq(): boolean {
  if (!existsSync('/sys/block')) return false;
  return readdirSync('/sys/block').some((device) => {
    const file = `/sys/block/${device}/queue/scheduler`;
    return existsSync(file) && readFileSync(file, 'utf8').split(/[\s[\]]+/).includes('bfq');
  });
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new DelosError('io', `${file}: cannot be read`, { cause });
  }
}
