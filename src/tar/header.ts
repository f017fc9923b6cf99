import type { ByteString } from './byte-string.ts';
import { badArchive, BLOCK } from './entry.ts';
import { readNumber } from './number.ts';

/** What a header block of 512 bytes says, before anything that stood in front of it (long names, extended headers) is applied. */
export interface Header {
  name: ByteString;
  mode: number;
  uid: number;
  gid: number;
  size: number;
  seconds: number;
  /** One character; `\0` is an old way to say `0`, a file. */
  flag: string;
  linkName: ByteString;
  uname: ByteString;
  gname: ByteString;
  major: number;
  minor: number;
  /** Where a sparse file of the old GNU kind has its map; see sparse.ts. */
  gnu: boolean;
}

/** The bytes of a field up to its first NUL. */
export function readText(block: Buffer, start: number, length: number): ByteString {
  const end = block.indexOf(0, start);
  return block.toString('latin1', start, end < 0 || end > start + length ? start + length : end);
}

/** Whether a block is all zeros: two of them end an archive. */
export function isZero(block: Buffer): boolean {
  if (block[0] !== 0) return false;
  for (let at = 1; at < BLOCK; at++) if (block[at] !== 0) return false;
  return true;
}

const CHECKSUM = 148;

/** Both sums that are in use: of the bytes as unsigned and, by old programs, as signed. The checksum itself counts as blanks. */
export function checksums(block: Buffer): readonly [number, number] {
  let sum = 8 * 0x20;
  let high = 0;
  for (let at = 0; at < BLOCK; at++) {
    if (at >= CHECKSUM && at < CHECKSUM + 8) continue;
    const byte = block[at] as number;
    sum += byte;
    high += byte >> 7;
  }
  return [sum, sum - 256 * high];
}

/**
 * Reads a header of v7, ustar (POSIX.1-1988), GNU or star.
 * @param offset of the block in the archive, for messages
 * @throws DelosError bad-archive
 */
export function readHeader(block: Buffer, offset: number): Header {
  const told = readNumber(block, CHECKSUM, 8);
  const [unsigned, signed] = checksums(block);
  if (told !== unsigned && told !== signed) throw badArchive('no tar header: its checksum is wrong', offset);
  const magic = block.toString('latin1', 257, 265);
  const gnu = magic === 'ustar  \0';
  const ustar = magic.startsWith('ustar\0');
  const number = (field: string, start: number, length: number): number => {
    const value = readNumber(block, start, length);
    if (value === undefined) throw badArchive(`the header's ${field} is no number`, offset);
    return value;
  };
  const owned = gnu || ustar;
  const flag = String.fromCharCode(block[156] as number);
  const device = owned && (flag === '3' || flag === '4');
  const name = readText(block, 0, 100);
  const star = ustar && block.toString('latin1', 508, 512) === 'tar\0';
  const prefix = ustar ? readText(block, 345, star ? 131 : 155) : '';
  return {
    name: prefix === '' ? name : `${prefix}/${name}`, mode: number('mode', 100, 8) & 0o7777, uid: number('uid', 108, 8), gid: number('gid', 116, 8),
    size: number('size', 124, 12), seconds: number('mtime', 136, 12), flag, linkName: readText(block, 157, 100),
    uname: owned ? readText(block, 265, 32) : '', gname: owned ? readText(block, 297, 32) : '',
    major: device ? number('devmajor', 329, 8) : 0, minor: device ? number('devminor', 337, 8) : 0, gnu,
  };
}
