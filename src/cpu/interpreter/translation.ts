/** The TLB that emitted code reads, and every access that it can't serve: misses, device registers, page crossings, pages that hold code. */

import { INTERNAL, internal, SCRATCH, TLB_ENTRIES, TLB_READ, TLB_WRITE } from '../layout.ts';
import { EFER_LMA, USER, walk, Walk, WRITE, type PagingMode } from '../paging.ts';
import type { PhysicalMemory } from '../physical.ts';
import type { DataBreakpoints } from '../system/breakpoints.ts';
import type { Outside } from '../system/processor.ts';
import { LocalEntries } from './local-entries.ts';

type Bytes = 1 | 2 | 4;

/** What is to be done with the bytes at the scratch place when a store to it has been made. */
interface PendingStore {
  size: number;
  first: number;
  /** Where the bytes behind a page's end go; -1 when there are none. */
  second: number;
  firstBytes: number;
}

export interface TranslationOwner {
  readonly paging: PagingMode;
  /** The tag's bits for what runs now; USER for level 3. */
  readonly user: boolean;
  /** Level 3 with CR0.AM and RFLAGS.AC. */
  readonly aligned: boolean;
  readonly watched: DataBreakpoints;
  /** Bits of DR6 that a trap behind the instruction is to show. */
  debugCauses: number;
  misaligned(): void;
  pageFault(errorCode: number, low: number, high: number): void;
  /** #GP or #SS for an address that is none. */
  notCanonical(): void;
  /** Bytes of physical memory are about to change: code that was decoded from them is no longer right. */
  written(physical: number, size: number): void;
  /** Whether instructions were decoded from a page. */
  hasCode(page: number): boolean;
}

export class Translation {
  readonly #memory: PhysicalMemory;
  readonly #outside: Outside;
  readonly #owner: TranslationOwner;
  readonly #bytes: Uint8Array;
  readonly #words: Uint32Array;
  readonly #local: LocalEntries;
  readonly #walk = new Walk();
  /** Regions with parts of large pages in the TLB: one invalidation is for all of a page. Two regions of one key cost a flush too many. */
  readonly #large = new Uint8Array(regionKeys);
  readonly #pending: PendingStore = { size: 0, first: 0, second: -1, firstBytes: 0 };

  constructor(memory: WebAssembly.Memory, physical: PhysicalMemory, outside: Outside, owner: TranslationOwner) {
    this.#memory = physical;
    this.#outside = outside;
    this.#owner = owner;
    this.#bytes = new Uint8Array(memory.buffer);
    this.#words = new Uint32Array(memory.buffer);
    this.#local = new LocalEntries(this.#words, TLB_READ, TLB_WRITE + 16 * TLB_ENTRIES);
    this.flush();
  }

  /** Forgets everything. No linear page has a tag of ones: its lower 12 bits are a mode's. */
  flush(): void {
    this.#bytes.fill(0xff, TLB_READ, TLB_READ + 16 * TLB_ENTRIES);
    this.#large.fill(0);
    this.#local.clear();
    this.flushWrites();
  }

  /** Forgets all but what is global. */
  flushLocal(): void {
    this.#local.forget();
  }

  /** Of what was translated last. */
  get global(): boolean {
    return this.#walk.global;
  }

  flushWrites(): void {
    this.#bytes.fill(0xff, TLB_WRITE, TLB_WRITE + 16 * TLB_ENTRIES);
  }

  /** Forgets one page. @returns false when it may be part of a larger one: then everything is forgotten */
  flushPage(low: number, high: number): boolean {
    if (this.#large[regionKey(low, high, 1)] !== 0 || this.#large[regionKey(low, high, 2)] !== 0) {
      this.flush();
      return false;
    }
    const entry = ((low >>> 12) & (TLB_ENTRIES - 1)) << 4;
    this.#bytes.fill(0xff, TLB_READ + entry, TLB_READ + entry + 8);
    this.#bytes.fill(0xff, TLB_WRITE + entry, TLB_WRITE + entry + 8);
    return true;
  }

