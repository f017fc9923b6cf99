import { DelosError } from '../lib/errors.ts';
import { SystemCallError } from '../sys/syscall.ts';
import { quoted, type ByteString } from '../tar/byte-string.ts';
import { tarEntry, type TarEntry } from '../tar/entry.ts';
import { tarEnd, tarHeader, tarPadding } from '../tar/writer.ts';
import { compareTrees, type CompareOptions } from './compare.ts';
import { fileChunks } from './file-chunks.ts';
import { timeOf } from './metadata.ts';
import { OPAQUE, whiteoutFor, whiteoutOf } from './names.ts';
import { overlayMark } from './overlay-marks.ts';
import { deviceOf } from './stat-kind.ts';
import { childOf, Tree, walk, type TreeNode } from './walk.ts';
import { refusedXattr } from './xattrs.ts';

export interface PackOptions {
  /** The folder is the upper one of an overlay mount: its whiteouts and opaque folders become those of a layer. */
  readonly overlay?: boolean;
  /** Another tree: only what differs from it is packed, with whiteouts for what it has more. Files of the same size and time are taken for equal. */
  readonly base?: string;
  /** An entry `./` for the folder itself. Default: only when all of it is packed. */
  readonly root?: boolean;
  /** Later times become this one: SOURCE_DATE_EPOCH, in seconds. */
  readonly clampSeconds?: number;
  /** The same for `base`: the owners that are meant there. */
  readonly baseOwner?: PackOptions['owner'] | undefined;
  /** Owners as the layer is to have them, for a tree whose ids are those of a user namespace. */
  readonly owner?: (uid: number, gid: number) => readonly [uid: number, gid: number];
  readonly signal?: AbortSignal;
}

/** Bytes that are handed on at a time, about. */
const CHUNK = 128 * 1024;

/**
 * A tree as the tar of a layer, uncompressed: names in the order of their bytes, no times but the files' own, no names of users; so that
 * the same tree gives the same bytes. Hard links are kept, holes are not, sockets are left out. The tree may be in use: what vanishes
 * is left out, a file that shrinks is filled up with zeros.
 * @throws DelosError io, and unsupported for what a layer cannot hold; what `signal` was aborted with
 */
export async function* packLayer(folder: string, options: PackOptions = {}): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let length = 0;
  try {
    for (const part of layerParts(folder, options)) {
      if (length + part.length < CHUNK) {
        parts.push(part);
        length += part.length;
        continue;
      }
      options.signal?.throwIfAborted();
      if (length > 0) yield Buffer.concat(parts);
      yield part;
      parts = [];
      length = 0;
    }
  } catch (cause) {
    if (!(cause instanceof SystemCallError)) throw cause;
    throw new DelosError('io', `the files for the layer cannot be read: ${cause.message}`, { cause, call: cause.call, errno: cause.errno });
  }
  if (length > 0) yield Buffer.concat(parts);
}

function* layerParts(folder: string, options: PackOptions): Generator<Uint8Array> {
  const changes = options.base === undefined ? undefined : changesFrom(options.base, folder, { owner: options.owner, baseOwner: options.baseOwner });
  const wantsRoot = options.root ?? (options.overlay !== true && changes === undefined);
  const tree = new Tree(folder);
  const packer = new Packer(options);
  try {
    for (const node of walk(tree)) {
      const isWanted = node.path === '' ? wantsRoot : changes === undefined || changes.wanted.has(node.path);
      yield* packer.parts(node, isWanted);
      for (const name of changes?.hidden.get(node.path) ?? []) yield whiteout(childOf(node.path, whiteoutFor(name)));
    }
  } finally {
    tree.close();
  }
  yield tarEnd();
}

interface Changes {
  /** Paths that are new or differ, and the folders around them. */
  readonly wanted: ReadonlySet<ByteString>;
  /** By folder, the names that are gone. */
  readonly hidden: ReadonlyMap<ByteString, readonly ByteString[]>;
}

