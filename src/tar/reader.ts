import { quoted, type ByteString } from './byte-string.ts';
import { badArchive, BLOCK, DEFAULT_TAR_LIMITS, tarEntry, type EntryType, type Piece, type TarEntry, type TarLimits } from './entry.ts';
import { isZero, readHeader, readText, type Header } from './header.ts';
import { applyRecords, readRecords, type PaxRecord, type PaxSparse } from './pax.ts';
import { checkPieces, LeadingMap, piecesOf, readGnuMap, readGnuSize } from './sparse.ts';

/** What a {@link TarReader} tells, in the order of the archive: for each entry `entry`, `data` as often as bytes come, `end`. */
export interface TarHandler {
  entry(entry: TarEntry): void;
  /** @param bytes good only during the call @param offset where they belong in the file; what no call gives is zeros */
  data(bytes: Buffer, offset: number): void;
  end(): void;
}

const types: ReadonlyMap<string, EntryType> = new Map([
  ['0', 'file'], ['\0', 'file'], ['7', 'file'], ['S', 'file'], ['1', 'link'], ['2', 'symlink'], ['3', 'character'], ['4', 'block'], ['5', 'directory'],
  ['6', 'fifo'],
]);

/** Headers that say something of the entry behind them (x, L, K) or of all (g); and the name of a GNU volume, which says nothing. */
const METADATA = 'xgLKV';

/** What these records may not do for all entries at once. */
const NOT_GLOBAL: ReadonlySet<string> = new Set(['path', 'linkpath', 'size']);

const NO_RECORDS: readonly PaxRecord[] = [];

/**
 * Reads an archive that is pushed in pieces of any size; synchronous, so that it costs a layer nothing. It keeps a block, and one
 * entry's metadata up to the limits; file data is passed on where it lies.
 */
export class TarReader {
  readonly #handler: TarHandler;
  readonly #limits: TarLimits;
  /** Takes a whole block, or as many bytes as it likes; gives how many. */
  #state: 'header' | 'metadata' | 'gnu map' | 'leading map' | 'data' | 'skip' | 'end' = 'header';
  #offset = 0;
  readonly #block = Buffer.alloc(BLOCK);
  #filled = 0;
  #zeroBlock = false;

  #flag = '';
  #metadata: Buffer = this.#block;
  #metadataFilled = 0;
  #records: readonly PaxRecord[] = NO_RECORDS;
  #globals = new Map<string, Buffer>();
  #longName: ByteString | undefined;
  #longLink: ByteString | undefined;

  #entry: TarEntry | undefined;
  /** Of the header of the entry in work. */
  #entryOffset = 0;
  /** Bytes of data that are to come for the entry, and padding behind them. */
  #left = 0;
  #padding = 0;
  #pieces: readonly Piece[] | undefined;
  #piece = 0;
  /** Bytes of the present piece, or of a file without holes, that were passed on. */
  #done = 0;
  #gnuMap: Piece[] = [];
  #leadingMap: LeadingMap | undefined;

  constructor(handler: TarHandler, limits: Partial<TarLimits> = {}) {
    this.#handler = handler;
    this.#limits = { ...DEFAULT_TAR_LIMITS, ...limits };
  }

