import fs from 'node:fs';
import { AT_FDCWD, O_CLOEXEC, O_NOFOLLOW, O_PATH, O_RDONLY } from '../abi/fcntl.ts';
import { openInside, readLink } from '../layers/calls.ts';
import { statOf, timeOf } from '../layers/metadata.ts';
import { packLayer } from '../layers/pack.ts';
import { deviceOf, kindOf, type Kind } from '../layers/stat-kind.ts';
import { pathOfDescriptor, readXattrs, refusedXattr } from '../layers/xattrs.ts';
import { DelosError } from '../lib/errors.ts';
import { syscall } from '../sys/syscall.ts';
import type { ByteString } from '../tar/byte-string.ts';
import { tarEntries, type StreamedEntry } from '../tar/entries.ts';
import { tarEntry, type TarEntry } from '../tar/entry.ts';

/** What is to be copied, open. */
export interface CopySource extends Disposable {
  readonly kind: Kind;
  /** The file, or the folder and all in it, under names that count from what was named; its own name is empty. */
  entries(): AsyncGenerator<StreamedEntry>;
}

/** Bytes that are read at a time. */
const CHUNK = 256 << 10;

/**
 * Opens what a path below a root leads to. Links on the way count from the root.
 * @param follow whether a link in the last place is followed too
 * @throws SystemCallError
 */
export function openSource(root: number, path: ByteString, follow: boolean): CopySource {
  const fd = openInside(root, path, O_PATH | (follow ? 0 : O_NOFOLLOW));
  const kind = kindOf(statOf(fd).mode);
  return { kind, entries: () => (kind === 'directory' ? folderEntries(fd) : fileEntry(fd, kind)), [Symbol.dispose]: () => fs.closeSync(fd) };
}

async function* folderEntries(fd: number): AsyncGenerator<StreamedEntry> {
  for await (const entry of tarEntries(packLayer(pathOfDescriptor(fd)))) {
    const clean = (name: ByteString): ByteString => name.replace(/^\.\//, '').replace(/\/$/, '');
    yield Object.assign(entry, { name: clean(entry.name), ...(entry.type === 'link' && { linkName: clean(entry.linkName) }) });
  }
}

async function* fileEntry(fd: number, kind: Exclude<Kind, 'directory'>): AsyncGenerator<StreamedEntry> {
  if (kind === 'socket') throw new DelosError('unsupported', 'a socket cannot be copied');
  const { mode, uid, gid, mtimeNs, rdev, size } = statOf(fd);
  const entry: TarEntry = tarEntry({
    name: '', type: kind, mode: Number(mode) & 0o7777, uid: Number(uid), gid: Number(gid), mtime: timeOf(mtimeNs),
    size: kind === 'file' ? Number(size) : 0, linkName: kind === 'symlink' ? readLink(fd, '') ?? '' : '',
    ...(kind === 'character' || kind === 'block' ? deviceOf(rdev) : {}),
    xattrs: new Map([...readXattrs(fd)].filter(([name]) => refusedXattr(name) === undefined)),
  });
  yield Object.assign(entry, { data: () => contents(fd, entry.size) });
}

/** As many bytes as the file had when it was looked at, with zeros for what it has lost since. */
async function* contents(fd: number, size: number): AsyncGenerator<Uint8Array> {
  const file = syscall('openat', AT_FDCWD, pathOfDescriptor(fd), O_RDONLY | O_CLOEXEC, 0);
  try {
    for (let at = 0; at < size; ) {
      const buffer = Buffer.alloc(Math.min(CHUNK, size - at));
      const read = fs.readSync(file, buffer, 0, buffer.length, at);
      at += read === 0 ? buffer.length : read;
      yield read === 0 ? buffer : buffer.subarray(0, read);
    }
  } finally {
    fs.closeSync(file);
  }
}
