import type { GuestMemory } from '../engine/memory.ts';
import type { Piece } from './boot.ts';
import { badKernel } from './image.ts';

/** Types of ranges (ACPI specification, 15.1, table 15.4). */
export const USABLE = 1;
export const RESERVED = 2;
export const ACPI_DATA = 3;

/** A range as the BIOS' function e820 tells it. */
export interface MemoryRange {
  readonly address: number;
  readonly size: number;
  readonly type: typeof USABLE | typeof RESERVED | typeof ACPI_DATA;
}

/** Where a PC has no RAM for a kernel: the extended BIOS data area, the screen's memory, ROMs. */
const lowReserved = { start: 0x9fc00, end: 0x100000 } as const;

/**
 * What a kernel is told of its memory: RAM in the order of addresses, without the ROMs and screens below 1 MiB, ACPI's tables apart.
 * @param tables ACPI's tables, which are kept from being overwritten where they lie in RAM
 */
export function memoryMap(memory: GuestMemory, tables: readonly Piece[] = []): MemoryRange[] {
  const ranges: MemoryRange[] = [];
  for (const { guestAddress, size, readOnly } of memory.regions) {
    if (readOnly) ranges.push({ address: guestAddress, size, type: RESERVED });
    else ranges.push(...usable(guestAddress, guestAddress + size));
  }
  return tables.map(pagesOf).reduce(carve, ranges);
}

function usable(start: number, end: number): MemoryRange[] {
  const parts: [number, number, MemoryRange['type']][] = [
    [start, Math.min(end, lowReserved.start), USABLE],
    [Math.max(start, lowReserved.start), Math.min(end, lowReserved.end), RESERVED],
    [Math.max(start, lowReserved.end), end, USABLE],
  ];
  return parts.filter(([from, to]) => from < to).map(([from, to, type]) => ({ address: from, size: to - from, type }));
}

function pagesOf({ address, bytes }: Piece): MemoryRange {
  const start = Math.floor(address / 4096) * 4096;
  return { address: start, size: Math.ceil((address + bytes.length) / 4096) * 4096 - start, type: ACPI_DATA };
}

/** The ranges with `hole` taken out of the usable ones and put in as its own. */
function carve(ranges: readonly MemoryRange[], hole: MemoryRange): MemoryRange[] {
  return ranges.flatMap((range) => {
    const start = Math.max(range.address, hole.address);
    const end = Math.min(range.address + range.size, hole.address + hole.size);
    if (range.type !== USABLE || start >= end) return [range];
    return [
      { ...range, size: start - range.address },
      { address: start, size: end - start, type: hole.type },
      { ...range, address: end, size: range.address + range.size - end },
    ].filter(({ size }) => size > 0);
  });
}

/** Where the RAM that begins at 0 ends, in bytes. */
export function lowMemoryEnd(memory: GuestMemory): number {
  const [first] = memory.regions;
  return first === undefined || first.guestAddress !== 0 || first.readOnly ? 0 : first.size;
}

/**
 * The highest place for `size` bytes below `limit`, page aligned, in usable memory and not below `floor`.
 * @throws DelosError bad-kernel when there is none
 */
export function placeHigh(ranges: readonly MemoryRange[], size: number, floor: number, limit: number, what: string): number {
  for (const range of ranges.toReversed()) {
    const end = Math.min(range.address + range.size, limit);
    const address = Math.floor((end - size) / 4096) * 4096;
    if (range.type === USABLE && address >= Math.max(range.address, floor)) return address;
  }
  throw badKernel(`too little memory: ${what} needs ${size} bytes between 0x${floor.toString(16)} and 0x${limit.toString(16)}`);
}

/**
 * Checks that a loaded image may lie at an address.
 * @throws DelosError bad-kernel when not all of it is usable memory
 */
export function checkPlace(ranges: readonly MemoryRange[], address: number, size: number, what: string): void {
  if (ranges.some((range) => range.type === USABLE && address >= range.address && address + size <= range.address + range.size)) return;
  throw badKernel(`too little memory: ${what} needs 0x${address.toString(16)} to 0x${(address + size).toString(16)}`);
}
