import fs from 'node:fs';
import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_NOFOLLOW, O_PATH, O_RDONLY } from '../abi/fcntl.ts';
import { RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS } from '../abi/mount.ts';
import { syscall } from '../sys/syscall.ts';
import type { ByteString } from '../tar/byte-string.ts';
import { cString, namesIn, readLink, unless } from './calls.ts';
import { statOf } from './metadata.ts';
import { kindOf, type Kind } from './stat-kind.ts';
import { pathOfDescriptor, readXattrs } from './xattrs.ts';

const how = new BigUint64Array([0n, 0n, BigInt(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS)]);

/** Gone, or made something else, between being listed and being opened: a container may be at work in the tree. */
const VANISHED: readonly string[] = ['ENOENT', 'ENOTDIR', 'ELOOP'];

/**
 * A tree that is read while others may write in it. Each name is opened from the root, through no link, and then asked by its
 * descriptor: nothing that is swapped in meanwhile leads out.
 */
export class Tree {
  readonly #root: number;

  constructor(folder: string) {
    this.#root = syscall('openat', AT_FDCWD, folder, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
  }

  close(): void {
    fs.closeSync(this.#root);
  }

  /** @returns undefined when it is not there (any more) @throws SystemCallError */
  open(path: ByteString): TreeNode | undefined {
    how[0] = BigInt(O_PATH | O_NOFOLLOW | O_CLOEXEC);
    const fd = unless(VANISHED, () => syscall('openat2', this.#root, cString(path === '' ? '.' : path), how, how.byteLength));
    return fd === undefined ? undefined : new TreeNode(path, fd);
  }
}

/** One file of a {@link Tree}, open. Closed by who asked for it. */
export class TreeNode {
  readonly path: ByteString;
  readonly fd: number;
  readonly stat: fs.BigIntStats;
  readonly kind: Kind;

  constructor(path: ByteString, fd: number) {
    this.path = path;
    this.fd = fd;
    try {
      this.stat = statOf(fd);
      this.kind = kindOf(this.stat.mode);
    } catch (error) {
      fs.closeSync(fd);
      throw error;
    }
  }

  close(): void {
    fs.closeSync(this.fd);
  }

  xattrs(): ReadonlyMap<ByteString, Uint8Array> {
    return readXattrs(this.fd);
  }

  /** Of a link: its text. */
  link(): ByteString {
    return readLink(this.fd, '') ?? '';
  }

  /** Of a folder: the names in it, sorted by their bytes. */
  names(): ByteString[] {
    const fd = syscall('openat', this.fd, '.', O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    try {
      return namesIn(fd);
    } finally {
      fs.closeSync(fd);
    }
  }

  /** Of a file: a descriptor to read from, which the caller closes. */
  openFile(): number {
    // By the descriptor that was asked what it is: the name could be a fifo's by now.
    return syscall('openat', AT_FDCWD, pathOfDescriptor(this.fd), O_RDONLY | O_CLOEXEC, 0);
  }
}

export function childOf(path: ByteString, name: ByteString): ByteString {
  return path === '' ? name : `${path}/${name}`;
}

/** Everything in a tree, its root first, a folder before what it holds, names in the order of their bytes. A node is open until the next. */
export function* walk(tree: Tree, path: ByteString = ''): Generator<TreeNode> {
  const node = tree.open(path);
  if (node === undefined) return;
  let names: ByteString[];
  try {
    yield node;
    names = node.kind === 'directory' ? node.names() : [];
  } finally {
    node.close();
  }
  for (const name of names) yield* walk(tree, childOf(path, name));
}
