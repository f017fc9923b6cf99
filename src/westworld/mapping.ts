/** A program did what ends it on a real machine: it touched memory that is not its own, or released something twice. */
export class Crash extends Error {
  override readonly name = 'Crash';
}

const PAGE_SIZE = 4096;

/** What mmap gives: zeroes of a fixed size, of which a page exists from its first write on. So 4 GiB that nobody writes cost nothing. */
export class Mapping {
  readonly address: bigint;
  /** In bytes. */
  readonly size: bigint;
  readonly #pages = new Map<bigint, Uint8Array>();
  #mapped = true;

  constructor(address: bigint, size: bigint) {
    this.address = address;
    this.size = size;
  }

  /** How many pages exist. */
  get pages(): number {
    return this.#pages.size;
  }

  /** A copy of `length` bytes. @throws Crash outside the mapping, or after {@link unmap} */
  bytes(at: bigint, length: number): Uint8Array {
    this.#check('read', at, length);
    return Uint8Array.from({ length }, (_, offset) => this.#byte(at + BigInt(offset)));
  }

  /** @throws Crash outside the mapping, or after {@link unmap} */
  write(at: bigint, bytes: Uint8Array): void {
    this.#check('write', at, bytes.length);
    for (const [offset, byte] of bytes.entries()) this.#page(at + BigInt(offset))[Number((at + BigInt(offset)) % BigInt(PAGE_SIZE))] = byte;
  }

  unmap(): void {
    this.#mapped = false;
    this.#pages.clear();
  }

  #byte(at: bigint): number {
    return this.#pages.get(at / BigInt(PAGE_SIZE))?.[Number(at % BigInt(PAGE_SIZE))] ?? 0;
  }

  #page(at: bigint): Uint8Array {
    const number = at / BigInt(PAGE_SIZE);
    const page = this.#pages.get(number) ?? new Uint8Array(PAGE_SIZE);
    this.#pages.set(number, page);
    return page;
  }

  #check(access: string, at: bigint, length: number): void {
    if (!this.#mapped) throw new Crash(`${access} of memory that was unmapped`);
    if (at < 0n || at + BigInt(length) > this.size) throw new Crash(`${access} of ${length} bytes at 0x${at.toString(16)}, outside the ${this.size} that are mapped`);
  }
}