function folderOf(path: ByteString): ByteString {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

function changesFrom(base: string, folder: string, owners: Pick<CompareOptions, 'owner' | 'baseOwner'>): Changes {
  const wanted = new Set<ByteString>();
  const hidden = new Map<ByteString, ByteString[]>();
  for (const { path, kind } of compareTrees(base, folder, owners)) {
    const parent = folderOf(path);
    for (let around = parent; around !== '' && !wanted.has(around); around = folderOf(around)) wanted.add(around);
    if (kind !== 'removed') wanted.add(path);
    else hidden.set(parent, [...(hidden.get(parent) ?? []), path.slice(path.lastIndexOf('/') + 1)]);
  }
  return { wanted, hidden };
}

function whiteout(name: ByteString): Buffer {
  return tarHeader(tarEntry({ name, mode: 0 }));
}

/** Makes the parts of an archive, and remembers which files it has already, for hard links. */
class Packer {
  readonly #options: PackOptions;
  readonly #packed = new Map<string, ByteString>();

  constructor(options: PackOptions) {
    this.#options = options;
  }

  *parts(node: TreeNode, isWanted: boolean): Generator<Uint8Array> {
    const { kind, path } = node;
    if (!isWanted && this.#options.overlay !== true) return;
    if (kind === 'socket') return;
    const xattrs = node.xattrs();
    const mark = this.#options.overlay === true ? overlayMark(node, xattrs) : undefined;
    const base = path.slice(path.lastIndexOf('/') + 1);
    if (mark === 'whiteout') yield whiteout(childOf(folderOf(path), whiteoutFor(base)));
    else {
      if (whiteoutOf(base) !== undefined) throw new DelosError('unsupported', `${quoted(path)} cannot be put into a layer: it would be a whiteout there`);
      if (isWanted) yield* this.#file(node, this.#entry(node, xattrs));
      if (mark === 'opaque') yield whiteout(childOf(path, OPAQUE));
    }
  }

  #entry(node: TreeNode, xattrs: ReadonlyMap<ByteString, Uint8Array>): TarEntry {
    const { mode, uid, gid, mtimeNs, rdev } = node.stat;
    const [toldUid, toldGid] = this.#options.owner?.(Number(uid), Number(gid)) ?? [Number(uid), Number(gid)];
    const kind = node.kind as Exclude<TreeNode['kind'], 'socket'>;
    const latest = this.#options.clampSeconds ?? Number.POSITIVE_INFINITY;
    const mtime = timeOf(mtimeNs);
    return tarEntry({
      name: node.path === '' ? './' : node.path, type: kind, mode: Number(mode) & 0o7777, uid: toldUid, gid: toldGid,
      mtime: mtime.seconds >= latest ? { seconds: latest, nanoseconds: 0 } : mtime,
      linkName: kind === 'symlink' ? node.link() : '',
      size: kind === 'file' ? Number(node.stat.size) : 0,
      ...(kind === 'character' || kind === 'block' ? deviceOf(rdev) : {}),
      xattrs: new Map([...xattrs].filter(([name]) => refusedXattr(name) === undefined)),
    });
  }

  *#file(node: TreeNode, entry: TarEntry): Generator<Uint8Array> {
    const { dev, ino, nlink } = node.stat;
    if (nlink > 1n && node.kind !== 'directory') {
      const first = this.#packed.get(`${dev}:${ino}`);
      if (first !== undefined) return void (yield tarHeader({ ...entry, type: 'link', linkName: first, size: 0, xattrs: new Map() }));
      this.#packed.set(`${dev}:${ino}`, node.path);
    }
    yield tarHeader(entry);
    if (node.kind !== 'file' || entry.size === 0) return undefined;
    yield* fileChunks(node.openFile(), entry.size);
    yield tarPadding(entry.size);
    return undefined;
  }
}
