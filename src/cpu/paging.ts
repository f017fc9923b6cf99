/** Linear to physical addresses (SDM volume 3, chapter 4): without paging, 32-bit, PAE and four-level. */

import type { PhysicalMemory } from './physical.ts';

/** Bits of a page fault's error code, and of an access (SDM volume 3, 4.7). */
export const PRESENT = 1;
export const WRITE = 2;
export const USER = 4;
export const RESERVED_BIT = 8;
export const FETCH = 16;

export const CR0_WP = 1 << 16;
export const CR0_PG = 2 ** 31;
export const CR4_PSE = 1 << 4;
export const CR4_PAE = 1 << 5;
export const CR4_PGE = 1 << 7;
export const CR4_PCIDE = 1 << 17;
export const CR4_SMEP = 1 << 20;
export const CR4_SMAP = 1 << 21;
export const EFER_LMA = 1 << 10;
export const EFER_NXE = 1 << 11;

/** Bits of a table's entry. */
const ENTRY_WRITE = 2;
const ENTRY_USER = 4;
const ENTRY_ACCESSED = 0x20;
const ENTRY_DIRTY = 0x40;
const ENTRY_LARGE = 0x80;
const ENTRY_GLOBAL = 0x100;

/** Physical addresses have 40 bits: those above are reserved in entries. */
export const physicalBits = 40;
const reservedHigh = ~((1 << (physicalBits - 32)) - 1) & 0xfffff;
const highMask = (1 << (physicalBits - 32)) - 1;

/** The control registers as far as a walk looks at them. */
export interface PagingMode {
  readonly cr0: number;
  readonly cr3: number;
  readonly cr4: number;
  readonly efer: number;
  /** RFLAGS.AC: with SMAP, the supervisor may touch the user's pages. */
  readonly lifted: boolean;
}

/** The outcome of a walk: it is filled in anew by each. */
export class Walk {
  /** Physical address of the byte. */
  physical = 0;
  /** Of a fault, else -1. */
  errorCode = -1;
  /** Of the table that has the page: 0 for 4 KiB, 1 for 2 or 4 MiB, 2 for 1 GiB. */
  level = 0;
  /** A translation that stays when CR3 is written. */
  global = false;
  /** Writes may go there without another walk: allowed, and marked dirty. */
  writable = false;
}

/**
 * Walks the tables for the linear address `high`:`low` (halves of 32 bits) and marks what it has used as accessed and dirty.
 * @param access bits WRITE, USER and FETCH
 */
export function walk(memory: PhysicalMemory, mode: PagingMode, low: number, high: number, access: number, found: Walk): boolean {
  found.errorCode = -1;
  if (mode.cr0 < CR0_PG) {
    found.physical = low >>> 0;
    found.level = 0;
    found.global = false;
    found.writable = true;
    return true;
  }
  return (mode.cr4 & CR4_PAE) === 0 ? walkLegacy(memory, mode, low, access, found) : walkWide(memory, mode, low, high, access, found);
}

function fault(found: Walk, code: number): false {
  found.errorCode = code;
  return false;
}

/** Entries of 64 bits: four levels in long mode, three with PAE alone. */
function walkWide(memory: PhysicalMemory, mode: PagingMode, low: number, high: number, access: number, found: Walk): boolean {
  const long = (mode.efer & EFER_LMA) !== 0;
  const noExecute = (mode.efer & EFER_NXE) !== 0;
  // Without NX there are no instruction fetches to tell apart, but with SMEP.
  const told = access & (noExecute || mode.cr4 & CR4_SMEP ? WRITE | USER | FETCH : WRITE | USER);
  let table = long ? Math.floor(mode.cr3 / 4096) * 4096 : Math.floor((mode.cr3 % 2 ** 32) / 32) * 32;
  let allowed = ENTRY_WRITE | ENTRY_USER;
  let executable = true;
  for (let level = long ? 3 : 2; ; level--) {
    const address = table + 8 * indexAt(level, low, high, long);
    const entryLow = memory.read32(address);
    const entryHigh = memory.read32(address + 4);
    if ((entryLow & PRESENT) === 0) return fault(found, told);
    const pointer = !long && level === 2;
    const leaf = level === 0 || (!pointer && level < 3 && (entryLow & ENTRY_LARGE) !== 0);
    const size = leaf ? 2 ** (12 + 9 * level) : 0;
    const reserved = (entryHigh & reservedHigh) !== 0 || (entryHigh >>> 31 === 1 && !noExecute)
      || (level === 3 && (entryLow & ENTRY_LARGE) !== 0) || (level > 0 && leaf && (entryLow & (size - 1) & ~0x1fff) !== 0)
      || (!long && level === 2 && (entryLow & 0x1e6) !== 0) || (!long && (entryHigh & 0x7ff00000) !== 0);
    if (reserved) return fault(found, told | PRESENT | RESERVED_BIT);
    if (!pointer) {
      allowed &= entryLow;
      if (entryHigh >>> 31 === 1) executable = false;
    }
    const next = (entryHigh & highMask) * 2 ** 32 + ((entryLow & 0xfffff000) >>> 0);
    if (!leaf) {
      if (!pointer && (entryLow & ENTRY_ACCESSED) === 0) memory.write32(address, entryLow | ENTRY_ACCESSED);
      table = next;
      continue;
    }
    if (!permits(mode, allowed, executable, access)) return fault(found, told | PRESENT);
    finish(memory, address, entryLow, access, found);
    found.level = level;
    found.global = isGlobal(mode, entryLow);
    const within = size > 2 ** 31 ? (low & 0x3fffffff) : low & (size - 1);
    found.physical = next - (next % size) + within;
    return true;
  }
}

