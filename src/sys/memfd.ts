import fs from 'node:fs';
import path from 'node:path';
import { F_ADD_SEALS, F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_WRITE, MFD_ALLOW_SEALING, MFD_CLOEXEC } from '../abi/fcntl.ts';
import { buildFolder } from './build-folder.ts';
import { syscall } from './syscall.ts';

/** An anonymous file with these bytes, open for reading and writing, close-on-exec. The caller closes it. */
export function memfd(name: string, bytes: Uint8Array): number {
  const fd = syscall('memfd_create', name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  fs.writeSync(fd, bytes, 0, bytes.length, 0);
  return fd;
}

let executor: number | undefined;

/**
 * The plan executor as a sealed anonymous file. What runs in a container's process must not be a file of the host: a container
 * can reach it as /proc/PID/exe and, being root, overwrite it (CVE-2019-5736).
 */
export function executorFd(): number {
  if (executor === undefined) {
    executor = memfd('delos-exec', fs.readFileSync(path.join(buildFolder(), 'exec')));
    syscall('fcntl', executor, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
  }
  return executor;
}
