import fs from 'node:fs';
import { O_CLOEXEC, O_RDONLY } from '../abi/fcntl.ts';
import { RESOLVE_IN_ROOT } from '../abi/mount.ts';
import { syscall, SystemCallError } from '../sys/syscall.ts';

/** More than any passwd(5) or group(5) has. */
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * The text of a file below `root`, which no symbolic link leads out of: they count from `root`, openat2(2). Empty when there is no
 * such file, or it is no ordinary one.
 * @param name relative
 */
export function readInside(root: string, name: string): string {
  const directory = fs.openSync(root, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
  try {
    const how = new BigUint64Array([BigInt(O_RDONLY | O_CLOEXEC | fs.constants.O_NONBLOCK), 0n, BigInt(RESOLVE_IN_ROOT)]);
    const file = syscall('openat2', directory, name, how, how.byteLength);
    try {
      const found = fs.fstatSync(file);
      return found.isFile() && found.size <= MAX_BYTES ? fs.readFileSync(file, 'utf8') : '';
    } finally {
      fs.closeSync(file);
    }
  } catch (error) {
    if (error instanceof SystemCallError) return '';
    throw error;
  } finally {
    fs.closeSync(directory);
  }
}
