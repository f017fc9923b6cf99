import fs from 'node:fs';
import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_NONBLOCK, O_PATH, O_RDONLY } from '../abi/fcntl.ts';
import { RESOLVE_IN_ROOT } from '../abi/mount.ts';
import { syscall, SystemCallError } from './syscall.ts';

/** More than any passwd(5) or group(5) has. */
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * The text of a file below `root`, which no symbolic link leads out of: they count from `root`, openat2(2). Empty when there is no
 * such file, or it is no ordinary one: a fifo would never end, and neither would /dev/zero.
 * @param name relative
 */
export function readInside(root: string, name: string): string {
  const opened: number[] = [];
  const open = (fd: number): number => (opened.push(fd), fd);
  try {
    const directory = open(syscall('openat', AT_FDCWD, root, O_PATH | O_DIRECTORY | O_CLOEXEC, 0));
    const how = new BigUint64Array([BigInt(O_RDONLY | O_CLOEXEC | O_NONBLOCK), 0n, BigInt(RESOLVE_IN_ROOT)]);
    const file = open(syscall('openat2', directory, name, how, how.byteLength));
    const found = fs.fstatSync(file);
    return found.isFile() && found.size <= MAX_BYTES ? fs.readFileSync(file, 'utf8') : '';
  } catch (error) {
    if (error instanceof SystemCallError) return '';
    throw error;
  } finally {
    for (const fd of opened) fs.closeSync(fd);
  }
}
