/** Segment and system descriptors (SDM volume 3, 3.4.5, 3.5 and 5.8). */

import { SEGMENT, type SegmentState } from '../registers.ts';
import { UNUSABLE } from '../state.ts';
import { GP, type Processor } from './processor.ts';

/** Eight bytes of a descriptor table. */
export interface Descriptor {
  readonly selector: number;
  /** Its linear address. */
  readonly address: bigint;
  readonly low: number;
  readonly high: number;
}

/** Types of system descriptors; in long mode 2 and 9 to 15 are those of 64 bits. */
export const SYSTEM = {
  tss16: 1, ldt: 2, busyTss16: 3, callGate16: 4, taskGate: 5, interruptGate16: 6, trapGate16: 7, tss: 9, busyTss: 11, callGate: 12, interruptGate: 14, trapGate: 15,
} as const;

/** As a fault's error code has a selector. */
export const selectorError = (selector: number): number => selector & 0xfffc;
export const isNull = (selector: number): boolean => (selector & 0xfffc) === 0;
export const requestedPrivilege = (selector: number): number => selector & 3;

export const attributesOf = ({ high }: Descriptor): number => (high >>> 8) & 0xf0ff;
export const privilegeOf = ({ high }: Descriptor): number => (high >>> 13) & 3;
export const isPresent = ({ high }: Descriptor): boolean => (high & 0x8000) !== 0;
export const typeOf = ({ high }: Descriptor): number => (high >>> 8) & 0xf;
export const isSystem = ({ high }: Descriptor): boolean => (high & 0x1000) === 0;
export const isCode = (descriptor: Descriptor): boolean => !isSystem(descriptor) && (typeOf(descriptor) & SEGMENT.code) !== 0;
export const isConforming = (descriptor: Descriptor): boolean => isCode(descriptor) && (typeOf(descriptor) & SEGMENT.conforming) !== 0;
export const isWritableData = (descriptor: Descriptor): boolean => !isSystem(descriptor) && (typeOf(descriptor) & (SEGMENT.code | SEGMENT.writable)) === SEGMENT.writable;
export const isReadable = (descriptor: Descriptor): boolean => !isSystem(descriptor) && (typeOf(descriptor) & (SEGMENT.code | SEGMENT.readable)) !== SEGMENT.code;

/** What a segment register holds of a descriptor; code and data have been accessed then. */
export function segmentOf(descriptor: Descriptor, selector = descriptor.selector): SegmentState {
  const { low, high } = descriptor;
  const attributes = attributesOf(descriptor);
  const pages = (attributes & 0x8000) !== 0;
  const limit = (low & 0xffff) | (high & 0xf0000);
  const base = ((low >>> 16) | ((high & 0xff) << 16) | (high & 0xff000000)) >>> 0;
  return { selector, base: BigInt(base), limit: pages ? ((limit << 12) | 0xfff) >>> 0 : limit, attributes: isSystem(descriptor) ? attributes : attributes | SEGMENT.accessed };
}

/** A segment register that a null selector was loaded into. */
export const nullSegment = (selector: number, level = 0): SegmentState => ({ selector, base: 0n, limit: 0, attributes: UNUSABLE | (level << 5) });

/** In long mode a system descriptor goes on for eight more bytes: the base above 32 bits. */
export const upperBase = (processor: Processor, { address }: Descriptor): bigint => processor.read(address + 8n, 4, true) << 32n;

/** Where a selector's descriptor is; undefined when its table does not reach so far. */
export function findDescriptor(processor: Processor, selector: number, bytes = 8): Descriptor | undefined {
  const { registers } = processor;
  const local = (selector & 4) !== 0;
  if (local && (registers.number('ldtrAttributes') & UNUSABLE) !== 0) return undefined;
  const base = registers.wide(local ? 'ldtrBase' : 'gdtrBase');
  const limit = registers.number(local ? 'ldtrLimit' : 'gdtrLimit');
  const offset = selector & 0xfff8;
  if (offset + bytes - 1 > limit) return undefined;
  const address = base + BigInt(offset);
  const both = processor.read(address, 8, true);
  return { selector, address, low: Number(both & 0xffffffffn), high: Number(both >> 32n) };
}

/** @throws Fault of this vector with the selector when its table does not reach so far */
export function readDescriptor(processor: Processor, selector: number, vector = GP): Descriptor {
  return findDescriptor(processor, selector) ?? processor.fault(vector, selectorError(selector));
}

/** Sets the accessed bit of a code or data segment. */
export function markAccessed(processor: Processor, { address, high }: Descriptor): void {
  if ((high & 0x100) === 0) processor.write(address + 5n, 1, BigInt(((high >>> 8) & 0xff) | 1), true);
}
