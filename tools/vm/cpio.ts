/** One entry of an archive; parents come before what is in them. */
export interface CpioEntry {
  /** Path without a leading slash, at most 255 bytes. */
  readonly name: string;
  /** File type and permission bits, inode(7). */
  readonly mode: number;
  /** What a regular file holds; empty for a folder. */
  readonly data?: Uint8Array;
}

const magic = '070701';
const headerBytes = magic.length + 13 * 8;

/**
 * An archive as the kernel unpacks it into its first root file system: cpio's "newc" format, uncompressed, owned by root.
 * Source: the kernel's Documentation/driver-api/early-userspace/buffer-format.rst.
 */
export function cpio(entries: readonly CpioEntry[]): Buffer {
  const parts = entries.map((entry, index) => encode(entry, index + 1));
  return Buffer.concat([...parts, encode({ name: 'TRAILER!!!', mode: 0 }, 0)]);
}

/** Header, name and data, the latter two padded to a multiple of 4 from the start of the entry. */
function encode({ name, mode, data = new Uint8Array() }: CpioEntry, inode: number): Buffer {
  const nameBytes = Buffer.byteLength(name) + 1;
  const links = 1;
  // inode, mode, uid, gid, links, mtime, size, device (2), device it stands for (2), length of the name, checksum
  const fields = [inode, mode, 0, 0, links, 0, data.length, 0, 0, 0, 0, nameBytes, 0];
  const dataAt = aligned(headerBytes + nameBytes);
  const bytes = Buffer.alloc(dataAt + aligned(data.length));
  bytes.write(magic + fields.map((field) => field.toString(16).padStart(8, '0')).join(''), 'latin1');
  bytes.write(name, headerBytes);
  bytes.set(data, dataAt);
  return bytes;
}

function aligned(length: number): number {
  return (length + 3) & ~3;
}
