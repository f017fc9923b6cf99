import fs from 'node:fs';
import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW, O_PATH, O_RDONLY } from '../abi/fcntl.ts';
import { syscall, SystemCallError } from '../sys/syscall.ts';
import type { ByteString } from '../tar/byte-string.ts';
import { openInside, readLink, unless } from './calls.ts';
import { statOf, timeOf, type Metadata } from './metadata.ts';
import { isOpaque } from './overlay-marks.ts';
import { kindOf } from './stat-kind.ts';
import { OVERLAY_PREFIXES, pathOfDescriptor, readXattrs } from './xattrs.ts';

/** The unpacked layers below one that is being unpacked, topmost first: what a container would see in place of what the layer leaves out. */
export class LayersBelow {
  readonly #roots: readonly number[];

  constructor(folders: readonly string[]) {
    this.#roots = folders.map((folder) => syscall('openat', AT_FDCWD, folder, O_PATH | O_DIRECTORY | O_CLOEXEC, 0));
  }

  close(): void {
    for (const fd of this.#roots) fs.closeSync(fd);
  }

  /** What a folder is like below; undefined when there is none. */
  folder(path: ByteString): Metadata | undefined {
    return this.#look(path, (fd) => (kindOf(statOf(fd).mode) === 'directory' ? metadataOf(fd) : undefined));
  }

  /** A file below, open for reading, which the caller closes; undefined when there is none. */
  openFile(path: ByteString): { readonly fd: number; readonly metadata: Metadata } | undefined {
    return this.#look(path, (fd) => {
      if (kindOf(statOf(fd).mode) !== 'file') return undefined;
      return { fd: syscall('openat', AT_FDCWD, pathOfDescriptor(fd), O_RDONLY | O_CLOEXEC, 0), metadata: metadataOf(fd) };
    });
  }

  has(path: ByteString): boolean {
    return this.#look(path, (fd) => statOf(fd).rdev !== 0n || kindOf(statOf(fd).mode) !== 'character') ?? false;
  }

  /** The text of a link below; undefined for anything else. */
  link(path: ByteString): ByteString | undefined {
    return this.#look(path, (fd) => readLink(fd, ''));
  }

  /** Asks of what the topmost layer that has the path has there. */
  #look<T>(path: ByteString, ask: (fd: number) => T): T | undefined {
    for (const root of this.#roots) {
      let fd: number | undefined;
      try {
        fd = unless(['ENOENT'], () => openInside(root, path, O_PATH | O_NOFOLLOW));
      } catch (error) {
        // A folder on the way is hidden or is a file here: the layers further down do not show.
        if (error instanceof SystemCallError) return undefined;
        throw error;
      }
      if (fd === undefined) {
        if (isCut(root, path)) return undefined;
        continue;
      }
      try {
        return ask(fd);
      } finally {
        fs.closeSync(fd);
      }
    }
    return undefined;
  }
}

/** Whether a folder of this layer on the way to a path is opaque: the layers further down do not show in it. */
function isCut(root: number, path: ByteString): boolean {
  for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) {
    const fd = unless(['ENOENT'], () => openInside(root, path.slice(0, slash), O_PATH | O_NOFOLLOW));
    if (fd === undefined) return false;
    try {
      if (isOpaque(readXattrs(fd))) return true;
    } finally {
      fs.closeSync(fd);
    }
  }
  return false;
}

function metadataOf(fd: number): Metadata {
  const { mode, uid, gid, mtimeNs } = statOf(fd);
  const xattrs = new Map([...readXattrs(fd)].filter(([name]) => !OVERLAY_PREFIXES.some((prefix) => name.startsWith(prefix))));
  return { mode: Number(mode) & 0o7777, uid: Number(uid), gid: Number(gid), mtime: timeOf(mtimeNs), xattrs };
}
