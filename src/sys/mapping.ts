import { MAP_ANONYMOUS, MAP_FIXED, MAP_NORESERVE, MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE } from '../abi/mman.ts';
import { addressOfBytes, syscall } from './syscall.ts';

/** Of the machine, in bytes. A WebAssembly.Memory begins at a multiple of it. */
export const pageSize = 4096;

export interface Mapping {
  readonly fd: number;
  /** Where in the file, bytes; a multiple of the page size. */
  readonly offset: number;
  /** What is written stays in this process: pages are copied when they are written to. */
  readonly private: boolean;
}

/**
 * Puts a file in the place of memory that there is already: from now on these bytes are the file's. It works on a part of a
 * WebAssembly.Memory, which keeps its address, so JavaScript, WebAssembly and KVM see the file through it.
 * @param bytes whole pages
 * @throws SystemCallError
 */
export function mapOver(bytes: Uint8Array, { fd, offset, private: own }: Mapping): void {
  map(bytes, (own ? MAP_PRIVATE : MAP_SHARED) | MAP_FIXED | MAP_NORESERVE, fd, offset);
}

/** Zeros again, and nothing of a file: whatever was mapped over these bytes is let go. */
export function unmapOver(bytes: Uint8Array): void {
  map(bytes, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

function map(bytes: Uint8Array, flags: number, fd: number, offset: number): void {
  const address = addressOfBytes(bytes);
  if (address % BigInt(pageSize) !== 0n || bytes.length % pageSize !== 0) throw new Error('assertion: whole pages can be mapped, nothing else');
  syscall('mmap', address, bytes.length, PROT_READ | PROT_WRITE, flags, fd, offset);
}
