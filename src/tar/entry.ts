import { DelosError } from '../lib/errors.ts';
import type { ByteString } from './byte-string.ts';

export type EntryType = 'file' | 'link' | 'symlink' | 'character' | 'block' | 'directory' | 'fifo';

/** A time since the epoch: whole seconds, negative before 1970, and 0 to 999999999 nanoseconds after them. */
export interface Time {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** Bytes of a sparse file that are there; all else of it is zeros. */
export interface Piece {
  readonly offset: number;
  readonly length: number;
}

/** One file of an archive. Names are as the archive has them: absolute, with `..`, with a slash at the end, as it likes. */
export interface TarEntry {
  name: ByteString;
  type: EntryType;
  /** The twelve permission bits. */
  mode: number;
  uid: number;
  gid: number;
  uname: ByteString;
  gname: ByteString;
  /** Length of the file, holes included; 0 for all but files. */
  size: number;
  mtime: Time;
  /** Of a `link` the name of another entry, of a `symlink` its text; else empty. */
  linkName: ByteString;
  /** Of a `character` or `block` device. */
  major: number;
  minor: number;
  /** Extended attributes, in the order of the archive. */
  xattrs: ReadonlyMap<ByteString, Uint8Array>;
  /** Of a sparse file: what there is of it, ascending, not overlapping, within `size`. */
  pieces: readonly Piece[] | undefined;
}

/** What a reader keeps in memory at most, in bytes; more is refused. */
export interface TarLimits {
  /** An extended header, a long name, a map of a sparse file. */
  readonly metadata: number;
  /** A name or the target of a link: PATH_MAX with its NUL. */
  readonly name: number;
}

export const DEFAULT_TAR_LIMITS: TarLimits = { metadata: 1024 * 1024, name: 4095 };

export const BLOCK = 512;

const NO_XATTRS: ReadonlyMap<ByteString, Uint8Array> = new Map();

/** An entry with all that the caller left out: mode 0644 or 0755, owned by root, of 1970, empty. */
export function tarEntry(given: Partial<TarEntry> & { name: ByteString }): TarEntry {
  const type = given.type ?? 'file';
  return {
    type, mode: type === 'directory' ? 0o755 : 0o644, uid: 0, gid: 0, uname: '', gname: '', size: 0, mtime: { seconds: 0, nanoseconds: 0 }, linkName: '',
    major: 0, minor: 0, xattrs: NO_XATTRS, pieces: undefined, ...given,
  };
}

/** The archive is not valid. @param offset of the header or record in the uncompressed archive, in bytes */
export function badArchive(what: string, offset: number): DelosError {
  return new DelosError('bad-archive', `the archive at byte ${offset}: ${what}`);
}
