import fs from 'node:fs';
import { O_CLOEXEC, O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY, S_IFBLK, S_IFCHR, S_IFIFO } from '../abi/fcntl.ts';
import { DelosError } from '../lib/errors.ts';
import { syscall } from '../sys/syscall.ts';
import { quoted, textOf, type ByteString } from '../tar/byte-string.ts';
import type { TarEntry } from '../tar/entry.ts';
import type { TarHandler } from '../tar/reader.ts';
import { cString, deviceNumber, isFolder, openFolder, setTimes, unless, writeAt } from './calls.ts';
import { openUp, setMetadata, setMetadataAt, statOf, timeOf, type Metadata } from './metadata.ts';
import { LayersBelow } from './layers-below.ts';
import { pathOf, placeOf, whiteoutOf, type Place } from './names.ts';
import { refused } from './refusal.ts';
import { RootFolder, type OpenFolder } from './root-folder.ts';
import type { LayerLimits, Skipped, UnpackOptions } from './unpack-options.ts';
import { applyWhiteouts, overlayWhiteouts, type Whiteouts } from './whiteouts.ts';

const MOST_SKIPPED = 1000;

const NEW_FILE = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;

/** Bytes that are copied at a time. */
const COPY = 1024 * 1024;

/** What is set when all entries are there: anything made in a folder would change its times, and its ACL would be inherited. */
type Deferred = { readonly metadata: Metadata } | { readonly restore: Pick<Metadata, 'mtime'> & { mode?: number } };

/** Writes the entries of a layer into a folder, as they come. Synchronous: one system call behind the other, on open folders. */
export class Unpacker implements TarHandler {
  readonly skipped: Skipped[] = [];
  entries = 0;

  readonly #options: UnpackOptions;
  readonly #limits: LayerLimits;
  readonly #root: RootFolder;
  readonly #below: LayersBelow;
  readonly #whiteouts: Whiteouts;
  readonly #deferred = new Map<ByteString, Deferred>();
  readonly #withOwner: boolean;
  #entry: TarEntry | undefined;
  /** Of the entry in work, for messages. */
  #name: ByteString = '';
  /** The file in work, and where its data ended so far. */
  #file = -1;
  #written = 0;

