/** A machine's memory in pieces, each with a digest of its own, so that one can be checked without the others. */

import type { StateRegion } from '../machine/state.ts';

/** SHA-256 of bytes. */
export type Digest = (bytes: Uint8Array) => Uint8Array;

export const DIGEST_SIZE = 32;
/** Bytes of a chunk; a region's last may be less. */
export const CHUNK_SIZE = 2 ** 20;
const PAGE_SIZE = 4096;

export interface Chunk {
  readonly guestAddress: number;
  readonly size: number;
  /** Where it is in the file, counted from the memory's first byte: regions stand there one after the other. */
  readonly offset: number;
}

/** The chunks of a memory, in order. They are made one by one: a file may lie about how many there are. */
export function* chunksOf(regions: readonly StateRegion[]): Generator<Chunk> {
  let start = 0;
  for (const region of regions) {
    for (let at = 0; at < region.size; at += CHUNK_SIZE) {
      yield { guestAddress: region.guestAddress + at, size: Math.min(CHUNK_SIZE, region.size - at), offset: start + at };
    }
    start += region.size;
  }
}

/** What stands for the digest of a chunk that is all zeros, as most of most machines' are: nobody has to read it. */
export const noDigest = new Uint8Array(DIGEST_SIZE);

/** Whether there is nothing but zeros. @param bytes aligned to 8, as is their number */
export function isZero(bytes: Uint8Array): boolean {
  const words = new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8);
  for (let at = 0; at < words.length; at++) if (words[at] !== 0n) return false;
  return true;
}

export function digestOf(bytes: Uint8Array, digest: Digest): Uint8Array {
  return isZero(bytes) ? noDigest : digest(bytes);
}

export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

/** Parts of a chunk that are not all zeros, as whole pages: what has to be written into a file that is zeros already. */
export function* filledParts(bytes: Uint8Array): Generator<readonly [start: number, end: number]> {
  let start = -1;
  for (let at = 0; at < bytes.length; at += PAGE_SIZE) {
    const zero = isZero(bytes.subarray(at, at + PAGE_SIZE));
    if (!zero && start < 0) start = at;
    if (zero && start >= 0) {
      yield [start, at];
      start = -1;
    }
  }
  if (start >= 0) yield [start, bytes.length];
}
