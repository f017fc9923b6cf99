/** How much {@link identityMap} maps, in GiB: all that a 32-bit address reaches. */
const gibibytes = 4;

/** Bytes of {@link identityMap}'s tables. */
export const IDENTITY_MAP_SIZE = (2 + gibibytes) * 4096;

const PRESENT_WRITABLE = 0x03n;
const LARGE = 0x80n;

/**
 * Four-level page tables that map the first 4 GiB to themselves, in pages of 2 MiB: one PML4, one table of directory pointers, four directories.
 * @param address where they will be, page aligned
 */
export function identityMap(address: number): Uint8Array {
  const entries = new BigUint64Array(IDENTITY_MAP_SIZE / 8);
  entries[0] = BigInt(address + 4096) | PRESENT_WRITABLE;
  for (let index = 0; index < gibibytes; index++) entries[512 + index] = BigInt(address + (2 + index) * 4096) | PRESENT_WRITABLE;
  for (let index = 0; index < gibibytes * 512; index++) entries[1024 + index] = BigInt(index) << 21n | PRESENT_WRITABLE | LARGE;
  return new Uint8Array(entries.buffer);
}
