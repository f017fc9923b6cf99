/** Loading CS: what far jumps, calls, returns, gates and interrupts have in common (SDM volume 3, 5.8). */

import { SEGMENT, type SegmentState } from '../registers.ts';
import { attributesOf, isCode, isConforming, isPresent, markAccessed, privilegeOf, segmentOf, selectorError, type Descriptor } from './descriptors.ts';
import { isCanonical, isLongMode } from './mode.ts';
import { GP, NP, type Processor } from './processor.ts';

/** #GP when it is no code segment of one size, #NP when it is not there. */
export function demandCode(processor: Processor, descriptor: Descriptor): void {
  const attributes = attributesOf(descriptor);
  const twoSizes = isLongMode(processor) && (attributes & (SEGMENT.long | SEGMENT.big)) === (SEGMENT.long | SEGMENT.big);
  if (!isCode(descriptor) || twoSizes) processor.fault(GP, selectorError(descriptor.selector));
  if (!isPresent(descriptor)) processor.fault(NP, selectorError(descriptor.selector));
}

/** Of a jump or call without a gate: the level stays. */
export function demandSameLevel(processor: Processor, descriptor: Descriptor, requested: number): void {
  const privilege = privilegeOf(descriptor);
  const { level } = processor;
  const allowed = isConforming(descriptor) ? privilege <= level : privilege === level && requested <= level;
  if (!allowed) processor.fault(GP, selectorError(descriptor.selector));
}

/** CS as it is at a level, checked to hold the new RIP. */
export function codeAt(processor: Processor, descriptor: Descriptor, level: number, rip: bigint): SegmentState {
  const segment = segmentOf(descriptor, (descriptor.selector & 0xfffc) | level);
  const wide = isLongMode(processor) && (segment.attributes & SEGMENT.long) !== 0;
  if (wide ? !isCanonical(rip) : rip > BigInt(segment.limit)) processor.fault(GP, 0);
  markAccessed(processor, descriptor);
  return segment;
}

/** The end of a far transfer. */
export function enterCode(processor: Processor, segment: SegmentState, rip: bigint): void {
  processor.registers.setSegment('cs', segment);
  processor.registers.setWide('rip', rip);
  processor.modeChanged();
}
