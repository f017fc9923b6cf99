import { openSource } from '../../containers/copy-source.ts';
import { CopyTarget, kindAt, type OwnerOf } from '../../containers/copy-target.ts';
import { unless } from '../../layers/calls.ts';
import { decompressed } from '../../layers/decompress.ts';
import { DelosError } from '../../lib/errors.ts';
import { SystemCallError } from '../../sys/syscall.ts';
import type { ByteString } from '../../tar/byte-string.ts';
import { tarEntries, type StreamedEntry } from '../../tar/entries.ts';
import type { Invocation, Values } from '../../vocabulary/flags.ts';
import { placesOf, type globalFlags } from './context.ts';
import { parseCopyWord } from './copy-place.ts';
import { openSide, type CopySide } from './copy-side.ts';
import { archiveOf } from './entries-archive.ts';
import type { cpFlags } from './image-flags.ts';
import { readArchive } from './input-file.ts';
import { writeArchive } from './output-file.ts';

/** `delos cp`. */
export async function run({ flags, globals, positional: [from = '', to = ''] }: Invocation<typeof cpFlags, typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  const [source, target] = [parseCopyWord(from), parseCopyWord(to)];
  if ((source.kind === 'container') === (target.kind === 'container')) {
    throw new DelosError('bad-usage', `expected one of the two to be CONTAINER:PATH, found ${source.kind === 'container' ? 'both' : 'none'}`);
  }
  try {
    using opened = source.kind === 'stream' ? undefined : openSide(places, source, from);
    using into = target.kind === 'stream' ? undefined : openSide(places, target, to);
    if (opened === undefined) await unpackStdin(into as CopySide);
    else await copy(opened, into, flags);
  } catch (cause) {
    if (!(cause instanceof SystemCallError)) throw cause;
    throw new DelosError('io', `${from} cannot be copied to ${to}: ${cause.message}`, { cause, call: cause.call, errno: cause.errno });
  }
  return 0;
}

/** @param target nothing for stdout */
async function copy(source: CopySide, target: CopySide | undefined, flags: Values<typeof cpFlags>): Promise<void> {
  const { path, base, isFolder, isContents } = source.place;
  using opened = unless(['ENOENT'], () => openSource(source.root, path, flags['follow-link'] || isFolder));
  if (opened === undefined) throw new DelosError('io', `${source.text}: there is no such file or folder`);
  const isTree = opened.kind === 'directory';
  if (isFolder && !isTree) throw new DelosError('io', `${source.text} is no folder`);
  const name = isContents ? '' : base;
  const entries = withOwners(opened.entries(), source.meant);
  if (target === undefined) return await writeArchive(undefined, archiveOf(under(name, entries)));
  const { folder, newName } = destination(target, isTree, name);
  const writer = new CopyTarget(target.root, flags.archive ? target.told : target.owner);
  return await writer.write(folder, under(newName, entries));
}

/** Where files are to be written, and under which name; an empty one for what is in a folder. */
function destination({ root, place, text }: CopySide, isTree: boolean, name: ByteString): { folder: ByteString; newName: ByteString } {
  const kind = kindAt(root, place.path);
  if (kind === 'directory') return { folder: place.path, newName: name };
  const parent = place.path.slice(0, Math.max(0, place.path.lastIndexOf('/')));
  if (kind === undefined && kindAt(root, parent) !== 'directory') throw new DelosError('io', `${text}: the folder around it does not exist`);
  if (kind !== undefined && isTree) throw new DelosError('io', `${text} is no folder: a folder cannot be copied to it`);
  if (place.isFolder && !isTree) throw new DelosError('io', `${text} is no folder`);
  return { folder: parent, newName: place.base };
}

/** The owners are those of the archive. */
async function unpackStdin({ root, place, text, told }: CopySide): Promise<void> {
  if (kindAt(root, place.path) !== 'directory') throw new DelosError('io', `${text} is no folder: an archive is unpacked into one`);
  await new CopyTarget(root, told).write(place.path, tarEntries(decompressed(readArchive('-'))));
}

async function* under(name: ByteString, entries: AsyncIterable<StreamedEntry>): AsyncGenerator<StreamedEntry> {
  const named = (own: ByteString): ByteString => (own === '' ? name : name === '' ? own : `${name}/${own}`);
  for await (const entry of entries) yield Object.assign(entry, { name: named(entry.name), ...(entry.type === 'link' && { linkName: named(entry.linkName) }) });
}

async function* withOwners(entries: AsyncIterable<StreamedEntry>, meant: OwnerOf): AsyncGenerator<StreamedEntry> {
  for await (const entry of entries) {
    const [uid, gid] = meant?.(entry.uid, entry.gid) ?? [entry.uid, entry.gid];
    yield Object.assign(entry, { uid, gid });
  }
}
