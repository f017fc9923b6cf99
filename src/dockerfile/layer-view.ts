import { overlayMark } from '../layers/overlay-marks.ts';
import { childOf, Tree, type TreeNode } from '../layers/walk.ts';
import type { Kind } from '../layers/stat-kind.ts';
import { DelosError } from '../lib/errors.ts';
import { quoted, type ByteString } from '../tar/byte-string.ts';

/** As many links as the kernel follows in one path: include/linux/namei.h, MAXSYMLINKS. */
const MOST_LINKS = 40;

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export const ROOT: Owner = { uid: 0, gid: 0 };

/** Where a path leads, links followed: a path without any, and what is there. */
export interface Resolved {
  readonly path: ByteString;
  /** Undefined when nothing is there. */
  readonly kind: Kind | undefined;
}

/**
 * Folders of layers as an overlay mount would show them (Documentation/filesystems/overlayfs.rst), without a mount: what nobody mounted
 * nobody has to unmount. Links count from the root and lead nowhere else; every file is opened from the root through none.
 */
export class LayerView implements Disposable {
  readonly #trees: Tree[] = [];
  /** For each path that was looked up, which trees show there: of a folder all that are merged, of anything else one. */
  readonly #shown = new Map<ByteString, readonly Tree[]>();

  readonly #isMine: boolean;

  /**
   * @param folders the topmost first; none for an empty root
   * @param isMine who unpacked them had no other ids, and all of it stands for root's: `owners` of a store's unpacking
   */
  constructor(folders: readonly string[], isMine = false) {
    this.#isMine = isMine;
    try {
      for (const folder of folders) this.#trees.push(new Tree(folder));
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
    this.#shown.set('', this.#trees);
  }

  [Symbol.dispose](): void {
    for (const tree of this.#trees) tree.close();
  }

  /** What is at a path, a link as a link; undefined when there is nothing. The caller closes it. */
  open(path: ByteString): TreeNode | undefined {
    return this.#at(path)[0]?.open(path);
  }

  /** Who a file belongs to, as a layer has it. */
  ownerOf({ stat: { uid, gid } }: TreeNode): Owner {
    return this.#isMine ? ROOT : { uid: Number(uid), gid: Number(gid) };
  }

  kind(path: ByteString): Kind | undefined {
    if (path === '') return 'directory';
    const node = this.open(path);
    node?.close();
    return node?.kind;
  }

  /** The names in a folder, in the order of their bytes. */
  names(path: ByteString): ByteString[] {
    const names = new Set<ByteString>();
    for (const tree of this.#at(path)) {
      const node = tree.open(path);
      for (const name of node?.kind === 'directory' ? node.names() : []) names.add(name);
      node?.close();
    }
    return [...names].filter((name) => this.#at(childOf(path, name)).length > 0).sort();
  }

  /** @param path slashes at its ends and `.` mean nothing, `..` goes no higher than the root @throws DelosError io for too many links */
  resolve(path: ByteString): Resolved {
    const ahead = path.split('/').toReversed();
    let done: ByteString[] = [];
    let links = 0;
    for (let component = ahead.pop(); component !== undefined; component = ahead.pop()) {
      if (component === '' || component === '.') continue;
      if (component === '..') {
        done.pop();
        continue;
      }
      const link = this.#link([...done, component].join('/'));
      if (link === undefined) {
        done.push(component);
        continue;
      }
      if (++links > MOST_LINKS) throw new DelosError('io', `${quoted(path)} leads through too many links`);
      ahead.push(...link.split('/').toReversed());
      if (link.startsWith('/')) done = [];
    }
    const resolved = done.join('/');
    return { path: resolved, kind: this.kind(resolved) };
  }

  #link(path: ByteString): ByteString | undefined {
    const node = this.open(path);
    try {
      return node?.kind === 'symlink' ? node.link() : undefined;
    } finally {
      node?.close();
    }
  }

  #at(path: ByteString): readonly Tree[] {
    const known = this.#shown.get(path);
    if (known !== undefined) return known;
    const slash = path.lastIndexOf('/');
    const found = this.#merged(path, this.#at(path.slice(0, Math.max(0, slash))));
    this.#shown.set(path, found);
    return found;
  }

  #merged(path: ByteString, trees: readonly Tree[]): readonly Tree[] {
    const folders: Tree[] = [];
    for (const tree of trees) {
      const node = tree.open(path);
      if (node === undefined) continue;
      try {
        const mark = overlayMark(node, node.xattrs());
        if (mark === 'whiteout') break;
        if (node.kind !== 'directory') return folders.length > 0 ? folders : [tree];
        folders.push(tree);
        if (mark === 'opaque') break;
      } finally {
        node.close();
      }
    }
    return folders;
  }
}
