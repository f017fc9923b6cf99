import type { ByteString } from './byte-string.ts';
import { badArchive, type TarEntry } from './entry.ts';
import { readDecimal, readTime } from './number.ts';

/** One record of an extended header: the value is bytes. */
export type PaxRecord = readonly [key: string, value: Buffer];

/**
 * The records of an extended header (POSIX.1-2001, pax, "Extended Header"): `LENGTH KEY=VALUE\n`, LENGTH counting all of it.
 * The values point into `bytes`.
 * @param offset of `bytes` in the archive
 * @throws DelosError bad-archive
 */
export function readRecords(bytes: Buffer, offset: number): PaxRecord[] {
  const records: PaxRecord[] = [];
  for (let at = 0; at < bytes.length; ) {
    const blank = bytes.indexOf(0x20, at);
    const digits = blank < 0 || blank - at > 8 ? '' : bytes.toString('latin1', at, blank);
    const length = /^[1-9]\d*$/.test(digits) ? Number(digits) : 0;
    const end = at + length;
    const equals = bytes.indexOf(0x3d, at);
    if (blank < 0 || end > bytes.length || equals <= blank + 1 || equals >= end - 1 || bytes[end - 1] !== 0x0a) {
      throw badArchive('a record of an extended header is not "LENGTH KEY=VALUE"', offset + at);
    }
    records.push([bytes.toString('latin1', blank + 1, equals), bytes.subarray(equals + 1, end - 1)]);
    at = end;
  }
  return records;
}

/** What a sparse file's records say of it; see sparse.ts. */
export interface PaxSparse {
  major: string | undefined;
  minor: string | undefined;
  name: ByteString | undefined;
  size: number | undefined;
  /** offset, length, offset, length ... of the formats 0.0 and 0.1. */
  map: string[] | undefined;
}

type Setter = (entry: TarEntry, value: Buffer) => boolean;

const text = (field: 'name' | 'linkName' | 'uname' | 'gname'): Setter => (entry, value) => {
  // An empty value takes a record of a global header back (pax): what the header says counts.
  if (value.length > 0) entry[field] = value.toString('latin1');
  return !value.includes(0);
};

const number = (field: 'uid' | 'gid' | 'size'): Setter => (entry, value) => {
  if (value.length === 0) return true;
  const found = readDecimal(value.toString('latin1'));
  if (found === undefined || found < 0) return false;
  entry[field] = found;
  return true;
};

const mtime: Setter = (entry, value) => {
  if (value.length === 0) return true;
  const found = readTime(value.toString('latin1'));
  if (found !== undefined) entry.mtime = found;
  return found !== undefined;
};

const setters: ReadonlyMap<string, Setter> = new Map([
  ['path', text('name')], ['linkpath', text('linkName')], ['uname', text('uname')], ['gname', text('gname')],
  ['uid', number('uid')], ['gid', number('gid')], ['size', number('size')], ['mtime', mtime],
]);

const SCHILY = 'SCHILY.xattr.';
const LIBARCHIVE = 'LIBARCHIVE.xattr.';
const SPARSE = 'GNU.sparse.';

/** What LIBARCHIVE.xattr records hold: the name in URL encoding, the value in base 64. */
function libarchiveXattr(key: string, value: Buffer): readonly [ByteString, Uint8Array] {
  const name = key.slice(LIBARCHIVE.length).replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return [name, Buffer.from(value.toString('latin1'), 'base64')];
}

function sparseRecord(sparse: PaxSparse, key: string, value: string): void {
  if (key === 'major') sparse.major = value;
  else if (key === 'minor') sparse.minor = value;
  else if (key === 'name') sparse.name = value;
  else if (key === 'size' || key === 'realsize') sparse.size = readDecimal(value) ?? -1;
  else if (key === 'map') sparse.map = value === '' ? [] : value.split(',');
  // 0.0 has a record for each number, in turns. Our own joiner makes a missing half of a pair show.
  else if (key === 'offset' || key === 'numbytes') (sparse.map ??= []).push(value);
}

/**
 * Puts an extended header's records over what the header said.
 * @returns what they say of holes, when they do
 * @throws DelosError bad-archive
 */
export function applyRecords(entry: TarEntry, records: readonly PaxRecord[], offset: number): PaxSparse | undefined {
  let sparse: PaxSparse | undefined;
  let xattrs: Map<ByteString, Uint8Array> | undefined;
  for (const [key, value] of records) {
    const setter = setters.get(key);
    if (setter !== undefined) {
      if (!setter(entry, value)) throw badArchive(`the extended header's ${key} is not valid`, offset);
    } else if (key.startsWith(SCHILY)) (xattrs ??= new Map<ByteString, Uint8Array>()).set(key.slice(SCHILY.length), value);
    else if (key.startsWith(LIBARCHIVE)) {
      const [name, bytes] = libarchiveXattr(key, value);
      // The same attribute comes in both spellings from libarchive; SCHILY's needs no decoding.
      xattrs ??= new Map<ByteString, Uint8Array>();
      if (!xattrs.has(name)) xattrs.set(name, bytes);
    } else if (key.startsWith(SPARSE)) {
      sparse ??= { major: undefined, minor: undefined, name: undefined, size: undefined, map: undefined };
      sparseRecord(sparse, key.slice(SPARSE.length), value.toString('latin1'));
    }
  }
  if (xattrs !== undefined) entry.xattrs = xattrs;
  return sparse;
}
