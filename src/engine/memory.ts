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
