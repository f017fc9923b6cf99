import fs from 'node:fs';
import path from 'node:path';
import { timeOf } from '../layers/metadata.ts';
import { whiteoutOf } from '../layers/names.ts';
import { childOf, type TreeNode } from '../layers/walk.ts';
import { refusedXattr } from '../layers/xattrs.ts';
import { deviceOf } from '../layers/stat-kind.ts';
import { DelosError } from '../lib/errors.ts';
import { byteString, quoted, textOf, type ByteString } from '../tar/byte-string.ts';
import { tarEntry, type TarEntry, type Time } from '../tar/entry.ts';
import { isArchive, unpacked } from './added-archive.ts';
import { ROOT, type LayerView, type Owner } from './layer-view.ts';
import { sourceFiles, type Source, type SourceFile } from './source-files.ts';
import { foldersAround, type ArchiveItem } from './tree-archive.ts';

/** A file that was downloaded. */
export interface Download {
  readonly file: string;
  /** Empty when its URL has none. */
  readonly name: string;
  readonly size: number;
  /** Its time. */
  readonly seconds: number;
}

/** A COPY or ADD, its variables replaced. */
export interface CopyWish {
  readonly sources: readonly string[];
  /** Documents of the Dockerfile itself. */
  readonly documents: readonly { readonly name: string; readonly content: string }[];
  /** What ADD got from elsewhere: taken as it is, also when it is an archive. */
  readonly downloads: readonly Download[];
  /** Where to: absolute, or from the working folder. */
  readonly target: string;
  readonly workingDir: string;
  readonly owner?: Owner;
  /** Permission bits. */
  readonly mode?: number;
  /** ADD: local archives are unpacked. */
  readonly unpacks: boolean;
  /** What is made has this time. */
  readonly created: Date;
}

/**
 * What a COPY puts into a layer, folders before what they hold, those around it as they are already. Docker's rules: of a folder the
 * contents are copied; a target that ends with a slash or is a folder is copied into; links to folders in the image are followed.
 */
export class Copy {
  readonly #source: Source;
  readonly #below: LayerView;
  readonly #wish: CopyWish;
  readonly #made = new Set<ByteString>();
  readonly #now: Time;

  /** @param below the image so far */
  constructor(source: Source, below: LayerView, wish: CopyWish) {
    this.#source = source;
    this.#below = below;
    this.#wish = wish;
    this.#now = timeOf(BigInt(wish.created.getTime()) * 1_000_000n);
  }

  /** @param unpacks archives of ADD are unpacked, and not taken as they are @throws DelosError not-found, bad-usage, unsupported */
  async *items(unpacks = this.#wish.unpacks): AsyncGenerator<ArchiveItem> {
    this.#made.clear();
    const { documents, downloads, sources } = this.#wish;
    const files = sources.flatMap((word) => sourceFiles(this.#source, word));
    const isFolder = this.#targetIsFolder(files.length + documents.length + downloads.length);
    for (const { name, content } of documents) yield* this.#document(this.#targetOf(byteString(name), isFolder), content);
    for (const download of downloads) yield* this.#download(download, isFolder);
    for (const file of files) {
      if (file.kind === 'directory') yield* this.#tree(file.path, this.#target(), true);
      else yield* this.#named(file, this.#targetOf(file.name, isFolder), unpacks);
    }
  }

  /** From the root, in bytes. */
  #target(): ByteString {
    const { target, workingDir } = this.#wish;
    return byteString(target.startsWith('/') ? target : path.posix.join('/', workingDir, target));
  }

  #targetOf(name: ByteString, isFolder: boolean): ByteString {
    return isFolder ? `${this.#target()}/${name}` : this.#target();
  }

