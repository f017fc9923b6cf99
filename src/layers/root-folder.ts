import fs from 'node:fs';
import { AT_FDCWD, AT_REMOVEDIR, O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW, O_PATH } from '../abi/fcntl.ts';
import { ENOTDIR } from '../abi/errno.ts';
import { DelosError } from '../lib/errors.ts';
import { syscall, SystemCallError } from '../sys/syscall.ts';
import { quoted, type ByteString } from '../tar/byte-string.ts';
import { cString, namesIn, openInside, readLink, unless } from './calls.ts';
import { openUp } from './metadata.ts';
import { pathOf, type Place } from './names.ts';
import { blame } from './refusal.ts';
import { pathOfDescriptor } from './xattrs.ts';

/** Folders that are kept open: entries come folder by folder, so few are enough. */
const KEPT_OPEN = 32;

/** As many as the kernel follows in one path: include/linux/namei.h, MAXSYMLINKS. */
const MOST_LINKS = 40;

/** PATH_MAX without the longest name and its slash: what lies deeper could not be removed by its path. */
const DEEPEST = 4096 - 256;

/** A folder below the root: an O_PATH descriptor, and where it really is, links resolved; empty for the root. */
export interface OpenFolder {
  readonly fd: number;
  readonly path: ByteString;
}

/** What a {@link RootFolder} asks and tells about folders. */
export interface FolderWatch {
  /** A folder was opened, and nothing was made or removed in it yet; or it was missing, and was made. */
  opened?(folder: OpenFolder, isNew: boolean): void;
  /** The text of a link that stands in place of a missing folder, in a layer below. */
  linkBelow?(path: ByteString): ByteString | undefined;
  /** Whether a missing folder may be made in place of what has its name. */
  mayReplace?(path: ByteString): boolean;
}

/** Which paths are left there when what is around them is removed. */
export type Spare = (path: ByteString) => boolean;

const SPARE_NONE: Spare = () => false;

/**
 * A folder on disk that stands for `/`. Everything in it is reached by a descriptor of the folder that holds it, and these are opened
 * as a process that was chrooted here would: links on the way count from this root, and none leads out.
 */
export class RootFolder {
  readonly fd: number;
  readonly #prefix: number;
  readonly #open = new Map<ByteString, OpenFolder>();
  readonly #watch: FolderWatch;