  /**
   * The physical address of a linear one, or -1 after telling the owner of a fault.
   * @param access bits WRITE, USER and FETCH of src/cpu/paging.ts
   */
  translate(low: number, high: number, access: number): number {
    const { paging } = this.#owner;
    if (!isCanonical(paging, high)) {
      this.#owner.notCanonical();
      return -1;
    }
    if (walk(this.#memory, paging, low, high, access, this.#walk)) return this.#walk.physical;
    this.#owner.pageFault(this.#walk.errorCode, low, high);
    return -1;
  }

  #access(access: number): number {
    return this.#owner.user ? access | USER : access;
  }

  /** As slowRead and slowWrite, for who has not looked into the TLB. */
  readHost(low: number, high: number, size: number): number {
    return this.#cached(TLB_READ, low, high, size) || this.slowRead(low, high, size);
  }

  writeHost(low: number, high: number, size: number): number {
    return this.#cached(TLB_WRITE, low, high, size) || this.slowWrite(low, high, size);
  }

  /** Where the TLB has it, or 0. */
  #cached(table: number, low: number, high: number, size: number): number {
    const entry = (table + (((low >>> 12) & (TLB_ENTRIES - 1)) << 4)) >>> 2;
    const mode = this.#words[(INTERNAL + internal.fields.mode.offset) >>> 2] as number;
    const found = this.#words[entry] === (((low & ~0xfff) | mode) >>> 0) && this.#words[entry + 1] === high >>> 0 && (low & 0xfff) + size <= 0x1000;
    return found ? ((this.#words[entry + 2] as number) + low) >>> 0 : 0;
  }

  /** An access that goes on behind the last address of the lower half: that comes before what its first page lacks. */
  #endsNowhere(low: number, high: number, size: number): boolean {
    if (high !== 0x7fff || low >>> 12 !== 0xfffff || (low & 0xfff) + size <= 0x1000 || (this.#owner.paging.efer & 0x400) === 0) return false;
    this.#owner.notCanonical();
    return true;
  }

  slowRead = (low: number, high: number, size: number): number => {
    if (this.#endsNowhere(low, high, size)) return 0;
    const physical = this.#misaligned(low, high, size) ? -1 : this.translate(low, high, this.#access(0));
    if (physical < 0) return 0;
    this.#meetBreakpoints(low, high, size, false);
    const host = this.#memory.host(physical);
    const within = (low & 0xfff) + size <= 0x1000;
    if (host >= 0) {
      this.#fill(TLB_READ, low, high, host);
      if (within) return host;
    }
    const next = within ? -1 : this.#next(low, high, 0);
    if (!within && next < 0) return 0;
    this.#gather(physical, next, low, size);
    return SCRATCH;
  };

  slowWrite = (low: number, high: number, size: number): number => this.#store(low, high, size, false);
  slowModify = (low: number, high: number, size: number): number => this.#store(low, high, size, true);

  #store(low: number, high: number, size: number, read: boolean): number {
    if (this.#endsNowhere(low, high, size)) return 0;
    const physical = this.#misaligned(low, high, size) ? -1 : this.translate(low, high, this.#access(WRITE));
    if (physical < 0) return 0;
    this.#meetBreakpoints(low, high, size, true);
    const within = (low & 0xfff) + size <= 0x1000;
    const host = this.#memory.host(physical);
    const plain = host >= 0 && this.#memory.writable(physical) && !this.#owner.hasCode(Math.floor(physical / 4096));
    if (plain) {
      this.#fill(TLB_WRITE, low, high, host);
      if (within) return host;
    }
    const next = within ? -1 : this.#next(low, high, WRITE);
    if (!within && next < 0) return 0;
    if (read) this.#gather(physical, next, low, size);
    const pending = this.#pending;
    pending.size = size;
    pending.first = physical;
    pending.second = next;
    pending.firstBytes = within ? size : 0x1000 - (low & 0xfff);
    return SCRATCH;
  }

  /** The physical address of the page behind. */
  #next(low: number, high: number, access: number): number {
    const next = ((low | 0xfff) + 1) >>> 0;
    const carried = next === 0 ? high + 1 : high;
    return this.translate(next, this.#owner.paging.efer & 0x400 ? carried | 0 : 0, this.#access(access));
  }

  /** Whether an alignment check ends an access: before the page is looked for, as AMD's do; an address that is none is told first. */
  #misaligned(low: number, high: number, size: number): boolean {
    const { aligned, user, paging } = this.#owner;
    if (!aligned || !user || size > 8 || (low & (size - 1)) === 0 || !isCanonical(paging, high)) return false;
    this.#owner.misaligned();
    return true;
  }

  #meetBreakpoints(low: number, high: number, size: number, write: boolean): void {
    const { watched } = this.#owner;
    if (watched.any) this.#owner.debugCauses |= watched.met(linearOf(low, high), size, write);
  }

  #fill(table: number, low: number, high: number, host: number): void {
    const { aligned, user, watched } = this.#owner;
    if ((aligned && user) || (watched.any && watched.inPage(linearOf(low, high)))) return;
    if (this.#walk.level > 0) this.#large[regionKey(low, high, this.#walk.level)] = 1;
    const entry = (table + (((low >>> 12) & (TLB_ENTRIES - 1)) << 4)) >>> 2;
    const mode = this.#words[(INTERNAL + internal.fields.mode.offset) >>> 2] as number;
    this.#words[entry] = (low & ~0xfff) | mode;
    this.#words[entry + 1] = high;
    this.#words[entry + 2] = host - low;
    this.#words[entry + 3] = this.#walk.global ? 1 : 0;
    if (!this.#walk.global) this.#local.add(entry);
  }

  /** Brings what is to be read to the scratch place. */
  #gather(first: number, second: number, low: number, size: number): void {
    const firstBytes = second < 0 ? size : 0x1000 - (low & 0xfff);
    this.readPhysical(first, firstBytes, SCRATCH);
    if (second >= 0) this.readPhysical(second, size - firstBytes, SCRATCH + firstBytes);
  }

  finishStore = (): void => {
    const { size, first, second, firstBytes } = this.#pending;
    this.writePhysical(first, firstBytes, SCRATCH);
    if (second >= 0) this.writePhysical(second, size - firstBytes, SCRATCH + firstBytes);
  };

  /** Physical memory, or a device's registers, to a place in the WebAssembly.Memory. */
  readPhysical(physical: number, size: number, to: number): void {
    const host = this.#memory.host(physical);
    if (host >= 0) {
      this.#bytes.copyWithin(to, host, host + size);
      return;
    }
    for (let at = 0, part: Bytes; at < size; at += part) {
      part = partOf(physical + at, size - at);
      const value = this.#outside.readMemory(physical + at, part);
      for (let byte = 0; byte < part; byte++) this.#bytes[to + at + byte] = value >>> (8 * byte);
    }
  }

  writePhysical(physical: number, size: number, from: number): void {
    const host = this.#memory.host(physical);
    if (host >= 0) {
      if (!this.#memory.writable(physical)) return;
      this.#owner.written(physical, size);
      this.#bytes.copyWithin(host, from, from + size);
      return;
    }
    for (let at = 0, part: Bytes; at < size; at += part) {
      part = partOf(physical + at, size - at);
      let value = 0;
      for (let byte = part - 1; byte >= 0; byte--) value = (value * 256) + (this.#bytes[from + at + byte] as number);
      this.#outside.writeMemory(physical + at, part, value);
    }
  }
}

/** In long mode bits 47 to 63 are the same. */
const isCanonical = ({ efer }: PagingMode, high: number): boolean => (efer & EFER_LMA) === 0 || (high | 0) === (high << 16) >> 16;

const linearOf = (low: number, high: number): bigint => (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);

const regionKeys = 4096;

/** Of the 4 MiB or the 1 GiB (levels 1 and 2) that an address lies in. */
const regionKey = (low: number, high: number, level: number): number => ((level === 1 ? low >>> 22 : 0x800 | (low >>> 30)) ^ (high << 4)) & (regionKeys - 1);

/** Devices are read in aligned parts of at most four bytes. */
function partOf(address: number, left: number): Bytes {
  if (left >= 4 && address % 4 === 0) return 4;
  return left >= 2 && address % 2 === 0 ? 2 : 1;
}
