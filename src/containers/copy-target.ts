import fs from 'node:fs';
import { O_CLOEXEC, O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_PATH, O_TRUNC, O_WRONLY, S_IFBLK, S_IFCHR, S_IFIFO } from '../abi/fcntl.ts';
import { cString, deviceNumber, openFolder, openInside, unless, writeAt } from '../layers/calls.ts';
import { setMetadata, setMetadataAt, statOf, type Metadata } from '../layers/metadata.ts';
import { pathOf, placeOf, type Place } from '../layers/names.ts';
import { kindOf, type Kind } from '../layers/stat-kind.ts';
import { pathOfDescriptor } from '../layers/xattrs.ts';
import { DelosError } from '../lib/errors.ts';
import { syscall } from '../sys/syscall.ts';
import { quoted, type ByteString } from '../tar/byte-string.ts';
import type { StreamedEntry } from '../tar/entries.ts';
import type { TarEntry } from '../tar/entry.ts';

/** Who is to own what is copied; nothing to leave it to the kernel, as for an ordinary user. */
export type OwnerOf = ((uid: number, gid: number) => readonly [uid: number, gid: number]) | undefined;

/** What there is at a path below a root, links followed; undefined for nothing. @throws SystemCallError */
export function kindAt(root: number, path: ByteString): Kind | undefined {
  const fd = unless(['ENOENT'], () => openInside(root, path, O_PATH));
  if (fd === undefined) return undefined;
  try {
    return kindOf(statOf(fd).mode);
  } finally {
    fs.closeSync(fd);
  }
}

/**
 * Writes entries into a tree that others may be at work in, below a folder that is there. Each is reached as a process would that was
 * chrooted into the root: no link leads out. A file takes the place of a file, a folder is filled up; neither takes the place of the other.
 */
export class CopyTarget {
  readonly #root: number;
  readonly #owner: OwnerOf;
  /** Made here, with what they are to be like when nothing more is made in them. */
  readonly #folders = new Map<ByteString, Metadata>();

  constructor(root: number, owner: OwnerOf) {
    this.#root = root;
    this.#owner = owner;
  }

  /** @param under the folder, a path from the root @throws DelosError bad-archive for a name that leads out of it, io; SystemCallError */
  async write(under: ByteString, entries: AsyncIterable<StreamedEntry>): Promise<void> {
    for await (const entry of entries) {
      const place = placeOf(entry.name);
      const folder = place.folder === '' ? under : `${under}/${place.folder}`;
      if (place.base !== '') await this.#make({ folder, base: place.base }, entry, under);
    }
    for (const [path, metadata] of [...this.#folders].toReversed()) this.#finish(path, metadata);
  }

  async #make(place: Place, entry: StreamedEntry, under: ByteString): Promise<void> {
    const parent = openInside(this.#root, place.folder, O_PATH | O_DIRECTORY);
    try {
      const metadata = this.#metadata(entry);
      if (entry.type === 'directory') this.#makeFolder(parent, place, metadata);
      else if (entry.type === 'file') await this.#makeFile(parent, place, entry, metadata);
      else if (entry.type === 'link') this.#makeLink(parent, place, `${under}/${pathOf(placeOf(entry.linkName))}`);
      else this.#makeNode(parent, place, entry, metadata);
    } finally {
      fs.closeSync(parent);
    }
  }

  #metadata({ mode, uid, gid, mtime, xattrs }: TarEntry): Metadata {
    const [ownUid, ownGid] = this.#owner?.(uid, gid) ?? [uid, gid];
    return { mode, uid: ownUid, gid: ownGid, mtime, xattrs };
  }

  #makeFolder(parent: number, place: Place, metadata: Metadata): void {
    const made = unless(['EEXIST'], () => syscall('mkdirat', parent, cString(place.base), 0o700));
    if (made !== undefined) this.#folders.set(pathOf(place), metadata);
    else if (!isFolder(parent, place.base)) throw new DelosError('io', `a folder cannot take the place of ${quoted(pathOf(place))}, which is none`);
  }