  #targetIsFolder(count: number): boolean {
    const { target } = this.#wish;
    const { kind } = this.#below.resolve(this.#target());
    const wanted = /(^|\/)\.{0,2}$/.test(target);
    if (wanted && kind !== undefined && kind !== 'directory') throw new DelosError('bad-usage', `${target} is no folder in the image`);
    if (count > 1 && !wanted && kind !== 'directory') throw new DelosError('bad-usage', `several things are to be copied: expected a folder as target, ${target}/`);
    return wanted || kind === 'directory';
  }

  async *#named(file: SourceFile, target: ByteString, unpacks: boolean): AsyncGenerator<ArchiveItem> {
    const node = this.#source.view.open(file.path);
    if (node === undefined) throw gone(file.path);
    try {
      if (unpacks && file.kind === 'file' && await isArchive(node)) yield* this.#archive(node);
      else yield* this.#file(node, target);
    } finally {
      node.close();
    }
  }

  async *#archive(node: TreeNode): AsyncGenerator<ArchiveItem> {
    const { path: target, kind } = this.#below.resolve(this.#target());
    if (kind !== undefined && kind !== 'directory') throw new DelosError('bad-usage', `${this.#wish.target} is no folder in the image`);
    yield* this.#folder(target);
    for await (const { entry, content } of unpacked(node, target)) {
      yield { entry: this.#owned(entry, entry), ...(content !== undefined && { content }) };
    }
  }

  *#document(target: ByteString, content: string): Generator<ArchiveItem> {
    const bytes = Buffer.from(content);
    yield* this.#folder(parentOf(this.#place(target)));
    yield { entry: this.#owned(tarEntry({ name: this.#place(target), size: bytes.length, mtime: this.#now }), ROOT), content: bytes };
  }

  /** As docker has it, only its owner may read it. */
  *#download({ file, name, size, seconds }: Download, isFolder: boolean): Generator<ArchiveItem> {
    if (isFolder && name === '') throw new DelosError('bad-usage', 'the URL has no name for a file: expected one as target');
    const target = this.#place(this.#targetOf(byteString(name), isFolder));
    yield* this.#folder(parentOf(target));
    const entry = tarEntry({ name: target, size, mode: 0o600, mtime: { seconds, nanoseconds: 0 } });
    yield { entry: this.#owned(entry, ROOT), content: () => fs.openSync(file, 'r') };
  }

  /** @param isTop its contents are copied: a target that is there stays as it is */
  *#tree(from: ByteString, to: ByteString, isTop: boolean): Generator<ArchiveItem> {
    const { view, ignored } = this.#source;
    const { path: target, kind } = this.#below.resolve(to);
    if (kind !== undefined && kind !== 'directory') throw new DelosError('bad-usage', `/${textOf(target)} is no folder in the image`);
    const isLeftOut = from !== '' && ignored.has(textOf(from));
    if (!isLeftOut && !(isTop && kind === 'directory')) yield* this.#newFolder(from, target);
    for (const name of view.names(from)) yield* this.#child(childOf(from, name), childOf(target, name));
  }

  *#child(from: ByteString, to: ByteString): Generator<ArchiveItem> {
    const { view, ignored } = this.#source;
    const isLeftOut = ignored.has(textOf(from));
    const kind = view.kind(from);
    if (isLeftOut && !(kind === 'directory' && ignored.hasExceptions)) return;
    if (kind === 'directory') return yield* this.#tree(from, to, false);
    const node = view.open(from);
    // It went while its folder was read.
    if (node === undefined) return;
    try {
      yield* this.#file(node, to);
    } finally {
      node.close();
    }
  }

  *#file(node: TreeNode, to: ByteString): Generator<ArchiveItem> {
    const { kind } = node;
    if (kind === 'socket') return;
    const target = this.#place(to);
    yield* this.#folder(parentOf(target));
    const entry = this.#owned(this.#entryOf(node, target), this.#source.keepsOwners ? this.#source.view.ownerOf(node) : ROOT);
    yield { entry, ...(kind === 'file' && { content: () => node.openFile() }) };
  }

  /** Where a file is going to be: its folder without links, its name as it is. */
  #place(to: ByteString): ByteString {
    const clean = to.replace(/\/+$/, '');
    const slash = clean.lastIndexOf('/');
    const folder = this.#below.resolve(clean.slice(0, Math.max(0, slash)));
    if (folder.kind !== undefined && folder.kind !== 'directory') throw new DelosError('bad-usage', `/${textOf(folder.path)} is no folder in the image`);
    const place = childOf(folder.path, clean.slice(slash + 1));
    if (this.#below.kind(place) === 'directory') throw new DelosError('bad-usage', `/${textOf(place)} is a folder in the image, and a file is to be copied there`);
    if (whiteoutOf(place.slice(place.lastIndexOf('/') + 1)) !== undefined) throw new DelosError('unsupported', `${quoted(place)} cannot be put into a layer: it would be a whiteout there`);
    return place;
  }

  *#folder(folder: ByteString): Generator<ArchiveItem> {
    yield* folderItems(this.#below, folder, this.#made, (name) => this.#withOwner(tarEntry({ name, type: 'directory', mtime: this.#now }), ROOT));
  }

  /** A folder like one of the source. */
  *#newFolder(from: ByteString, target: ByteString): Generator<ArchiveItem> {
    if (target === '') return;
    // The root of a context is a folder of the host's like any other, or a temporary one.
    if (from === '' && !this.#source.keepsOwners) return yield* this.#folder(target);
    yield* this.#folder(parentOf(target));
    const node = this.#source.view.open(from);
    if (node === undefined) throw gone(from);
    try {
      this.#made.add(target);
      yield { entry: this.#owned(this.#entryOf(node, target), this.#source.keepsOwners ? this.#source.view.ownerOf(node) : ROOT) };
    } finally {
      node.close();
    }
  }

  /** Of a context, attributes of the file system it lies in are none of the image's; capabilities are. */
  #entryOf(node: TreeNode, name: ByteString): TarEntry {
    const entry = entryOf(node, name);
    if (this.#source.keepsOwners) return entry;
    return { ...entry, xattrs: new Map([...entry.xattrs].filter(([key]) => key === 'security.capability')) };
  }

  #owned(entry: TarEntry, usual: Owner): TarEntry {
    const { mode } = this.#wish;
    return this.#withOwner({ ...entry, ...(mode !== undefined && entry.type !== 'symlink' && { mode }) }, usual);
  }

  #withOwner(entry: TarEntry, usual: Owner): TarEntry {
    const { uid, gid } = this.#wish.owner ?? usual;
    return { ...entry, uid, gid };
  }
}

