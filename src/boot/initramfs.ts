/** What a path of an initial file system is. Permission bits are those of inode(7), without the type. */
export type InitramfsEntry =
  | { readonly kind: 'folder'; readonly path: string; readonly mode?: number }
  | { readonly kind: 'file'; readonly path: string; readonly mode?: number; readonly data: Uint8Array }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | (DeviceNumbers & { readonly kind: 'device'; readonly path: string; readonly mode?: number; readonly type: 'character' | 'block' });

interface DeviceNumbers {
  readonly major: number;
  readonly minor: number;
}

const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;
const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;

const magic = '070701';
const headerBytes = magic.length + 13 * 8;
/** The kernel takes paths up to PATH_MAX, the zero behind included. */
const longestPath = 4095;

interface Record extends DeviceNumbers {
  readonly path: string;
  readonly mode: number;
  readonly data: Uint8Array;
}

/**
 * An archive as the kernel unpacks it into its first root file system: cpio's "newc" format, uncompressed, owned by root, dated 1970.
 * Entries are in the order given; a folder stands before what is in it.
 * Source: the kernel's Documentation/driver-api/early-userspace/buffer-format.rst.
 * @throws RangeError for a path that is empty, absolute or too long, and for a file of 4 GiB or more
 */
export function initramfs(entries: readonly InitramfsEntry[]): Uint8Array<ArrayBuffer> {
  const records = [...entries.map(recordOf), { path: 'TRAILER!!!', mode: 0, data: new Uint8Array(), major: 0, minor: 0 }];
  const parts = records.map((record, index) => encode(record, index === records.length - 1 ? 0 : index + 1));
  const archive = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    archive.set(part, at);
    at += part.length;
  }
  return archive;
}

function recordOf(entry: InitramfsEntry): Record {
  const { path } = entry;
  if (path === '' || path.startsWith('/') || path.includes('\0')) throw new RangeError(`${JSON.stringify(path)} is no path of an archive`);
  const none = { path, data: new Uint8Array(), major: 0, minor: 0 };
  switch (entry.kind) {
    case 'folder': return { ...none, mode: S_IFDIR | (entry.mode ?? 0o755) };
    case 'file': return { ...none, mode: S_IFREG | (entry.mode ?? 0o644), data: entry.data };
    case 'link': return { ...none, mode: S_IFLNK | 0o777, data: new TextEncoder().encode(entry.target) };
    case 'device': return { ...none, mode: (entry.type === 'block' ? S_IFBLK : S_IFCHR) | (entry.mode ?? 0o600), major: entry.major, minor: entry.minor };
  }
}

/** Header, name and data, the latter two padded to a multiple of 4 from the start of the entry. */
function encode({ path, mode, data, major, minor }: Record, inode: number): Uint8Array {
  const name = new TextEncoder().encode(path);
  if (name.length > longestPath) throw new RangeError(`a path of ${name.length} bytes is too long for an archive`);
  if (data.length > 0xffffffff) throw new RangeError(`${path} has ${data.length} bytes, an archive takes 4 GiB a file`);
  const links = mode >> 12 === S_IFDIR >> 12 ? 2 : 1;
  // inode, mode, uid, gid, links, mtime, size, device (2), device it stands for (2), length of the name, checksum
  const fields = [inode, mode, 0, 0, links, 0, data.length, 0, 0, major, minor, name.length + 1, 0];
  const dataAt = aligned(headerBytes + name.length + 1);
  const bytes = new Uint8Array(dataAt + aligned(data.length));
  bytes.set(new TextEncoder().encode(magic + fields.map((field) => field.toString(16).padStart(8, '0')).join('')));
  bytes.set(name, headerBytes);
  bytes.set(data, dataAt);
  return bytes;
}

const aligned = (length: number): number => Math.ceil(length / 4) * 4;
