import fs from 'node:fs';
import { AT_SYMLINK_NOFOLLOW, O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW, O_RDONLY } from '../abi/fcntl.ts';
import { RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS } from '../abi/mount.ts';
import { syscall, SystemCallError } from '../sys/syscall.ts';
import type { ByteString } from '../tar/byte-string.ts';
import type { Time } from '../tar/entry.ts';

/** System calls on a name in an open folder. Names are byte strings of one component, unless a call says otherwise. */

/** A NUL-terminated string for the kernel. The name must hold no NUL: names from archives were checked for that. */
export function cString(name: ByteString): Buffer {
  return Buffer.from(`${name}\0`, 'latin1');
}

/** What a call gives, or undefined when it is refused with one of these errnos. */
export function unless<T>(errnos: readonly string[], call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof SystemCallError && errnos.includes(error.errno)) return undefined;
    throw error;
  }
}

const how = new BigUint64Array([0n, 0n, BigInt(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)]);

/**
 * Opens what a path below `root` leads to. Whatever links it goes through count from `root` and cannot leave it: openat2(2),
 * RESOLVE_IN_ROOT, the view that a process has that was chrooted there.
 * @param path relative, of any number of components; empty for `root` itself
 */
export function openInside(root: number, path: ByteString, flags: number): number {
  how[0] = BigInt(flags | O_CLOEXEC);
  return syscall('openat2', root, cString(path === '' ? '.' : path), how, how.byteLength);
}

/** Opens a folder by its name; a link to one is none. */
export function openFolder(parent: number, name: ByteString): number {
  return syscall('openat', parent, cString(name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
}

/** Whether there is a folder of this name; a link to one is none. */
export function isFolder(parent: number, name: ByteString): boolean {
  const fd = unless(['ENOENT', 'ENOTDIR', 'ELOOP'], () => openFolder(parent, name));
  if (fd !== undefined) fs.closeSync(fd);
  return fd !== undefined;
}

/** The text of a symbolic link; undefined when it is something else or nothing. */
export function readLink(parent: number, name: ByteString): ByteString | undefined {
  const buffer = Buffer.alloc(4096);
  const length = unless(['EINVAL', 'ENOENT'], () => syscall('readlinkat', parent, cString(name), buffer, buffer.length));
  return length === undefined ? undefined : buffer.toString('latin1', 0, length);
}

const times = new BigInt64Array(4);

function timespecs(mtime: Time): BigInt64Array {
  times[0] = times[2] = BigInt(mtime.seconds);
  times[1] = times[3] = BigInt(mtime.nanoseconds);
  return times;
}

/** Sets both times of an open file or folder: of the access too, which nothing records. */
export function setTimes(fd: number, mtime: Time): void {
  syscall('utimensat', fd, 0, timespecs(mtime), 0);
}

/** Sets both times of a name, of a link itself. */
export function setTimesAt(parent: number, name: ByteString, mtime: Time): void {
  syscall('utimensat', parent, cString(name), timespecs(mtime), AT_SYMLINK_NOFOLLOW);
}

export function setOwnerAt(parent: number, name: ByteString, uid: number, gid: number): void {
  syscall('fchownat', parent, cString(name), uid, gid, AT_SYMLINK_NOFOLLOW);
}

/** The names in an open folder, sorted by their bytes. */
export function namesIn(folder: number): ByteString[] {
  return fs.readdirSync(`/proc/self/fd/${folder}`, { encoding: 'latin1' }).sort();
}

/** A device number as mknodat(2) takes it: include/linux/kdev_t.h, new_encode_dev(). Major below 4096, minor below 2^20. */
export function deviceNumber(major: number, minor: number): number {
  return ((minor & 0xff) | (major << 8) | ((minor & 0xfff00) << 12)) >>> 0;
}

/** Writes all bytes at a place of a file. */
export function writeAt(fd: number, bytes: Uint8Array, offset: number): void {
  for (let done = 0; done < bytes.length; ) {
    const rest = done === 0 ? bytes : bytes.subarray(done);
    done += unless(['EINTR'], () => syscall('pwrite64', fd, rest, rest.length, offset + done)) ?? 0;
  }
}