/**
 * A folder and those around it, as they are in the image already, or as `fresh` makes them; each once.
 * @param folder without links
 * @param made those that are there no more to be made
 */
export function* folderItems(below: LayerView, folder: ByteString, made: Set<ByteString>, fresh: (name: ByteString) => TarEntry): Generator<ArchiveItem> {
  for (const name of folder === '' ? [] : [...foldersAround(folder), folder]) {
    if (made.has(name)) continue;
    made.add(name);
    const node = below.open(name);
    try {
      yield { entry: node?.kind === 'directory' ? { ...entryOf(node, name), ...below.ownerOf(node) } : fresh(name) };
    } finally {
      node?.close();
    }
  }
}

function parentOf(place: ByteString): ByteString {
  return place.slice(0, Math.max(0, place.lastIndexOf('/')));
}

/** A file as an archive has it, owned by root. */
function entryOf(node: TreeNode, name: ByteString): TarEntry {
  const { kind, stat: { mode, size, mtimeNs, rdev } } = node;
  if (kind === 'socket') throw new Error('assertion: sockets are left out');
  return tarEntry({
    name, type: kind, mode: Number(mode) & 0o7777, mtime: timeOf(mtimeNs), size: kind === 'file' ? Number(size) : 0,
    linkName: kind === 'symlink' ? node.link() : '', ...(kind === 'character' || kind === 'block' ? deviceOf(rdev) : {}),
    xattrs: new Map([...node.xattrs()].filter(([key]) => refusedXattr(key) === undefined)),
  });
}

function gone(place: ByteString): DelosError {
  return new DelosError('io', `/${textOf(place)} went while it was read`);
}

/** Of a file: what it holds, as text, at most a mebibyte; empty when it is not there. */
export function readText(view: LayerView, place: string): string {
  const { path: found, kind } = view.resolve(byteString(place));
  const node = kind === 'file' ? view.open(found) : undefined;
  if (node === undefined) return '';
  const fd = node.openFile();
  try {
    const buffer = Buffer.alloc(1 << 20);
    return buffer.toString('utf8', 0, fs.readSync(fd, buffer, 0, buffer.length, 0));
  } finally {
    fs.closeSync(fd);
    node.close();
  }
}
