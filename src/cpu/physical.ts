/** Guest-physical memory as the software processor sees it: places in the WebAssembly.Memory, or something else's. */

export interface PhysicalRegion {
  readonly guestAddress: number;
  readonly size: number;
  readonly offset: number;
  readonly readOnly: boolean;
}

export class PhysicalMemory {
  readonly #view: DataView;
  readonly #regions: readonly PhysicalRegion[];
  readonly #ram: PhysicalRegion;

  /** @param regions in the order of their addresses; the first is the RAM at 0 */
  constructor(memory: WebAssembly.Memory, regions: readonly PhysicalRegion[]) {
    const [ram] = regions;
    if (ram === undefined || ram.guestAddress !== 0) throw new Error('no RAM at 0');
    this.#view = new DataView(memory.buffer);
    this.#regions = regions;
    this.#ram = ram;
  }

  /** Where a byte is in the WebAssembly.Memory, or -1 for one that no memory has. */
  host(address: number): number {
    if (address < this.#ram.size) return this.#ram.offset + address;
    return this.#other(address)?.host ?? -1;
  }

  writable(address: number): boolean {
    return address < this.#ram.size ? !this.#ram.readOnly : this.#other(address)?.readOnly === false;
  }

  #other(address: number): { host: number; readOnly: boolean } | undefined {
    for (const { guestAddress, size, offset, readOnly } of this.#regions) {
      if (address >= guestAddress && address < guestAddress + size) return { host: offset + address - guestAddress, readOnly };
    }
    return undefined;
  }

  /** 32 bits of a table that the processor itself reads; ones where no memory is. `address` is aligned. */
  read32(address: number): number {
    const host = this.host(address);
    return host < 0 ? 0xffffffff : this.#view.getUint32(host, true);
  }

  write32(address: number, value: number): void {
    const host = this.host(address);
    if (host >= 0 && this.writable(address)) this.#view.setUint32(host, value, true);
  }
}
