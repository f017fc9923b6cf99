import { badArchive, BLOCK, type Piece } from './entry.ts';
import { readDecimal, readNumber } from './number.ts';

/**
 * Sparse files as GNU tar keeps them ("Storing Sparse Files" of its manual). A file's data in the archive is its pieces, one behind the
 * other; a map tells where each belongs. Old GNU has the map in the header and blocks behind it, PAX 0.0 and 0.1 in records, and 1.0
 * in front of the data.
 */

/** Pairs of numbers as pieces. @throws DelosError bad-archive for an odd count or what is no number */
export function piecesOf(numbers: readonly string[], offset: number): Piece[] {
  const values = numbers.map(readDecimal);
  if (values.length % 2 !== 0 || values.includes(undefined)) throw badArchive('the map of a sparse file is not pairs of numbers', offset);
  const pieces: Piece[] = [];
  for (let at = 0; at < values.length; at += 2) pieces.push({ offset: values[at] as number, length: values[at + 1] as number });
  return pieces;
}

/**
 * The pieces that hold anything, once they are found to fit.
 * @param size of the file with its holes
 * @param stored bytes of data in the archive
 * @throws DelosError bad-archive unless the pieces ascend, do not overlap, lie within `size` and sum up to `stored`
 */
export function checkPieces(pieces: readonly Piece[], size: number, stored: number, offset: number): Piece[] {
  let end = 0;
  let sum = 0;
  for (const piece of pieces) {
    const fits = piece.offset >= end && piece.length >= 0 && piece.offset + piece.length <= size;
    if (!fits) throw badArchive('the map of a sparse file does not fit the file', offset);
    end = piece.offset + piece.length;
    sum += piece.length;
  }
  if (sum !== stored) throw badArchive(`the map of a sparse file has ${sum} bytes, the archive ${stored}`, offset);
  return pieces.filter(({ length }) => length > 0);
}

const PAIR = 24;
const HEADER_MAP = { at: 386, pairs: 4, more: 482 };
const BLOCK_MAP = { at: 0, pairs: 21, more: 504 };

/** Adds what one block of an old GNU map says. @returns whether another block follows */
export function readGnuMap(block: Buffer, isHeader: boolean, pieces: Piece[], offset: number): boolean {
  const { at, pairs, more } = isHeader ? HEADER_MAP : BLOCK_MAP;
  for (let pair = 0; pair < pairs; pair++) {
    const start = at + pair * PAIR;
    // The first empty pair ends the map.
    if (block[start] === 0 && block[start + 12] === 0) break;
    const from = readNumber(block, start, 12);
    const length = readNumber(block, start + 12, 12);
    if (from === undefined || length === undefined) throw badArchive('the map of a sparse file is not pairs of numbers', offset);
    pieces.push({ offset: from, length });
  }
  return block[more] === 1;
}

/** The size with holes of an old GNU sparse file, from its header. */
export function readGnuSize(block: Buffer): number | undefined {
  return readNumber(block, 483, 12);
}

/** The map of format 1.0, collected block by block in front of the data: a count, then pairs, each number a line. */
export class LeadingMap {
  readonly #most: number;
  readonly #offset: number;
  readonly #numbers: string[] = [];
  #rest = '';
  #bytes = 0;

  /** @param most bytes of map that are taken */
  constructor(most: number, offset: number) {
    this.#most = most;
    this.#offset = offset;
  }

  /** Bytes of blocks that were taken. */
  get bytes(): number {
    return this.#bytes;
  }

  /** @returns the pieces when this block completes them */
  add(block: Buffer): Piece[] | undefined {
    this.#bytes += BLOCK;
    if (this.#bytes > this.#most) throw badArchive(`the map of a sparse file is longer than ${this.#most} bytes`, this.#offset);
    const lines = (this.#rest + block.toString('latin1')).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (this.#wanted === this.#numbers.length) break;
      this.#numbers.push(line);
    }
    return this.#wanted === this.#numbers.length ? piecesOf(this.#numbers.slice(1), this.#offset) : undefined;
  }

  /** Numbers that the map has with its count, as far as that is known. */
  get #wanted(): number {
    if (this.#numbers.length === 0) return Number.POSITIVE_INFINITY;
    const count = readDecimal(this.#numbers[0] as string);
    if (count === undefined || count < 0) throw badArchive('the map of a sparse file is not pairs of numbers', this.#offset);
    return 1 + 2 * count;
  }
}
