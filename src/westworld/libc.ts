/** The nine functions that the exercise allows, as every program here has them: everything they give is in its ledger. */

import type { Solution } from './hypervisor-sim.ts';
import { Mapping } from './mapping.ts';

/** Where the first mapping is put, as Linux would; each next one follows. */
const FIRST_MAPPING = 0x7f57_5757_0000n;
/** What a process of x86-64 can address. */
const ADDRESS_SPACE = 1n << 47n;
const latin1 = (byte: number): string => String.fromCharCode(byte & 0xff);

export const libc: Solution = {
  /** A structure that turns every access into a TypeError once it is freed. */
  calloc<T extends object>(type: string, zeroes: T): T | null {
    if (this.ledger.refuses()) return null;
    const { proxy, revoke } = Proxy.revocable(zeroes, {});
    this.ledger.made(type, proxy, revoke);
    return proxy;
  },

  /** The same as calloc: in TypeScript there is no structure without values. */
  malloc<T extends object>(type: string, fields: T): T | null {
    return this.calloc(type, fields);
  },

  free(pointer) {
    if (pointer !== null) this.ledger.released(pointer);
  },

  mmap(what, size) {
    if (this.ledger.refuses() || size <= 0n || size > ADDRESS_SPACE) return null;
    const mapping = new Mapping(FIRST_MAPPING + (BigInt(this.ledger.entries.length) << 32n), size);
    this.ledger.made(what, mapping, () => mapping.unmap());
    return mapping;
  },

  munmap(mapping) {
    if (mapping === null) return -1;
    this.ledger.released(mapping);
    return 0;
  },

  memcpy(mapping, at, bytes) {
    mapping.write(at, bytes);
  },

  memset(mapping, at, value, length) {
    mapping.write(at, new Uint8Array(length).fill(value));
  },

  printf(text) {
    this.write(text);
  },

  putchar(byte) {
    this.write(latin1(byte));
  },
};