  constructor(path: string, watch: FolderWatch = {}) {
    this.fd = syscall('openat', AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    this.#prefix = (readLink(AT_FDCWD, pathOfDescriptor(this.fd)) ?? '').length + 1;
    this.#watch = watch;
  }

  /**
   * The folder of this path, for use as a dirfd; the missing ones on the way are made, mode 0755.
   * @returns a descriptor that stays this object's, good for the next few calls, and until something is removed
   * @throws DelosError bad-archive when the path leads through something that is no folder, or too deep
   */
  folder(path: ByteString): OpenFolder {
    const known = this.#open.get(path);
    if (known !== undefined) {
      // The oldest is closed first, and this is none of the oldest now.
      this.#open.delete(path);
      this.#open.set(path, known);
      return known;
    }
    if (this.#open.size >= KEPT_OPEN) this.#closeOldest();
    const fd = this.#entering(path, () => unless(['ENOENT', 'ENOTDIR'], () => openInside(this.fd, path, O_PATH | O_DIRECTORY))
      ?? openInside(this.fd, this.#make(path), O_PATH | O_DIRECTORY));
    const folder = { fd, path: this.#realPath(fd, path) };
    this.#open.set(path, folder);
    this.#watch.opened?.(folder, false);
    return folder;
  }

  /** The folder of this path if it is there, else undefined; the caller closes the descriptor. */
  existing(path: ByteString): number | undefined {
    return this.#find(path);
  }

  hasFolder(path: ByteString): boolean {
    const fd = unless(['ENOENT', 'ENOTDIR', 'ELOOP'], () => openInside(this.fd, path, O_PATH | O_DIRECTORY));
    if (fd !== undefined) fs.closeSync(fd);
    return fd !== undefined;
  }

  /** Closes what is kept open. */
  forget(): void {
    for (const { fd } of this.#open.values()) fs.closeSync(fd);
    this.#open.clear();
  }

  #closeOldest(): void {
    for (const [path, { fd }] of this.#open) {
      this.#open.delete(path);
      fs.closeSync(fd);
      return;
    }
  }

  close(): void {
    this.forget();
    fs.closeSync(this.fd);
  }

  /**
   * Removes a name with all that it holds, links as links; nothing when there is none.
   * @returns whether it is gone, and not spared
   */
  remove(place: Place, spare: Spare = SPARE_NONE): boolean {
    const parent = this.folder(place.folder);
    const path = pathOf({ folder: parent.path, base: place.base });
    const removed = this.#remove(parent.fd, place.base, path, spare);
    // What is open may be one of those that were removed.
    this.forget();
    return removed;
  }

  /** Removes all that a folder holds. */
  empty(path: ByteString, spare: Spare = SPARE_NONE): void {
    const folder = this.folder(path);
    for (const name of namesOf(folder.fd, '.')) this.#remove(folder.fd, name, pathOf({ folder: folder.path, base: name }), spare);
    this.forget();
  }

  /** @param relative to `parent`, so that a deep tree takes no descriptor a level; nobody else works in here @param path from the root */
  #remove(parent: number, relative: ByteString, path: ByteString, spare: Spare): boolean {
    const spared = spare(path);
    if (!spared) {
      const gone = unless(['EISDIR'], () => (unless(['ENOENT'], () => syscall('unlinkat', parent, cString(relative), 0)), true));
      if (gone === true) return true;
    }
    const names = unless(['ENOTDIR', 'ELOOP', 'ENOENT'], () => namesOf(parent, relative));
    const empty = (names ?? []).map((name) => this.#remove(parent, `${relative}/${name}`, `${path}/${name}`, spare)).every(Boolean);
    if (spared || !empty) return false;
    syscall('unlinkat', parent, cString(relative), AT_REMOVEDIR);
    return true;
  }

  #find(path: ByteString): number | undefined {
    return this.#entering(path, () => unless(['ENOENT'], () => openInside(this.fd, path, O_PATH | O_DIRECTORY)));
  }

  #entering<T>(path: ByteString, work: () => T): T {
    try {
      return work();
    } catch (cause) {
      if (!(cause instanceof SystemCallError)) throw cause;
      throw new DelosError(blame(cause.errno), `the layer's folder ${quoted(path)} cannot be entered: ${cause.message}`, { cause, call: cause.call, errno: cause.errno });
    }
  }

  #realPath(fd: number, path: ByteString): ByteString {
    const real = unless(['ENAMETOOLONG'], () => readLink(AT_FDCWD, pathOfDescriptor(fd)));
    if (real === undefined || real.length > DEEPEST) throw new DelosError('bad-archive', `the layer's folder ${quoted(path)} is deeper than a path can be`);
    return real.slice(this.#prefix);
  }

  /** Makes what is missing of a path; a link whose target is missing has its target made, in here. @returns the path without links */
  #make(path: ByteString): ByteString {
    const ahead = path.split('/').toReversed();
    let done: ByteString[] = [];
    let links = 0;
    let at = openInside(this.fd, '', O_PATH | O_DIRECTORY);
    const moveTo = (fd: number): void => {
      fs.closeSync(at);
      at = fd;
    };
    try {
      for (let component = ahead.pop(); component !== undefined; component = ahead.pop()) {
        if (component === '' || component === '.') continue;
        if (component === '..') {
          done.pop();
          moveTo(openInside(this.fd, done.join('/'), O_PATH | O_DIRECTORY));
          continue;
        }
        const here = [...done, component];
        const step = this.#step(at, component, here);
        if (typeof step === 'number') {
          moveTo(step);
          done = here;
          continue;
        }
        if (++links > MOST_LINKS) throw new DelosError('bad-archive', `the layer's folder ${quoted(path)} leads through too many links`);
        ahead.push(...step.split('/').toReversed());
        if (!step.startsWith('/')) continue;
        done = [];
        moveTo(openInside(this.fd, '', O_PATH | O_DIRECTORY));
      }
      return done.join('/');
    } finally {
      fs.closeSync(at);
    }
  }

  /** One step of a path: the folder, opened, which was made if it was missing; or the text of the link that is there. */
  #step(parent: number, component: ByteString, here: readonly ByteString[]): number | ByteString {
    const name = cString(component);
    const open = (): number => syscall('openat', parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
    const there = unless(['ENOENT', 'ENOTDIR'], open);
    if (there !== undefined) return there;
    const link = readLink(parent, component) ?? this.#watch.linkBelow?.(here.join('/'));
    if (link !== undefined) return link;
    if (this.#watch.mayReplace?.(here.join('/')) === true) syscall('unlinkat', parent, name, 0);
    if (unless(['EEXIST'], () => syscall('mkdirat', parent, name, 0o755)) === undefined) throw new SystemCallError('openat', ENOTDIR);
    const made = open();
    try {
      this.#watch.opened?.({ fd: made, path: this.#realPath(made, here.join('/')) }, true);
      return made;
    } catch (error) {
      fs.closeSync(made);
      throw error;
    }
  }
}

/** The names in a folder, which is made accessible for what is to be done in it. */
function namesOf(parent: number, name: ByteString): ByteString[] {
  const folder = syscall('openat', parent, cString(name), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0);
  try {
    openUp(folder);
    return namesIn(folder);
  } finally {
    fs.closeSync(folder);
  }
}
