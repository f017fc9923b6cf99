/**
 * Decoded instructions, page by page of physical memory. A record stays right as long as the bytes that it was decoded from are the same: writes to
 * them make it stale, and it is decoded anew when it is next come to.
 */

import { decode, type CodeSize, type Decoded, type DecodeFault } from '../decode.ts';
import { CODE_TLB, CODE_TLB_ENTRIES, PAGE_TABLE_COUNT, PAGE_TABLE_SIZE, PAGE_TABLES, RECORD, RECORD_BITS, RECORD_COUNT, RECORD_SIZE, RECORDS } from '../layout.ts';
import type { SpecialHandler } from '../emit/special.ts';
import { Handlers } from './handlers.ts';
import { LocalEntries } from './local-entries.ts';
import { writeRecord } from './record.ts';

const codeTlbEnd = CODE_TLB + 16 * CODE_TLB_ENTRIES;

/** Instructions that are decoded ahead before somebody comes to them. */
const runLength = 32;
/** Bytes of code are marked in lines of so many. */
const lineBytes = 64;
const maxInstruction = 15;
/** What is left when it is full: enough for the block that runs then. */
const spareTables = 16;
const spareRecords = 1024;

interface CodePage {
  /** Number of the physical page. */
  readonly number: number;
  /** Address of its table of records for each code size, once there is one. */
  readonly tables: Map<CodeSize, number>;
  /** A bit for each line that holds code. */
  lines: bigint;
  /** Addresses of all records made from its bytes. */
  records: number[];
}

export class CodeCache {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #local: LocalEntries;
  readonly #handlers: Handlers;
  readonly #pages = new Map<number, CodePage>();
  readonly #straddles = new Map<string, number>();
  readonly #firstWrite: () => void;
  readonly #forgotten: (page: number | undefined) => void;
  #tables = 0;
  #records = 0;

  /**
   * @param firstWrite called when a page holds code for the first time: nobody may write to it unseen from now on
   * @param forgotten called when all records of a page have become stale, or those of all pages
   */
  constructor(memory: WebAssembly.Memory, handlers: Handlers, firstWrite: () => void, forgotten: (page: number | undefined) => void) {
    this.#view = new DataView(memory.buffer);
    this.#bytes = new Uint8Array(memory.buffer);
    this.#local = new LocalEntries(new Uint32Array(memory.buffer), CODE_TLB, codeTlbEnd);
    this.#handlers = handlers;
    this.#firstWrite = firstWrite;
    this.#forgotten = forgotten;
    this.flushTranslations();
  }

  hasCode(page: number): boolean {
    return this.#pages.has(page);
  }

  /** Forgets which linear pages are where. */
  flushTranslations(): void {
    this.#bytes.fill(0xff, CODE_TLB, codeTlbEnd);
    this.#local.clear();
  }

  /** Forgets all but what is global. */
  flushLocal(): void {
    this.#local.forget();
  }

  /** Forgets where one page is. */
  flushPage(low: number): void {
    this.#view.setBigInt64(CODE_TLB + (((low >>> 12) & (CODE_TLB_ENTRIES - 1)) << 4), -1n, true);
  }

  /** There is room for little more: it wants to be cleared before anything is run again. */
  get full(): boolean {
    return this.#tables + spareTables > PAGE_TABLE_COUNT || this.#records + spareRecords > RECORD_COUNT;
  }

  /** Forgets everything. Not while a record runs: it may still write to itself. */
  clear(): void {
    this.#bytes.fill(0, PAGE_TABLES, PAGE_TABLES + PAGE_TABLE_SIZE * this.#tables);
    this.#pages.clear();
    this.#straddles.clear();
    this.#tables = 0;
    this.#records = 0;
    this.#forgotten(undefined);
    this.flushTranslations();
  }

