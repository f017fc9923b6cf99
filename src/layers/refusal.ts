import { DelosError } from '../lib/errors.ts';
import { SystemCallError } from '../sys/syscall.ts';
import { quoted, type ByteString } from '../tar/byte-string.ts';

/** What the kernel says of names and links that no file system could have: the layer is to blame. */
const OF_THE_LAYER: readonly string[] = ['ENAMETOOLONG', 'ELOOP', 'ENOTDIR', 'EISDIR', 'EINVAL', 'ENOENT', 'EEXIST', 'EMLINK', 'E2BIG', 'ERANGE'];

/** Whether the layer is to blame for what the kernel said, or the machine. */
export function blame(errno: string): 'bad-archive' | 'io' {
  return OF_THE_LAYER.includes(errno) ? 'bad-archive' : 'io';
}

/**
 * Does something for an entry of a layer; what the kernel refuses becomes one line that names the entry.
 * @throws DelosError bad-archive or io; others, and DelosErrors, as they are
 */
export function refused<T>(name: ByteString, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof SystemCallError)) throw cause;
    const { call, errno } = cause;
    const owner = call.includes('chown') && errno === 'EINVAL';
    const why = owner ? 'its owner does not exist in this user namespace' : `${call}: ${errno}`;
    throw new DelosError(owner ? 'io' : blame(errno), `the layer's entry ${quoted(name)} cannot be made: ${why}`, { cause, call, errno });
  }
}
