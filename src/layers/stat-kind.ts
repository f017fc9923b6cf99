import fs from 'node:fs';
import { DelosError } from '../lib/errors.ts';
import type { EntryType } from '../tar/entry.ts';

/** Sockets have no place in an archive. */
export type Kind = Exclude<EntryType, 'link'> | 'socket';

const kinds: ReadonlyMap<number, Kind> = new Map([
  [fs.constants.S_IFREG, 'file'], [fs.constants.S_IFLNK, 'symlink'], [fs.constants.S_IFDIR, 'directory'], [fs.constants.S_IFCHR, 'character'],
  [fs.constants.S_IFBLK, 'block'], [fs.constants.S_IFIFO, 'fifo'], [fs.constants.S_IFSOCK, 'socket'],
]);

/** What kind of file a mode of stat(2) says. */
export function kindOf(mode: bigint): Kind {
  const kind = kinds.get(Number(mode) & fs.constants.S_IFMT);
  if (kind === undefined) throw new DelosError('io', `a file has the unknown mode 0${mode.toString(8)}`);
  return kind;
}

/** Major and minor of stat(2)'s st_rdev: include/linux/kdev_t.h, new_decode_dev() and what glibc puts above. */
export function deviceOf(rdev: bigint): { readonly major: number; readonly minor: number } {
  return { major: Number((rdev >> 8n) & 0xfffn), minor: Number((rdev & 0xffn) | ((rdev >> 12n) & 0xfff00n)) };
}