  async #makeFile(parent: number, place: Place, entry: StreamedEntry, metadata: Metadata): Promise<void> {
    const open = (flags: number): number => syscall('openat', parent, cString(place.base), O_WRONLY | O_NOFOLLOW | O_CLOEXEC | flags, 0o600);
    // What something is mounted on cannot be removed, but written to.
    const file = this.#inPlace(parent, place, () => open(O_CREAT | O_EXCL)) ?? open(O_TRUNC | O_NONBLOCK);
    try {
      let at = 0;
      for await (const bytes of entry.data()) {
        writeAt(file, bytes, at);
        at += bytes.length;
      }
      setMetadata(file, metadata, this.#owner !== undefined, () => undefined);
    } finally {
      fs.closeSync(file);
    }
  }

  #makeLink(parent: number, place: Place, target: ByteString): void {
    const { folder, base } = placeOf(target);
    const from = openInside(this.#root, folder, O_PATH | O_DIRECTORY);
    try {
      this.#inPlace(parent, place, () => syscall('linkat', from, cString(base), parent, cString(place.base), 0));
    } finally {
      fs.closeSync(from);
    }
  }

  #makeNode(parent: number, place: Place, entry: TarEntry, metadata: Metadata): void {
    const name = cString(place.base);
    const kinds = { fifo: S_IFIFO, character: S_IFCHR, block: S_IFBLK } as const;
    this.#inPlace(parent, place, () => (entry.type === 'symlink'
      ? syscall('symlinkat', cString(entry.linkName), parent, name)
      : syscall('mknodat', parent, name, kinds[entry.type as keyof typeof kinds] | 0o600, deviceNumber(entry.major, entry.minor))));
    // By the name there is no setting of a mode that does not follow a link, which may have taken the place of what was just made.
    setMetadataAt(parent, place.base, metadata, true, this.#owner !== undefined, () => undefined);
    if (entry.type !== 'symlink') setModeAt(parent, place.base, metadata.mode);
  }

  /** Makes a name in place of the file that has it, if there is one. @returns undefined where that cannot be removed, as it is a mount */
  #inPlace(parent: number, place: Place, make: () => number): number | undefined {
    const made = unless(['EEXIST'], make);
    if (made !== undefined) return made;
    if (isFolder(parent, place.base)) throw new DelosError('io', `the folder ${quoted(pathOf(place))} cannot be replaced by something that is none`);
    const removed = unless(['EBUSY'], () => unless(['ENOENT'], () => syscall('unlinkat', parent, cString(place.base), 0)) ?? 0);
    return removed === undefined ? undefined : make();
  }

  #finish(path: ByteString, metadata: Metadata): void {
    const { folder, base } = placeOf(path);
    const parent = openInside(this.#root, folder, O_PATH | O_DIRECTORY);
    try {
      const fd = unless(['ENOENT', 'ENOTDIR', 'ELOOP'], () => openFolder(parent, base));
      if (fd === undefined) return;
      try {
        setMetadata(fd, metadata, this.#owner !== undefined, () => undefined);
      } finally {
        fs.closeSync(fd);
      }
    } finally {
      fs.closeSync(parent);
    }
  }
}

function setModeAt(parent: number, base: ByteString, mode: number): void {
  const fd = syscall('openat', parent, cString(base), O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
  try {
    if (kindOf(statOf(fd).mode) !== 'symlink') fs.chmodSync(pathOfDescriptor(fd), mode);
  } finally {
    fs.closeSync(fd);
  }
}

function isFolder(parent: number, base: ByteString): boolean {
  const fd = unless(['ENOTDIR', 'ELOOP', 'ENOENT'], () => openFolder(parent, base));
  if (fd !== undefined) fs.closeSync(fd);
  return fd !== undefined;
}
