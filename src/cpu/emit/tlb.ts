/** What emitted code does with a linear address, before it is one of the host's: the look into the TLB, and the one at its alignment. */

import { TLB_ENTRIES, TLB_READ, TLB_WRITE } from '../layout.ts';
import type { Code } from '../wasm/code.ts';

/** The engine's function for what the TLB does not know. */
export type Slow = 'slowRead' | 'slowWrite' | 'slowModify';

/** By how much an address is shifted so that its page's number counts entries of 16 bytes. */
const pageToEntry = 8;

/** What differs between those who write the code. */
export interface Lookup {
  /** Puts the bits of a tag for what runs now on the stack. */
  mode(code: Code): Code;
  /** Sets the local to where the engine has found it, or leaves. */
  miss(host: number): void;
}

/** The local with the host's address of so many bytes. @param linear a local */
export function throughTlb(code: Code, linear: number, size: number, slow: Slow, { mode, miss }: Lookup): number {
  const tlb = slow === 'slowRead' ? TLB_READ : TLB_WRITE;
  const [entry, host] = [code.local('i32'), code.local('i32')];
  code.get(linear).op('i32.wrap_i64').i32(pageToEntry).op('i32.shr_u').i32((TLB_ENTRIES - 1) << 4).op('i32.and').tee(entry).access('i64.load', tlb);
  // The last byte has to be in the page too.
  code.get(linear);
  if (size > 1) code.i64(BigInt(size - 1)).op('i64.add');
  mode(code.i64(-4096n).op('i64.and')).op('i64.or', 'i64.eq').if();
  code.get(linear).op('i32.wrap_i64').get(entry).access('i32.load', tlb + 8).op('i32.add').set(host).else();
  miss(host);
  code.end();
  return host;
}

/** Puts an address on the stack as the engine's functions take it, the lower half first. */
export const pushAddress = (code: Code, linear: number): Code => (
  code.get(linear).op('i32.wrap_i64').get(linear).i64(32n).op('i64.shr_u', 'i32.wrap_i64')
);

/**
 * That the address is a multiple of the size, which is a power of 2.
 * @param noAddress leaves with the access's own fault, for an address that is none
 * @param fault leaves with that of the alignment
 */
export function requireAligned(code: Code, linear: number, size: number, noAddress: () => void, fault: () => void): void {
  code.get(linear).op('i32.wrap_i64').i32(size - 1).op('i32.and').if();
  code.get(linear).i64(16n).op('i64.shl').i64(16n).op('i64.shr_s').get(linear).op('i64.ne').if();
  noAddress();
  code.end();
  fault();
  code.end();
}
