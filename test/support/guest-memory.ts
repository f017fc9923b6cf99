import type { GuestMemory, MemoryRegion } from '../../src/engine/memory.ts';

const PAGE = 65536;

/** A guest's memory of the given regions: address, bytes, and whether it is a ROM. */
export function guestMemory(...regions: readonly (readonly [guestAddress: number, size: number, readOnly?: boolean])[]): GuestMemory {
  const placed: MemoryRegion[] = [];
  let offset = 0;
  for (const [guestAddress, size, readOnly = false] of regions) {
    placed.push({ guestAddress, size, offset, readOnly });
    offset += size;
  }
  const memory = new WebAssembly.Memory({ initial: Math.ceil(offset / PAGE) });
  return {
    memory,
    regions: placed,
    bytes(guestAddress, length) {
      const region = placed.find((one) => guestAddress >= one.guestAddress && length >= 0 && guestAddress + length <= one.guestAddress + one.size);
      if (region === undefined) throw new RangeError(`no memory at 0x${guestAddress.toString(16)}, ${length} bytes`);
      return new Uint8Array(memory.buffer, region.offset + guestAddress - region.guestAddress, length);
    },
  };
}
