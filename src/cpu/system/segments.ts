/** Loading segment registers (SDM volume 2, MOV, POP and LDS; volume 3, 3.4 and 5.5 to 5.7). */

import { descriptorPrivilege, SEGMENT, segmentName, type SegmentState } from '../registers.ts';
import type { SegmentRegister } from '../state.ts';
import { UNUSABLE } from '../state.ts';
import {
  isConforming, isNull, isPresent, isReadable, isWritableData, markAccessed, nullSegment, privilegeOf, readDescriptor, requestedPrivilege, segmentOf, selectorError,
} from './descriptors.ts';
import { isReal, isVirtual8086 } from './mode.ts';
import type { OperationTable } from './operation.ts';
import { GP, NP, SS, UD, type Processor } from './processor.ts';
import { Stack } from './stack.ts';

const stackSegment = 2;
const shadowOfStack = 2;

/** A segment of 64 KiB as real mode and virtual-8086 mode have them; real mode keeps limit and size of what was there before. */
export function realSegment(processor: Processor, name: SegmentRegister, selector: number): SegmentState {
  const base = BigInt(selector * 16);
  if (isVirtual8086(processor)) return { selector, base, limit: 0xffff, attributes: 0xf3 };
  const { limit, attributes } = processor.registers.segment(name);
  const usable = (attributes & UNUSABLE) === 0;
  return { selector, base, limit: usable ? limit : 0xffff, attributes: (usable ? attributes & (SEGMENT.big | 0x8000) : 0) | 0x93 };
}

/** What SS is to hold at a level. @throws Fault as MOV SS raises them */
function checkStack(processor: Processor, selector: number): SegmentState {
  const { level } = processor;
  if (isNull(selector)) {
    if (processor.long && level < 3 && requestedPrivilege(selector) === level) return nullSegment(selector, level);
    processor.fault(GP, 0);
  }
  return stackAt(processor, selector, level, GP);
}

/**
 * A stack segment for a level.
 * @param vector of the fault that another than a writable data segment of that level raises
 */
export function stackAt(processor: Processor, selector: number, level: number, vector: number): SegmentState {
  const descriptor = readDescriptor(processor, selector, vector);
  const right = requestedPrivilege(selector) === level && privilegeOf(descriptor) === level && isWritableData(descriptor);
  if (!right) processor.fault(vector, selectorError(selector));
  if (!isPresent(descriptor)) processor.fault(SS, selectorError(selector));
  markAccessed(processor, descriptor);
  return segmentOf(descriptor);
}

/** What ES, DS, FS or GS is to hold. */
function checkData(processor: Processor, selector: number): SegmentState {
  if (isNull(selector)) return nullSegment(selector);
  const descriptor = readDescriptor(processor, selector);
  const privilege = privilegeOf(descriptor);
  const tooPrivileged = !isConforming(descriptor) && (requestedPrivilege(selector) > privilege || processor.level > privilege);
  if (!isReadable(descriptor) || tooPrivileged) processor.fault(GP, selectorError(selector));
  if (!isPresent(descriptor)) processor.fault(NP, selectorError(selector));
  markAccessed(processor, descriptor);
  return segmentOf(descriptor);
}

/** What a data or stack segment register is to hold for a selector. */
function segmentFor(processor: Processor, number: number, selector: number): SegmentState {
  if (isReal(processor)) return realSegment(processor, segmentName(number), selector);
  return number === stackSegment ? checkStack(processor, selector) : checkData(processor, selector);
}

export function loadSegment(processor: Processor, number: number, selector: number): void {
  const { registers } = processor;
  registers.setSegment(segmentName(number), segmentFor(processor, number, selector));
  if (number === stackSegment) processor.modeChanged();
}

/** After a return to an outer level: data segments that it may not use become null. */
export function dropInnerSegments({ registers }: Processor, level: number): void {
  for (const name of ['es', 'ds', 'fs', 'gs'] as const) {
    const { attributes } = registers.segment(name);
    const conforming = (attributes & (SEGMENT.code | SEGMENT.conforming)) === (SEGMENT.code | SEGMENT.conforming);
    if ((attributes & UNUSABLE) === 0 && !conforming && descriptorPrivilege(attributes) < level) registers.setSegment(name, nullSegment(0));
  }
}

export const segmentOperations: OperationTable = {
  /** Number, selector. */
  loadSegment(processor, a, b) {
    const number = Number(a);
    if (number === 1) processor.fault(UD);
    loadSegment(processor, number, Number(b & 0xffffn));
    if (number === stackSegment) processor.registers.setNumber('interruptShadow', shadowOfStack);
  },
  /** Number, operand size in bits. */
  pushSegment(processor, a, b) {
    const stack = Stack.current(processor);
    stack.push(BigInt(processor.registers.number(`${segmentName(Number(a))}Selector`)), Number(b) / 8);
    stack.keep();
  },
  popSegment(processor, a, b) {
    const number = Number(a);
    const stack = Stack.current(processor);
    const selector = Number(stack.pop(Number(b) / 8) & 0xffffn);
    const segment = segmentFor(processor, number, selector);
    stack.keep();
    processor.registers.setSegment(segmentName(number), segment);
    if (number !== stackSegment) return;
    processor.modeChanged();
    processor.registers.setNumber('interruptShadow', shadowOfStack);
  },
  /** LDS and the like: number of the segment | general register << 8 | operand size << 16, selector, offset. */
  loadPointer(processor, a, b, c) {
    const { registers } = processor;
    const number = Number(a & 0xffn);
    const general = Number((a >> 8n) & 0xffn);
    const size = Number(a >> 16n);
    const segment = segmentFor(processor, number, Number(b & 0xffffn));
    registers.setSegment(segmentName(number), segment);
    registers.setGeneral(general, size === 16 ? (registers.general(general) & ~0xffffn) | (c & 0xffffn) : BigInt.asUintN(size, c));
    if (number === stackSegment) processor.modeChanged();
  },
};
