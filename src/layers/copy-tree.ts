import fs from 'node:fs';
import { O_CLOEXEC, O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } from '../abi/fcntl.ts';
import { DelosError } from '../lib/errors.ts';
import { syscall, SystemCallError } from '../sys/syscall.ts';
import { quoted, type ByteString } from '../tar/byte-string.ts';
import { cString, openFolder, unless, writeAt } from './calls.ts';
import { setMetadata, setMetadataAt, timeOf, type Metadata } from './metadata.ts';
import { placeOf } from './names.ts';
import { RootFolder } from './root-folder.ts';
import { Tree, walk, type TreeNode } from './walk.ts';
import { OVERLAY_PREFIXES } from './xattrs.ts';

export interface CopyTreeOptions {
  /** Whom a file of the copy belongs to; undefined: everything to who copies, for a user who has no other ids. */
  readonly owner?: (uid: number, gid: number) => readonly [uid: number, gid: number];
  readonly signal?: AbortSignal;
}

/** Bytes that the kernel is asked to copy at a time. */
const MOST = 1 << 30;

/** What copy_file_range(2) answers where it cannot: between file systems, of some kinds of them, and of files it does not know. */
const CANNOT: readonly string[] = ['EXDEV', 'ENOSYS', 'EINVAL', 'EOPNOTSUPP', 'ETXTBSY'];

const IGNORED = (): void => undefined;

/**
 * Copies a tree with all that it has: links, hard links, devices, owners, times, attributes; contents are shared where the file system can
 * do that. Attributes of overlayfs stay behind, and devices for one who may not make them.
 * @param to an empty folder that nobody else works in
 * @throws DelosError io; what `signal` was aborted with
 */
export async function copyTree(from: string, to: string, { owner, signal }: CopyTreeOptions = {}): Promise<void> {
  const [tree, copy] = [new Tree(from), new Copy(to, owner)];
  let path: ByteString = '';
  try {
    let count = 0;
    for (const node of walk(tree)) {
      ({ path } = node);
      copy.add(node);
      if (++count % 64 !== 0) continue;
      // Large trees take seconds: others have their turn.
      await new Promise((resolve) => setImmediate(resolve));
      signal?.throwIfAborted();
    }
    copy.finish();
  } catch (cause) {
    if (!(cause instanceof SystemCallError)) throw cause;
    const { call, errno } = cause;
    throw new DelosError('io', `${to}: ${quoted(path)} cannot be copied to it: ${cause.message}`, { cause, call, errno });
  } finally {
    copy.close();
    tree.close();
  }
}

class Copy {
  readonly #root: RootFolder;
  readonly #owner: CopyTreeOptions['owner'];
  /** Where the first of several names of a file is, by its device and inode. */
  readonly #linked = new Map<string, ByteString>();
  /** Set when all is there: what is made in a folder changes its time, and a folder may lose the permission to be written to. */
  readonly #folders: (readonly [path: ByteString, metadata: Metadata])[] = [];

  constructor(folder: string, owner: CopyTreeOptions['owner']) {
    this.#root = new RootFolder(folder);
    this.#owner = owner;
  }

  add(node: TreeNode): void {
    const { kind, path } = node;
    if (path === '') return void this.#folders.push([path, this.#metadataOf(node)]);
    const { folder, base } = placeOf(path);
    const { fd } = this.#root.folder(folder);
    const name = cString(base);
    if (kind === 'directory') {
      syscall('mkdirat', fd, name, 0o700);
      this.#folders.push([path, this.#metadataOf(node)]);
    } else if (this.#isLinked(node, fd, name) || kind === 'socket') return undefined;
    else if (kind === 'file') this.#copyFile(node, fd, name);
    else {
      const make = (): number => (kind === 'symlink' ? syscall('symlinkat', cString(node.link()), fd, name) : syscall('mknodat', fd, name, Number(node.stat.mode), Number(node.stat.rdev)));
      if (unless(kind === 'symlink' ? [] : ['EPERM'], make) === undefined) return undefined;
      setMetadataAt(fd, base, this.#metadataOf(node), kind === 'symlink', this.#owner !== undefined, IGNORED);
    }
    return undefined;
  }

  finish(): void {
    for (const [path, metadata] of this.#folders.toReversed()) {
      const { folder, base } = placeOf(path);
      const fd = base === '' ? openFolder(this.#root.fd, '.') : openFolder(this.#root.folder(folder).fd, base);
      try {
        setMetadata(fd, metadata, this.#owner !== undefined, IGNORED);
      } finally {
        fs.closeSync(fd);
      }
    }
  }

  close(): void {
    this.#root.close();
  }

  /** Whether it is another name of a file that is there already; it is made then. */
  #isLinked({ path, stat: { dev, ino, nlink } }: TreeNode, parent: number, name: Buffer): boolean {
    if (nlink <= 1n) return false;
    const first = this.#linked.get(`${dev}:${ino}`);
    if (first === undefined) {
      this.#linked.set(`${dev}:${ino}`, path);
      return false;
    }
    const { folder, base } = placeOf(first);
    // A device that could not be made has no other names either.
    const open = this.#root.existing(folder);
    if (open === undefined) return true;
    try {
      unless(['ENOENT'], () => syscall('linkat', open, cString(base), parent, name, 0));
    } finally {
      fs.closeSync(open);
    }
    return true;
  }

  #copyFile(node: TreeNode, parent: number, name: Buffer): void {
    const target = syscall('openat', parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600);
    try {
      if (node.stat.size > 0n) copyContents(node, target);
      setMetadata(target, this.#metadataOf(node), this.#owner !== undefined, IGNORED);
    } finally {
      fs.closeSync(target);
    }
  }

  #metadataOf(node: TreeNode): Metadata {
    const { mode, mtimeNs } = node.stat;
    const [uid, gid] = this.#owner?.(Number(node.stat.uid), Number(node.stat.gid)) ?? [0, 0];
    const xattrs = new Map([...node.xattrs()].filter(([name]) => !OVERLAY_PREFIXES.some((prefix) => name.startsWith(prefix))));
    return { mode: Number(mode) & 0o7777, uid, gid, mtime: timeOf(mtimeNs), xattrs };
  }
}

function copyContents(node: TreeNode, target: number): void {
  const source = node.openFile();
  try {
    let copied = unless(CANNOT, () => syscall('copy_file_range', source, 0, target, 0, MOST, 0));
    if (copied === undefined) return copyThrough(source, target);
    while (copied > 0) copied = syscall('copy_file_range', source, 0, target, 0, MOST, 0);
  } finally {
    fs.closeSync(source);
  }
}

function copyThrough(source: number, target: number): void {
  const buffer = Buffer.allocUnsafe(1 << 20);
  for (let at = 0, read = -1; read !== 0; at += read) {
    read = fs.readSync(source, buffer, 0, buffer.length, at);
    writeAt(target, buffer.subarray(0, read), at);
  }
}
