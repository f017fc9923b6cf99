import { syscall, SystemCallError } from '../sys/syscall.ts';
import type { ByteString } from '../tar/byte-string.ts';
import { cString, unless } from './calls.ts';

/** Attributes that overlayfs keeps its own notes in: of trusted.* as root, of user.* when mounted with userxattr. */
export const OVERLAY_PREFIXES: readonly string[] = ['trusted.overlay.', 'user.overlay.'];

/** Why an attribute of an image is left out; undefined for one that is kept. */
export function refusedXattr(name: ByteString): string | undefined {
  if (OVERLAY_PREFIXES.some((prefix) => name.startsWith(prefix))) return 'it would steer overlayfs';
  if (name === 'security.selinux') return 'labels are of the host that made it';
  return undefined;
}

/** What file systems and namespaces answer that do not have such an attribute, or not for this kind of file or user. */
const NOT_HERE: readonly string[] = ['EOPNOTSUPP', 'EPERM'];

/** The path by which an open descriptor can be named; it is followed to the very file, also of O_PATH and of a link. */
export function pathOfDescriptor(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

/**
 * Sets an attribute of what a descriptor is open on.
 * @returns the errno, when the file system or the namespace does not have such attributes
 */
export function setXattr(fd: number, name: ByteString, value: Uint8Array): string | undefined {
  return tolerate(() => syscall('fsetxattr', fd, cString(name), value, value.length, 0));
}

/** The same for a name, which may be of a link, a device or a fifo. */
export function setXattrAt(parent: number, base: ByteString, name: ByteString, value: Uint8Array): string | undefined {
  return tolerate(() => syscall('lsetxattr', cString(`${pathOfDescriptor(parent)}/${base}`), cString(name), value, value.length, 0));
}

function tolerate(call: () => unknown): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (error instanceof SystemCallError && NOT_HERE.includes(error.errno)) return error.errno;
    throw error;
  }
}

/** XATTR_LIST_MAX and XATTR_SIZE_MAX: what the kernel gives at most. One buffer serves every call. */
const buffer = Buffer.alloc(65536);

const NONE: ReadonlyMap<ByteString, Uint8Array> = new Map();

/** All attributes that can be seen of what a descriptor is open on, O_PATH too, by name in order. */
export function readXattrs(fd: number): ReadonlyMap<ByteString, Uint8Array> {
  const path = cString(pathOfDescriptor(fd));
  const length = unless(['EOPNOTSUPP'], () => syscall('listxattr', path, buffer, buffer.length)) ?? 0;
  if (length === 0) return NONE;
  const names = buffer.toString('latin1', 0, length - 1).split('\0').sort();
  const xattrs = new Map<ByteString, Uint8Array>();
  for (const name of names) {
    // It may be gone by now, or be listed and yet not be given (system.* of some file systems).
    const size = unless(['ENODATA', 'EOPNOTSUPP', 'EPERM'], () => syscall('getxattr', path, cString(name), buffer, buffer.length));
    if (size !== undefined) xattrs.set(name, Uint8Array.prototype.slice.call(buffer, 0, size));
  }
  return xattrs;
}