  /**
   * The record of the instruction at a physical address, decoded now if it has not been before.
   * @param host where the first byte of its page is in the WebAssembly.Memory
   */
  find(pageNumber: number, host: number, offset: number, size: CodeSize): { table: number; record: number } {
    const page = this.#page(pageNumber);
    const table = this.#table(page, size);
    const known = this.#view.getUint32(table + 4 * offset, true);
    return { table, record: known === 0 ? this.#decodeRun(page, table, host, offset, size) : known };
  }

  /** So that a jump finds the table of a linear page without asking. */
  remember(low: number, high: number, mode: number, table: number, global: boolean): void {
    const entry = CODE_TLB + (((low >>> 12) & (CODE_TLB_ENTRIES - 1)) << 4);
    this.#view.setUint32(entry, ((low & ~0xfff) | mode) >>> 0, true);
    this.#view.setUint32(entry + 4, high, true);
    this.#view.setUint32(entry + 8, table, true);
    this.#view.setUint32(entry + 12, global ? 1 : 0, true);
    if (!global) this.#local.add(entry >>> 2);
  }

  /** An instruction whose bytes are in two pages, followed by a way on into the second. */
  straddling(first: number, second: number, offset: number, bytes: Uint8Array, size: CodeSize): number {
    const key = `${first} ${second} ${offset} ${size}`;
    const known = this.#straddles.get(key);
    if (known !== undefined && this.#view.getUint16(known, true) !== this.#handlers.special('stale')) return known;
    const decoded = decode(bytes, size);
    const record = this.#nextRecord();
    const pages = [this.#page(first), this.#page(second)];
    this.#write(record, offset, decoded === 'short' ? 'invalid' : decoded, size);
    const length = typeof decoded === 'string' ? 1 : decoded.length;
    this.#special(this.#nextRecord(), 'pageEnd', offset + length);
    for (const page of pages) page.records.push(record);
    this.#mark(pages[0] as CodePage, offset, 0x1000);
    this.#mark(pages[1] as CodePage, 0, maxInstruction);
    this.#straddles.set(key, record);
    return record;
  }

  /** Physical bytes are about to change: what was decoded from their page is stale, if they hold code. */
  written(physical: number, length: number): void {
    for (let at = physical; at < physical + length; at = (Math.floor(at / 4096) + 1) * 4096) {
      const page = this.#pages.get(Math.floor(at / 4096));
      if (page === undefined) continue;
      const from = at % 4096;
      if ((page.lines & lineMask(from, Math.min(4096, from + physical + length - at))) !== 0n) this.#makeStale(page);
    }
  }

  #makeStale(page: CodePage): void {
    const stale = this.#handlers.special('stale');
    for (const record of page.records) this.#view.setUint16(record, stale, true);
    for (const table of page.tables.values()) this.#bytes.fill(0, table, table + PAGE_TABLE_SIZE);
    page.records = [];
    page.lines = 0n;
    this.#forgotten(page.number);
  }

  #page(number: number): CodePage {
    const known = this.#pages.get(number);
    if (known !== undefined) return known;
    const page: CodePage = { number, tables: new Map(), lines: 0n, records: [] };
    this.#pages.set(number, page);
    this.#firstWrite();
    return page;
  }

  #table({ tables }: CodePage, size: CodeSize): number {
    const known = tables.get(size);
    if (known !== undefined) return known;
    const table = PAGE_TABLES + PAGE_TABLE_SIZE * this.#tables++;
    tables.set(size, table);
    return table;
  }

  #nextRecord(): number {
    return RECORDS + RECORD_SIZE * this.#records++;
  }

  #mark(page: CodePage, from: number, to: number): void {
    page.lines |= lineMask(from, Math.min(to, 4096));
  }

  /** Decodes from `offset` on, up to the end of the page, of the run, or to what is decoded already. */
  #decodeRun(page: CodePage, table: number, host: number, offset: number, size: CodeSize): number {
    const first = RECORDS + RECORD_SIZE * this.#records;
    let at = offset;
    for (let count = 0; ; count++) {
      const record = this.#nextRecord();
      page.records.push(record);
      if (at >= 4096 || count === runLength || (count > 0 && this.#view.getUint32(table + 4 * at, true) !== 0)) {
        this.#special(record, at >= 4096 ? 'pageEnd' : 'goTo', at);
        break;
      }
      const bytes = this.#bytes.subarray(host + at, host + Math.min(4096, at + maxInstruction));
      const decoded = decode(bytes, size);
      this.#view.setUint32(table + 4 * at, record, true);
      const crosses = decoded === 'short';
      this.#write(record, at, decoded, size);
      const length = typeof decoded === 'string' ? (crosses ? 4096 - at : 1) : decoded.length;
      at += length;
      if (typeof decoded === 'string' || decoded.instruction.ends === true) break;
    }
    this.#mark(page, offset, at);
    return first;
  }

  #write(record: number, offset: number, decoded: Decoded | DecodeFault, size: CodeSize): void {
    if (decoded === 'short') this.#special(record, 'straddle', offset);
    else if (decoded === 'invalid') this.#special(record, 'invalid', offset);
    else if (decoded === 'long') this.#special(record, 'tooLong', offset);
    else {
      writeRecord(this.#view, record, this.#handlers.of(decoded, size === 64), offset, decoded);
      this.#markLocal(record, offset, decoded);
    }
  }

  /** A jump within the page may keep the record it goes to. */
  #markLocal(record: number, offset: number, { operands, length, operandSize, instruction }: Decoded): void {
    if (instruction.ends === true) this.#view.setUint8(record + RECORD.bits, this.#view.getUint8(record + RECORD.bits) | RECORD_BITS.ends);
    const [distance] = operands;
    if (distance?.kind !== 'immediate' || !instruction.operands[0]?.startsWith('J') || operandSize === 16) return;
    const target = offset + length + Number(BigInt.asIntN(64, distance.value));
    if (target >= 0 && target < 4096) this.#view.setUint8(record + RECORD.bits, this.#view.getUint8(record + RECORD.bits) | RECORD_BITS.local);
  }

  #special(record: number, name: SpecialHandler, offset: number): void {
    this.#view.setUint16(record + RECORD.handler, this.#handlers.special(name), true);
    this.#view.setUint16(record + RECORD.offset, offset, true);
    this.#view.setUint8(record + RECORD.length, 0);
    this.#view.setUint32(record + RECORD.immediate, Handlers.vector(name), true);
  }
}

/** The lines of the bytes from `from` up to `to`. */
function lineMask(from: number, to: number): bigint {
  const first = Math.floor(from / lineBytes);
  const last = Math.floor((to - 1) / lineBytes);
  return ((1n << BigInt(last - first + 1)) - 1n) << BigInt(first);
}
