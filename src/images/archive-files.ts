import fs from 'node:fs';
import path from 'node:path';
import { decompressed } from '../layers/decompress.ts';
import { DelosError } from '../lib/errors.ts';
import { shown } from '../registry/shown.ts';
import { textOf } from '../tar/byte-string.ts';
import { tarEntries } from '../tar/entries.ts';
import { cannot } from './durable.ts';
import { lockNew } from './file-lock.ts';
import type { ImageStore } from './store.ts';

/** The files of a saved image, by their names. Disposing of it removes what was laid down for it. */
export interface ArchiveFiles extends Disposable {
  readonly place: string;
  has(name: string): boolean;
  /** @throws DelosError bad-archive when it is not there or longer than `most` bytes */
  read(name: string, most: number): Buffer;
  /** @throws DelosError bad-archive when it is not there */
  size(name: string): number;
  open(name: string, start: number): AsyncIterable<Uint8Array>;
}

const mostEntries = 100_000;
const mostLinks = 10;

/** The files of a folder. */
export function folderFiles(folder: string): ArchiveFiles {
  return filesBy(folder, (name) => {
    const file = path.join(folder, name);
    return path.relative(folder, file).startsWith('..') ? undefined : file;
  }, () => undefined);
}

/**
 * The files of a tar archive, packed or not. They are laid down in the store's working folder, under numbers: nothing in the archive
 * says where.
 * @param mostBytes of all files together
 * @throws DelosError bad-archive, too-large, io
 */
export async function archiveFiles(store: ImageStore, source: AsyncIterable<Uint8Array>, place: string, mostBytes: number): Promise<ArchiveFiles> {
  const { file: lockPath, lock } = lockNew(path.join(store.root, 'unpacking', 'load'), '.lock');
  const folder = lockPath.slice(0, -'.lock'.length);
  const remove = (): void => {
    fs.rmSync(folder, { recursive: true, force: true });
    fs.rmSync(lockPath, { force: true });
    lock[Symbol.dispose]();
  };
  try {
    fs.mkdirSync(folder, { mode: 0o700 });
    const named = await layDown(source, folder, mostBytes);
    return filesBy(place, (name) => resolved(named, name), remove);
  } catch (error) {
    remove();
    throw error instanceof Error && 'syscall' in error ? cannot(folder, 'written', error) : error;
  }
}

type Named = Map<string, { readonly file: string } | { readonly link: string }>;

async function layDown(source: AsyncIterable<Uint8Array>, folder: string, mostBytes: number): Promise<Named> {
  const named: Named = new Map();
  let left = mostBytes;
  let count = 0;
  for await (const entry of tarEntries(decompressed(source))) {
    if (++count > mostEntries) throw new DelosError('too-large', `the archive has more than ${mostEntries} entries`);
    const name = normal(textOf(entry.name));
    const linkName = textOf(entry.linkName);
    if (entry.type === 'symlink') named.set(name, { link: normal(path.posix.join(path.posix.dirname(name), linkName)) });
    else if (entry.type === 'link') named.set(name, { link: normal(linkName) });
    if (entry.type !== 'file') continue;
    left -= entry.size;
    if (left < 0) throw new DelosError('too-large', `the archive holds more than ${mostBytes} bytes`);
    const file = path.join(folder, String(count));
    await fs.promises.writeFile(file, entry.data(), { mode: 0o600, flag: 'wx' });
    named.set(name, { file });
  }
  return named;
}

function normal(name: string): string {
  return path.posix.normalize(name).replace(/^(\.\/|\/)+/, '');
}

/** Old archives of docker have a layer that several images share once, and links to it. */
function resolved(named: Named, name: string): string | undefined {
  let found = named.get(normal(name));
  for (let count = 0; found !== undefined && 'link' in found && count < mostLinks; count++) found = named.get(found.link);
  return found !== undefined && 'file' in found ? found.file : undefined;
}

function filesBy(place: string, fileOf: (name: string) => string | undefined, remove: () => void): ArchiveFiles {
  const stat = (name: string): { file: string; size: number } | undefined => {
    const file = fileOf(name);
    const found = file === undefined ? undefined : fs.statSync(file, { throwIfNoEntry: false });
    return found?.isFile() === true ? { file: file as string, size: found.size } : undefined;
  };
  const need = (name: string): { file: string; size: number } => {
    const found = stat(name);
    if (found === undefined) throw new DelosError('bad-archive', `${place} has no file ${shown(name)}`);
    return found;
  };
  return {
    place,
    has: (name) => stat(name) !== undefined,
    size: (name) => need(name).size,
    read(name, most) {
      const { file, size } = need(name);
      if (size > most) throw new DelosError('bad-archive', `${place}: ${shown(name)} has ${size} bytes, at most ${most} are allowed`);
      return fs.readFileSync(file);
    },
    open: (name, start) => fs.createReadStream(need(name).file, { start, highWaterMark: 256 << 10 }),
    [Symbol.dispose]: remove,
  };
}
