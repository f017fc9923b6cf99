import { DelosError } from '../lib/errors.ts';

/**
 * A guest's physical memory: regions of one WebAssembly.Memory, which the software processor, KVM and the devices read and write alike.
 * Works in a browser: nothing of Node here.
 */

export interface MemoryRegion {
  /** Where the guest sees it; a multiple of 4096, as is `size`. */
  readonly guestAddress: number;
  readonly size: number;
  /** Where its first byte is in the WebAssembly.Memory. */
  readonly offset: number;
  /** A guest's writes to it are lost, as with a ROM. */
  readonly readOnly: boolean;
}

export interface GuestMemory {
  readonly memory: WebAssembly.Memory;
  /** In the order of their addresses, none over another. The first is the RAM at 0. */
  readonly regions: readonly MemoryRegion[];
  /** `length` bytes at a guest-physical address, as a view. @throws RangeError when not all of them are in one region */
  bytes(guestAddress: number, length: number): Uint8Array;
}

export interface WantedRegion {
  readonly guestAddress: number;
  readonly size: number;
  readonly readOnly?: boolean;
}

/** A browser lets only those pages share memory that are isolated from all others. */
const canShare = typeof SharedArrayBuffer !== 'undefined';

const page = 4096;
const wasmPage = 65536;
/** What a WebAssembly.Memory can have, in bytes. */
const most = 2 ** 32;

/**
 * Memory for a guest, all zeros, in one WebAssembly.Memory that threads can share, where there are any that can.
 * @param wanted in any order; one of them begins at 0
 * @param reserved bytes in front of the guest's, for the software processor's own
 * @throws DelosError `bad-machine` when regions overlap, are not whole pages, or are more than 4 GiB together
 */
export function createGuestMemory(wanted: readonly WantedRegion[], reserved = 0): GuestMemory {
  const regions = place(wanted.toSorted((a, b) => a.guestAddress - b.guestAddress), Math.ceil(reserved / wasmPage) * wasmPage);
  const last = regions.at(-1) as MemoryRegion;
  const pages = Math.ceil((last.offset + last.size) / wasmPage);
  return new PlainMemory(new WebAssembly.Memory({ initial: pages, maximum: pages, shared: canShare }), regions);
}

function place(sorted: readonly WantedRegion[], start: number): MemoryRegion[] {
  if (sorted[0]?.guestAddress !== 0) throw bad('a machine has RAM at address 0');
  let offset = start;
  let free = 0;
  return sorted.map(({ guestAddress, size, readOnly = false }) => {
    const where = `memory at 0x${guestAddress.toString(16)}`;
    if (guestAddress % page !== 0 || size % page !== 0 || size <= 0) throw bad(`${where} has ${size} bytes: a region is whole pages of ${page} bytes`);
    if (guestAddress < free) throw bad(`${where} overlaps the region before it, which ends at 0x${free.toString(16)}`);
    const region = { guestAddress, size, offset, readOnly };
    free = guestAddress + size;
    offset += size;
    if (offset > most) throw bad(`${where} is too much: all memory together can have 4 GiB${start > 0 ? ` less ${start} bytes` : ''}`);
    return region;
  });
}

function bad(message: string): DelosError {
  return new DelosError('bad-machine', message);
}

class PlainMemory implements GuestMemory {
  readonly memory: WebAssembly.Memory;
  readonly regions: readonly MemoryRegion[];

  constructor(memory: WebAssembly.Memory, regions: readonly MemoryRegion[]) {
    this.memory = memory;
    this.regions = regions;
  }

  bytes(guestAddress: number, length: number): Uint8Array {
    const region = this.regions.find((one) => guestAddress >= one.guestAddress && guestAddress + length <= one.guestAddress + one.size);
    if (region === undefined || length < 0) throw new RangeError(`no memory region has ${length} bytes at 0x${guestAddress.toString(16)}`);
    return new Uint8Array(this.memory.buffer, region.offset + guestAddress - region.guestAddress, length);
  }
}
