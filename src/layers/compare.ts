import fs from 'node:fs';
import type { ByteString } from '../tar/byte-string.ts';
import { childOf, Tree, type TreeNode } from './walk.ts';

/** What two files of the same name can differ in. */
export type Aspect = 'type' | 'mode' | 'owner' | 'time' | 'size' | 'contents' | 'link' | 'device' | 'xattrs';

export interface Difference {
  readonly path: ByteString;
  /** `added` is only in the second tree, `removed` only in the first; what a removed folder held is not told apart. */
  readonly kind: 'added' | 'removed' | 'changed';
  /** Of `changed`: in what, at least one. */
  readonly aspects: readonly Aspect[];
}

type OwnerMeant = (uid: number, gid: number) => readonly [uid: number, gid: number];

export interface CompareOptions {
  /** Compare what files hold also where size and time are the same. Default: they are taken for equal then, as rsync(1) does. */
  readonly contents?: boolean;
  /** Aspects that do not count. */
  readonly except?: readonly Aspect[];
  /** The owners that are meant by those of the second tree. */
  readonly owner?: OwnerMeant | undefined;
  /** And of the first. */
  readonly baseOwner?: OwnerMeant | undefined;
}

/** The differences of two trees, folders before what they hold, in the order of bytes. @throws SystemCallError when a tree cannot be read */
export function* compareTrees(first: string, second: string, options: CompareOptions = {}): Generator<Difference> {
  const trees = [new Tree(first)];
  try {
    trees.push(new Tree(second));
    yield* compareAt(trees[0] as Tree, trees[1] as Tree, '', options);
  } finally {
    for (const tree of trees) tree.close();
  }
}

function* compareAt(first: Tree, second: Tree, path: ByteString, options: CompareOptions): Generator<Difference> {
  const [one, other] = [first.open(path), second.open(path)];
  let names: ByteString[] = [];
  try {
    if (other === undefined) {
      if (one !== undefined) yield { path, kind: 'removed', aspects: [] };
      return;
    }
    const aspects = one === undefined ? [] : aspectsOf(one, other, options).filter((aspect) => options.except?.includes(aspect) !== true);
    if (one === undefined) yield { path, kind: 'added', aspects };
    else if (aspects.length > 0) yield { path, kind: 'changed', aspects };
    if (other.kind === 'directory') names = other.names();
    // Where a folder became something else, what it held goes with it.
    if (one?.kind === 'directory' && other.kind === 'directory') names = [...new Set([...names, ...one.names()])].sort();
  } finally {
    one?.close();
    other?.close();
  }
  for (const name of names) yield* compareAt(first, second, childOf(path, name), options);
}

function aspectsOf(one: TreeNode, other: TreeNode, options: CompareOptions): Aspect[] {
  if (one.kind !== other.kind) return ['type'];
  const aspects: Aspect[] = [];
  const note = (aspect: Aspect, differs: boolean): void => void (differs && aspects.push(aspect));
  const [a, b] = [one.stat, other.stat];
  note('mode', a.mode !== b.mode);
  note('owner', ownerOf(one, options.baseOwner) !== ownerOf(other, options.owner));
  note('time', a.mtimeNs !== b.mtimeNs);
  note('xattrs', !sameXattrs(one, other));
  if (one.kind === 'symlink') note('link', one.link() !== other.link());
  if (one.kind === 'character' || one.kind === 'block') note('device', a.rdev !== b.rdev);
  if (one.kind === 'file') {
    note('size', a.size !== b.size);
    const unsure = options.contents === true || a.mtimeNs !== b.mtimeNs;
    note('contents', a.size === b.size && unsure && !sameContents(one, other));
  }
  return aspects;
}

function ownerOf({ stat }: TreeNode, meant: OwnerMeant = (...ids) => ids): string {
  return meant(Number(stat.uid), Number(stat.gid)).join(':');
}

function sameXattrs(one: TreeNode, other: TreeNode): boolean {
  const [a, b] = [one.xattrs(), other.xattrs()];
  return a.size === b.size && [...a].every(([name, value]) => Buffer.compare(value, b.get(name) ?? Buffer.from('\0')) === 0 && b.has(name));
}

function sameContents(one: TreeNode, other: TreeNode): boolean {
  const fds = [one.openFile()];
  try {
    fds.push(other.openFile());
    const [a, b] = [Buffer.allocUnsafe(65536), Buffer.allocUnsafe(65536)];
    for (let at = 0; ; at += a.length) {
      const [read, readOther] = [fs.readSync(fds[0] as number, a, 0, a.length, at), fs.readSync(fds[1] as number, b, 0, b.length, at)];
      if (read !== readOther || Buffer.compare(a.subarray(0, read), b.subarray(0, read)) !== 0) return false;
      if (read < a.length) return true;
    }
  } finally {
    for (const fd of fds) fs.closeSync(fd);
  }
}