  constructor(folder: string, options: UnpackOptions, limits: LayerLimits) {
    this.#options = options;
    this.#limits = limits;
    this.#withOwner = options.owners !== 'mine';
    this.#below = new LayersBelow(options.lowers ?? []);
    this.#root = new RootFolder(folder, {
      opened: (opened, isNew) => this.#folderOpened(opened, isNew),
      linkBelow: (path) => this.#below.link(path),
      mayReplace: (path) => this.#whiteouts.isMark(path),
    });
    const isBelow = options.lowers && ((path: ByteString): boolean => this.#below.has(path));
    const overlay = options.whiteouts === 'overlay';
    this.#whiteouts = overlay ? overlayWhiteouts(this.#root, `${options.overlayXattr ?? 'trusted'}.overlay.opaque`, isBelow) : applyWhiteouts(this.#root);
  }

  get opaqueRoot(): boolean {
    return this.#whiteouts.opaqueRoot;
  }

  entry(entry: TarEntry): void {
    this.#entry = entry;
    this.#name = entry.name;
    this.#guard(() => this.#make(entry));
  }

  data(bytes: Buffer, offset: number): void {
    if (this.#file < 0) return;
    this.#guard(() => writeAt(this.#file, bytes, offset));
    this.#written = offset + bytes.length;
  }

  end(): void {
    const entry = this.#entry as TarEntry;
    if (this.#file >= 0) {
      this.#guard(() => {
        if (this.#written < entry.size) syscall('ftruncate', this.#file, entry.size);
        setMetadata(this.#file, entry, this.#withOwner, this.#skip);
      });
    }
    this.#closeFile();
  }

  /** Sets what waited for the end, innermost first: a folder may lose the permission to be entered. */
  finish(): void {
    for (const path of [...this.#deferred.keys()].sort().toReversed()) {
      const deferred = this.#deferred.get(path) as Deferred;
      this.#name = path;
      this.#guard(() => this.#finishFolder(path, deferred));
    }
  }

  close(): void {
    this.#closeFile();
    this.#root.close();
    this.#below.close();
  }

  readonly #skip = (reason: string): void => {
    if (this.skipped.length < MOST_SKIPPED) this.skipped.push({ name: textOf(this.#name), reason });
  };

  #guard(work: () => void): void {
    refused(this.#name, work);
  }

  #closeFile(): void {
    if (this.#file >= 0) fs.closeSync(this.#file);
    this.#file = -1;
    this.#written = 0;
  }

  #make(entry: TarEntry): void {
    this.entries++;
    if (this.entries > this.#limits.entries) throw new DelosError('too-large', `the layer has more than ${this.#limits.entries} entries`);
    if (entry.size > this.#limits.bytes) throw new DelosError('too-large', `the layer has a file of ${entry.size} bytes; the limit is ${this.#limits.bytes}`);
    const place = placeOf(entry.name);
    const whiteout = whiteoutOf(place.base);
    if (whiteout !== undefined) {
      if (whiteout.kind === 'opaque') this.#whiteouts.opaque(place.folder);
      else if (whiteout.kind === 'hide') this.#whiteouts.hide({ folder: place.folder, base: whiteout.base });
      else this.#skip("a name of AUFS's own");
      return;
    }
    if (this.#withOwner) checkOwner(entry);
    if (place.base === '') this.#makeRoot(entry);
    else this.#makeAt(place, entry);
  }

  #makeRoot(entry: TarEntry): void {
    if (entry.type !== 'directory') throw new DelosError('bad-archive', `the layer's root is a ${entry.type}`);
    this.#defer('', entry);
  }

  #makeAt(place: Place, entry: TarEntry): void {
    switch (entry.type) {
      case 'file':
        return this.#makeFile(place);
      case 'directory':
        return this.#makeFolder(place, entry);
      case 'link':
        return this.#makeLink(place, entry);
      case 'symlink':
        return this.#makeNode(place, entry, (fd, name) => syscall('symlinkat', cString(entry.linkName), fd, name));
      case 'fifo':
        return this.#makeNode(place, entry, (fd, name) => syscall('mknodat', fd, name, S_IFIFO | 0o600, 0));
      default:
        return this.#makeDevice(place, entry);
    }
  }

  /**
   * Makes a name, after the one that is there, if there is one, is removed.
   * @returns the folder it was made in, and what `make` gave
   */
  #create<T>(place: Place, make: (parent: number, name: Buffer) => T): readonly [OpenFolder, T] {
    const name = cString(place.base);
    let parent = this.#root.folder(place.folder);
    let made = unless(['EEXIST'], () => make(parent.fd, name));
    const path = pathOf({ folder: parent.path, base: place.base });
    if (made === undefined) {
      this.#root.remove(place);
      this.#forgetBelow(path);
      parent = this.#root.folder(place.folder);
      made = make(parent.fd, name);
    }
    this.#whiteouts.made(path);
    return [parent, made];
  }

  #makeFile(place: Place): void {
    [, this.#file] = this.#create(place, (parent, name) => syscall('openat', parent, name, NEW_FILE, 0o600));
  }

  #makeNode(place: Place, entry: TarEntry, make: (parent: number, name: Buffer) => number): void {
    const [{ fd }] = this.#create(place, make);
    setMetadataAt(fd, place.base, entry, entry.type === 'symlink', this.#withOwner, this.#skip);
  }

  #makeDevice(place: Place, entry: TarEntry): void {
    const { major, minor } = entry;
    if (major < 0 || major > 0xfff || minor < 0 || minor > 0xfffff) throw new DelosError('bad-archive', `the layer has a device ${major}:${minor}`);
    if (this.#options.devices === 'skip') return this.#skip(`device ${major}:${minor}: devices are not wanted`);
    const isWhiteout = major === 0 && minor === 0 && entry.type === 'character';
    if (isWhiteout && this.#options.whiteouts === 'overlay') return this.#skip("device 0:0: it would be overlayfs's whiteout");
    const kind = entry.type === 'block' ? S_IFBLK : S_IFCHR;
    const made = unless(['EPERM'], () => {
      this.#makeNode(place, entry, (fd, name) => syscall('mknodat', fd, name, kind | 0o600, deviceNumber(major, minor)));
      return true;
    });
    if (made === undefined) this.#skip(`device ${major}:${minor}: EPERM`);
    return undefined;
  }

  /**
   * A hard link to what an entry before has made, or the folder has from the layers below. It brings no metadata of its own: it is the
   * same file. In an overlay the file may be in another folder still; then it is copied up, as the kernel would.
   */
  #makeLink(place: Place, entry: TarEntry): void {
    const target = placeOf(entry.linkName);
    if (target.base === '') throw new DelosError('bad-archive', `the layer has a hard link to ${quoted(entry.linkName)}, its root`);
    const { path } = this.#root.folder(place.folder);
    // Removing the name to make it anew would remove the file.
    if (pathOf(target) === pathOf({ folder: path, base: place.base })) return;
    this.#copyUp(target);
    const from = this.#root.existing(target.folder);
    if (from === undefined) throw new DelosError('bad-archive', `the layer has a hard link to ${quoted(entry.linkName)}, which is not there`);
    try {
      this.#create(place, (parent, name) => syscall('linkat', from, cString(target.base), parent, name, 0));
    } finally {
      fs.closeSync(from);
    }
  }

  /** Brings a file of the layers below into the folder, unless there is something of its name. */
  #copyUp(place: Place): void {
    const source = this.#below.openFile(pathOf(place));
    if (source === undefined) return;
    const { fd, metadata } = source;
    let file: number | undefined;
    try {
      const parent = this.#root.folder(place.folder);
      file = unless(['EEXIST'], () => syscall('openat', parent.fd, cString(place.base), NEW_FILE, 0o600));
      if (file === undefined) return;
      const buffer = Buffer.allocUnsafe(COPY);
      for (let at = 0, read = COPY; read > 0; at += read) {
        read = fs.readSync(fd, buffer, 0, COPY, at);
        writeAt(file, buffer.subarray(0, read), at);
      }
      setMetadata(file, metadata, this.#withOwner, this.#skip);
    } finally {
      if (file !== undefined) fs.closeSync(file);
      fs.closeSync(fd);
    }
  }

  #makeFolder(place: Place, entry: TarEntry): void {
    const parent = this.#root.folder(place.folder);
    const path = pathOf({ folder: parent.path, base: place.base });
    const make = (fd: number, name: Buffer): number => syscall('mkdirat', fd, name, 0o700);
    // Mostly it is new; one that is there is kept with what it holds; anything else gives way.
    const isNew = unless(['EEXIST'], () => make(parent.fd, cString(place.base))) !== undefined;
    if (!isNew && !isFolder(parent.fd, place.base)) this.#create(place, make);
    this.#whiteouts.made(path);
    this.#defer(path, entry);
  }

  #defer(path: ByteString, { mode, uid, gid, mtime, xattrs }: Metadata): void {
    this.#deferred.set(path, { metadata: { mode, uid, gid, mtime, xattrs } });
  }

  /** What waited for folders that are removed. */
  #forgetBelow(path: ByteString): void {
    for (const key of this.#deferred.keys()) if (key === path || key.startsWith(`${path}/`)) this.#deferred.delete(key);
  }

  /** A folder that has no entry so far keeps its times; a missing one becomes what it is below, or one of root's, of 1970. */
  #folderOpened({ fd, path }: OpenFolder, isNew: boolean): void {
    if (isNew) {
      this.#whiteouts.made(path);
      this.#defer(path, this.#below.folder(path) ?? { mode: 0o755, uid: 0, gid: 0, mtime: { seconds: 0, nanoseconds: 0 }, xattrs: new Map() });
      return;
    }
    const mode = openUp(fd);
    if (this.#deferred.has(path)) return;
    const mtime = timeOf(statOf(fd).mtimeNs);
    this.#deferred.set(path, { restore: mode === undefined ? { mtime } : { mtime, mode } });
  }

  #finishFolder(path: ByteString, deferred: Deferred): void {
    const place = placeOf(path);
    const fd = place.base === '' ? openFolder(this.#root.fd, '.') : this.#openAgain(place);
    if (fd === undefined) return;
    try {
      if ('metadata' in deferred) setMetadata(fd, deferred.metadata, this.#withOwner, this.#skip);
      else {
        if (deferred.restore.mode !== undefined) syscall('fchmod', fd, deferred.restore.mode);
        setTimes(fd, deferred.restore.mtime);
      }
    } finally {
      fs.closeSync(fd);
    }
  }

  /** The folder, unless it was removed or replaced since. */
  #openAgain(place: Place): number | undefined {
    const parent = this.#root.existing(place.folder);
    if (parent === undefined) return undefined;
    try {
      return unless(['ENOENT', 'ENOTDIR', 'ELOOP'], () => openFolder(parent, place.base));
    } finally {
      fs.closeSync(parent);
    }
  }
}

/** -1 would mean to a system call that nothing is to be changed. */
function checkOwner({ uid, gid }: TarEntry): void {
  if (uid < 0 || uid >= 0xffffffff || gid < 0 || gid >= 0xffffffff) throw new DelosError('bad-archive', `the layer has an owner ${uid}:${gid}`);
}