  /** @throws DelosError bad-archive, and what the handler throws */
  push(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let at = 0;
    while (at < bytes.length) {
      const took = this.#take(bytes, at);
      at += took;
      this.#offset += took;
      if (this.#state === 'data' && this.#left === 0) this.#finishEntry();
    }
  }

  /** Nothing more comes. @throws DelosError bad-archive when something is missing */
  finish(): void {
    if (this.#state === 'end') return;
    const waiting = this.#records !== NO_RECORDS || this.#longName !== undefined || this.#longLink !== undefined;
    if (this.#entry !== undefined) throw badArchive(`it ends within ${quoted(this.#entry.name)}`, this.#offset);
    if (this.#state !== 'header' && this.#state !== 'skip') throw badArchive('it ends within an extended header', this.#offset);
    if (this.#filled > 0) throw badArchive('it ends within a header', this.#offset);
    if (waiting) throw badArchive('it ends behind an extended header', this.#offset);
  }

  #take(bytes: Buffer, at: number): number {
    const there = bytes.length - at;
    switch (this.#state) {
      case 'data':
        return this.#takeData(bytes, at, Math.min(there, this.#left));
      case 'skip': {
        const skipped = Math.min(there, this.#padding);
        this.#padding -= skipped;
        if (this.#padding === 0) this.#state = 'header';
        return skipped;
      }
      case 'metadata':
        return this.#takeMetadata(bytes, at, there);
      case 'end':
        return there;
      default:
        return this.#takeBlock(bytes, at, there);
    }
  }

  #takeBlock(bytes: Buffer, at: number, there: number): number {
    if (this.#filled === 0 && there >= BLOCK) {
      this.#useBlock(bytes.subarray(at, at + BLOCK), this.#offset);
      return BLOCK;
    }
    const took = Math.min(there, BLOCK - this.#filled);
    bytes.copy(this.#block, this.#filled, at, at + took);
    this.#filled += took;
    if (this.#filled === BLOCK) {
      this.#filled = 0;
      this.#useBlock(this.#block, this.#offset + took - BLOCK);
    }
    return took;
  }

  #useBlock(block: Buffer, offset: number): void {
    if (this.#state === 'gnu map') {
      if (this.#gnuMap.length * 24 > this.#limits.metadata) throw badArchive(`the map of a sparse file is longer than ${this.#limits.metadata} bytes`, offset);
      if (!readGnuMap(block, false, this.#gnuMap, offset)) this.#startSparse(this.#gnuMap);
    } else if (this.#state === 'leading map') {
      this.#left -= BLOCK;
      if (this.#left < 0) throw badArchive('the map of a sparse file is longer than its data', offset);
      const pieces = this.#leadingMap?.add(block);
      if (pieces !== undefined) this.#startSparse(pieces);
    } else if (isZero(block)) {
      if (this.#zeroBlock) this.#state = 'end';
      this.#zeroBlock = true;
    } else if (this.#zeroBlock) throw badArchive('something stands behind the end of the archive', offset);
    else this.#useHeader(block, offset);
  }

  #useHeader(block: Buffer, offset: number): void {
    const header = readHeader(block, offset);
    if (METADATA.includes(header.flag)) {
      if (header.size < 0 || header.size > this.#limits.metadata) throw badArchive(`an extended header of ${header.size} bytes`, offset);
      this.#flag = header.flag;
      this.#metadata = Buffer.allocUnsafe(header.size);
      this.#metadataFilled = 0;
      this.#padding = paddingOf(header.size);
      this.#entryOffset = offset;
      this.#state = 'metadata';
      if (header.size === 0) this.#useMetadata();
      return;
    }
    this.#entryOffset = offset;
    this.#useEntry(header, block);
  }

  #takeMetadata(bytes: Buffer, at: number, there: number): number {
    const took = Math.min(there, this.#metadata.length - this.#metadataFilled);
    bytes.copy(this.#metadata, this.#metadataFilled, at, at + took);
    this.#metadataFilled += took;
    if (this.#metadataFilled === this.#metadata.length) this.#useMetadata();
    return took;
  }

  #useMetadata(): void {
    const [bytes, offset] = [this.#metadata, this.#entryOffset + BLOCK];
    if (this.#flag === 'x') this.#records = readRecords(bytes, offset);
    else if (this.#flag === 'g') this.#useGlobals(readRecords(bytes, offset), offset);
    else if (this.#flag === 'L') this.#longName = readText(bytes, 0, bytes.length);
    else if (this.#flag === 'K') this.#longLink = readText(bytes, 0, bytes.length);
    this.#metadata = this.#block;
    this.#state = this.#padding > 0 ? 'skip' : 'header';
  }

  #useGlobals(records: readonly PaxRecord[], offset: number): void {
    let sum = 0;
    for (const [key, value] of records) {
      if (NOT_GLOBAL.has(key) || key.startsWith('GNU.sparse.')) throw badArchive(`a global extended header has ${quoted(key)}`, offset);
      this.#globals.set(key, value);
    }
    for (const [key, value] of this.#globals) sum += key.length + value.length;
    if (sum > this.#limits.metadata) throw badArchive(`global extended headers of ${sum} bytes`, offset);
  }

  #useEntry(header: Header, block: Buffer): void {
    const offset = this.#entryOffset;
    const type = types.get(header.flag);
    if (type === undefined) throw badArchive(`${quoted(header.name)} is of the unknown type ${quoted(header.flag)}`, offset);
    const { name, mode, uid, gid, uname, gname, size, linkName, major, minor } = header;
    const entry = tarEntry({
      name, type, mode, uid, gid, uname, gname, size, mtime: { seconds: header.seconds, nanoseconds: 0 }, linkName, major, minor,
    });
    const sparse = this.#applyMetadata(entry);
    // Only files have data, whatever size another type has: so say pax(1) and all readers.
    this.#left = type === 'file' ? entry.size : 0;
    if (this.#left < 0) throw badArchive(`${quoted(entry.name)} has the size ${entry.size}`, offset);
    this.#padding = paddingOf(this.#left);
    if (type !== 'file') entry.size = 0;
    else if (entry.name.endsWith('/') && header.flag !== 'S') entry.type = 'directory';
    this.#entry = entry;
    this.#state = 'data';
    if (header.flag === 'S') this.#useGnuSparse(entry, block);
    else if (sparse !== undefined && type === 'file') this.#usePaxSparse(entry, sparse);
    else {
      this.#pieces = undefined;
      this.#begin();
    }
  }

  /** Puts over an entry what stood in front of it, and forgets that. */
  #applyMetadata(entry: TarEntry): PaxSparse | undefined {
    const records = this.#globals.size === 0 ? this.#records : this.#withGlobals();
    const sparse = records.length === 0 ? undefined : applyRecords(entry, records, this.#entryOffset);
    entry.name = this.#longName ?? sparse?.name ?? entry.name;
    entry.linkName = this.#longLink ?? entry.linkName;
    this.#records = NO_RECORDS;
    this.#longName = undefined;
    this.#longLink = undefined;
    const longest = Math.max(entry.name.length, entry.linkName.length);
    if (entry.name === '' || longest > this.#limits.name) {
      throw badArchive(`${quoted(entry.name)} has a name or link of ${entry.name === '' ? 0 : longest} bytes`, this.#entryOffset);
    }
    return sparse;
  }

  /** An own record counts in place of the global one, also when it is empty, which takes that back. */
  #withGlobals(): PaxRecord[] {
    const own = new Set(this.#records.map(([key]) => key));
    return [...[...this.#globals].filter(([key]) => !own.has(key)), ...this.#records];
  }

  #useGnuSparse(entry: TarEntry, block: Buffer): void {
    const size = readGnuSize(block);
    if (size === undefined || size < 0) throw badArchive(`${quoted(entry.name)} is sparse and has no size`, this.#entryOffset);
    entry.size = size;
    this.#gnuMap = [];
    if (readGnuMap(block, true, this.#gnuMap, this.#entryOffset)) this.#state = 'gnu map';
    else this.#startSparse(this.#gnuMap);
  }

  #usePaxSparse(entry: TarEntry, sparse: PaxSparse): void {
    const leading = sparse.major === '1' && sparse.minor === '0';
    if (!leading && sparse.map === undefined) throw badArchive(`${quoted(entry.name)} is sparse in an unknown way`, this.#entryOffset);
    if (sparse.size === undefined || sparse.size < 0) throw badArchive(`${quoted(entry.name)} is sparse and has no size`, this.#entryOffset);
    entry.size = sparse.size;
    if (leading) {
      this.#leadingMap = new LeadingMap(this.#limits.metadata, this.#entryOffset);
      this.#state = 'leading map';
    } else this.#startSparse(piecesOf(sparse.map ?? [], this.#entryOffset));
  }

  #startSparse(pieces: readonly Piece[]): void {
    const entry = this.#entry as TarEntry;
    entry.pieces = checkPieces(pieces, entry.size, this.#left, this.#entryOffset);
    this.#pieces = entry.pieces;
    this.#state = 'data';
    this.#begin();
  }

  #begin(): void {
    this.#piece = 0;
    this.#done = 0;
    this.#handler.entry(this.#entry as TarEntry);
  }

  #takeData(bytes: Buffer, at: number, most: number): number {
    const piece = this.#pieces?.[this.#piece];
    const took = piece === undefined ? most : Math.min(most, piece.length - this.#done);
    // A file whose name says directory has its data passed over.
    if (took > 0 && this.#entry?.type === 'file') this.#handler.data(bytes.subarray(at, at + took), (piece?.offset ?? 0) + this.#done);
    this.#left -= took;
    this.#done += took;
    if (piece !== undefined && this.#done === piece.length) {
      this.#piece++;
      this.#done = 0;
    }
    return took;
  }

  #finishEntry(): void {
    this.#entry = undefined;
    this.#state = this.#padding > 0 ? 'skip' : 'header';
    this.#handler.end();
  }
}

function paddingOf(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}
