import { mapOver, unmapOver, type Mapping } from '../sys/mapping.ts';
import type { GuestMemory, MemoryRegion } from './memory.ts';

/**
 * Puts a file in the place of a region: a memfd, so that another process has the same memory, or a snapshot, `private`, so that a page
 * is read when it is wanted and the file stays as it is. In no time, however large it is.
 * @throws SystemCallError
 */
export function mapRegion(memory: GuestMemory, region: MemoryRegion, file: Mapping): void {
  mapOver(memory.bytes(region.guestAddress, region.size), file);
}

/** Lets the file go; the region is all zeros. */
export function unmapRegion(memory: GuestMemory, region: MemoryRegion): void {
  unmapOver(memory.bytes(region.guestAddress, region.size));
}
