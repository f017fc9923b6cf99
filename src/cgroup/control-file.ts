import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path/posix';
import { DelosError } from '../lib/errors.ts';
import { requireCgroupFilesystem } from './host.ts';

/** The errno of an error of node:fs by name, `ENOENT`; nothing for another error. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/**
 * Whether an errno says that there is no such cgroup: it was removed, ENODEV between open and read; or it was never made, since its
 * path leads through a file or is longer than a path can be.
 */
export function saysAbsent(errno: string | undefined): boolean {
  return errno === 'ENOENT' || errno === 'ENODEV' || errno === 'ENOTDIR' || errno === 'ENAMETOOLONG';
}

/**
 * One write(2) to a file of a cgroup, after making sure that it is one. Never makes a file.
 * @param why JSON pointer of the field that asked for it
 * @throws DelosError kernel-refused with the errno; unsupported when `directory` is no cgroup.
 */
export function writeControlFile(directory: string, file: string, value: string, why?: string): void {
  requireCgroupFilesystem(directory);
  const path = join(directory, file);
  try {
    const descriptor = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW);
    try {
      writeSync(descriptor, value);
    } finally {
      closeSync(descriptor);
    }
  } catch (cause) {
    const errno = errnoOf(cause) ?? 'an error';
    throw new DelosError('kernel-refused', `${path}: cannot write ${JSON.stringify(value)}: ${errno}${hint(errno, file)}`, {
      cause, call: 'write', errno, ...(why !== undefined && { field: why }),
    });
  }
}

/** The text of a file of a cgroup; nothing when the file or the cgroup is not there. @throws DelosError io. */
export function readControlFile(directory: string, file: string): string | undefined {
  const path = join(directory, file);
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const errno = errnoOf(cause);
    if (saysAbsent(errno)) return undefined;
    throw new DelosError('io', `${path}: cannot be read: ${errno ?? 'an error'}`, { cause });
  }
}

function hint(errno: string, file: string): string {
  if (file === 'cgroup.subtree_control' && errno === 'EBUSY') return ' (a cgroup with processes cannot hand controllers down)';
  if (file === 'memory.limit_in_bytes' && errno === 'EBUSY') return ' (more than that is in use)';
  if (file === 'cpuset.cpus' && (errno === 'EINVAL' || errno === 'EACCES')) return ' (not among the processors of the cgroup above)';
  return '';
}
