import { createHash } from 'node:crypto';
import fs from 'node:fs';
import type { ByteString } from '../../tar/byte-string.ts';
import { deviceOf } from '../stat-kind.ts';
import { childOf, Tree, type TreeNode } from '../walk.ts';

/** A line for each file of a tree, with all that counts of it: contents as a hash. For tests to hold against each other. */
export function* treeLines(folder: string): Generator<string> {
  const tree = new Tree(folder);
  try {
    yield* linesAt(tree, '');
  } finally {
    tree.close();
  }
}

function* linesAt(tree: Tree, path: ByteString): Generator<string> {
  const node = tree.open(path);
  if (node === undefined) return;
  let names: ByteString[];
  try {
    const { mode, uid, gid, mtimeNs, size, rdev, nlink } = node.stat;
    const { major, minor } = deviceOf(rdev);
    const parts = [node.kind, (Number(mode) & 0o7777).toString(8), `${uid}:${gid}`, String(mtimeNs)];
    if (node.kind === 'file') parts.push(`${size} bytes`, `${nlink} links`, hashOf(node));
    if (node.kind === 'symlink') parts.push(`-> ${node.link()}`);
    if (node.kind === 'character' || node.kind === 'block') parts.push(`${major}:${minor}`);
    for (const [name, value] of node.xattrs()) parts.push(`${name}=${Buffer.from(value).toString('hex')}`);
    yield `${JSON.stringify(path)} ${parts.join(' ')}`;
    names = node.kind === 'directory' ? node.names() : [];
  } finally {
    node.close();
  }
  for (const name of names) yield* linesAt(tree, childOf(path, name));
}

function hashOf(node: TreeNode): string {
  const fd = node.openFile();
  try {
    return createHash('sha256').update(fs.readFileSync(fd)).digest('hex').slice(0, 16);
  } finally {
    fs.closeSync(fd);
  }
}