/** The index of a level's table: nine bits of the address each, two for the pointers of PAE. */
function indexAt(level: number, low: number, high: number, long: boolean): number {
  switch (level) {
    case 0: return (low >>> 12) & 0x1ff;
    case 1: return (low >>> 21) & 0x1ff;
    case 2: return long ? ((high << 2) | (low >>> 30)) & 0x1ff : low >>> 30;
    default: return (high >>> 7) & 0x1ff;
  }
}

/** Entries of 32 bits, with pages of 4 MiB. */
function walkLegacy(memory: PhysicalMemory, mode: PagingMode, low: number, access: number, found: Walk): boolean {
  const told = access & (mode.cr4 & CR4_SMEP ? WRITE | USER | FETCH : WRITE | USER);
  const directory = ((mode.cr3 % 2 ** 32) & 0xfffff000) >>> 0;
  const first = directory + 4 * (low >>> 22);
  const entry = memory.read32(first);
  if ((entry & PRESENT) === 0) return fault(found, told);
  if ((entry & ENTRY_LARGE) !== 0 && (mode.cr4 & CR4_PSE) !== 0) {
    // Bits 13 to 20 are the address above 4 GiB (PSE-36); one beyond its 40 bits is reserved.
    if ((entry & 0x200000) !== 0) return fault(found, told | PRESENT | RESERVED_BIT);
    if (!permits(mode, entry, true, access)) return fault(found, told | PRESENT);
    finish(memory, first, entry, access, found);
    found.level = 1;
    found.global = isGlobal(mode, entry);
    found.physical = ((entry >>> 13) & 0xff) * 2 ** 32 + ((entry & 0xffc00000) >>> 0) + (low & 0x3fffff);
    return true;
  }
  if ((entry & ENTRY_ACCESSED) === 0) memory.write32(first, entry | ENTRY_ACCESSED);
  const second = ((entry & 0xfffff000) >>> 0) + 4 * ((low >>> 12) & 0x3ff);
  const leaf = memory.read32(second);
  if ((leaf & PRESENT) === 0) return fault(found, told);
  if (!permits(mode, entry & leaf, true, access)) return fault(found, told | PRESENT);
  finish(memory, second, leaf, access, found);
  found.level = 0;
  found.global = isGlobal(mode, leaf);
  found.physical = ((leaf & 0xfffff000) >>> 0) + (low & 0xfff);
  return true;
}

const isGlobal = ({ cr4 }: PagingMode, entry: number): boolean => (entry & ENTRY_GLOBAL) !== 0 && (cr4 & CR4_PGE) !== 0;

/** SDM volume 3, 4.6.1. */
function permits(mode: PagingMode, allowed: number, executable: boolean, access: number): boolean {
  const usersPage = (allowed & ENTRY_USER) !== 0;
  if ((access & FETCH) !== 0 && !executable) return false;
  if ((access & USER) !== 0) return usersPage && ((access & WRITE) === 0 || (allowed & ENTRY_WRITE) !== 0);
  if (usersPage && (access & FETCH) !== 0 && (mode.cr4 & CR4_SMEP) !== 0) return false;
  if (usersPage && (access & FETCH) === 0 && (mode.cr4 & CR4_SMAP) !== 0 && !mode.lifted) return false;
  return (access & WRITE) === 0 || (allowed & ENTRY_WRITE) !== 0 || (mode.cr0 & CR0_WP) === 0;
}

function finish(memory: PhysicalMemory, address: number, entry: number, access: number, found: Walk): void {
  const marked = entry | ENTRY_ACCESSED | ((access & WRITE) === 0 ? 0 : ENTRY_DIRTY);
  if (marked !== entry) memory.write32(address, marked);
  found.writable = (access & WRITE) !== 0;
}
