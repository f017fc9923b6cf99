/** Far jumps, calls and returns, IRET (SDM volume 2 under these names; volume 3, 5.8). */

import { RFLAGS } from '../builder.ts';
import { SEGMENT, type SegmentState } from '../registers.ts';
import { codeAt, demandCode, demandSameLevel, enterCode } from './code-segment.ts';
import {
  isConforming, isNull, isPresent, isSystem, nullSegment, privilegeOf, readDescriptor, requestedPrivilege, selectorError, SYSTEM, typeOf, upperBase, findDescriptor,
  type Descriptor,
} from './descriptors.ts';
import { CR4, ioPrivilege, IOPL, isLongMode, isReal, isVirtual8086 } from './mode.ts';
import type { OperationTable } from './operation.ts';
import { GP, NP, type Processor } from './processor.ts';
import { dropInnerSegments, realSegment, stackAt } from './segments.ts';
import { Stack } from './stack.ts';
import { switchTask } from './task.ts';
import { innerPointer, innerStack } from './task-state.ts';

/** Real mode and virtual-8086: CS is its selector. */
function enterRealCode(processor: Processor, selector: number, rip: bigint): void {
  const segment = realSegment(processor, 'cs', selector);
  if (rip > BigInt(segment.limit)) processor.fault(GP, 0);
  enterCode(processor, segment, rip);
}

function pushReturn(processor: Processor, stack: Stack, bytes: number): void {
  stack.push(BigInt(processor.registers.number('csSelector')), bytes);
  stack.push(processor.registers.wide('rip'), bytes);
}

/** JMP and CALL to a selector and an offset of `size` bits. */
function transfer(processor: Processor, selector: number, offset: bigint, size: number, call: boolean): void {
  if (isReal(processor)) {
    const stack = Stack.current(processor);
    if (call) pushReturn(processor, stack, size / 8);
    enterRealCode(processor, selector, offset);
    if (call) stack.keep();
    return;
  }
  if (isNull(selector)) processor.fault(GP, 0);
  const descriptor = readDescriptor(processor, selector);
  if (isSystem(descriptor)) {
    transferBySystem(processor, descriptor, call);
    return;
  }
  demandSameLevel(processor, descriptor, requestedPrivilege(selector));
  demandCode(processor, descriptor);
  const code = codeAt(processor, descriptor, processor.level, offset);
  if (call) pushAndKeep(processor, size / 8);
  enterCode(processor, code, offset);
}

function pushAndKeep(processor: Processor, bytes: number): void {
  const stack = Stack.current(processor);
  pushReturn(processor, stack, bytes);
  stack.keep();
}

/** Through a call gate, a task gate or to a task. */
function transferBySystem(processor: Processor, descriptor: Descriptor, call: boolean): void {
  const { selector } = descriptor;
  const long = isLongMode(processor);
  const type = typeOf(descriptor);
  const known: readonly number[] = long ? [SYSTEM.callGate] : [SYSTEM.callGate, SYSTEM.callGate16, SYSTEM.taskGate, SYSTEM.tss, SYSTEM.tss16];
  const privilege = privilegeOf(descriptor);
  if (!known.includes(type) || privilege < processor.level || privilege < requestedPrivilege(selector)) processor.fault(GP, selectorError(selector));
  if (!isPresent(descriptor)) processor.fault(NP, selectorError(selector));
  const target = descriptor.low >>> 16;
  if (type === SYSTEM.callGate || type === SYSTEM.callGate16) transferByGate(processor, descriptor, call);
  else switchTask(processor, type === SYSTEM.taskGate ? target : selector, call ? 'call' : 'jump');
}

function transferByGate(processor: Processor, gate: Descriptor, call: boolean): void {
  const long = isLongMode(processor);
  const wide = typeOf(gate) === SYSTEM.callGate;
  const selector = gate.low >>> 16;
  // The second half has a type of its own, which is none.
  const whole = !long || (findDescriptor(processor, gate.selector, 16) !== undefined && (processor.read(gate.address + 12n, 4, true) & 0x1f00n) === 0n);
  if (!whole) processor.fault(GP, selectorError(gate.selector));
  const offset = BigInt(((gate.low & 0xffff) | (wide ? gate.high & 0xffff0000 : 0)) >>> 0) | (long ? upperBase(processor, gate) : 0n);
  if (isNull(selector)) processor.fault(GP, 0);
  const descriptor = readDescriptor(processor, selector);
  const privilege = privilegeOf(descriptor);
  const inner = !isConforming(descriptor) && privilege < processor.level;
  if (privilege > processor.level || (inner && !call)) processor.fault(GP, selectorError(selector));
  demandCode(processor, descriptor);
  const level = inner ? privilege : processor.level;
  const code = codeAt(processor, descriptor, level, offset);
  if (long && (code.attributes & SEGMENT.long) === 0) processor.fault(GP, selectorError(selector));
  const bytes = long ? 8 : wide ? 4 : 2;
  if (inner) callInner(processor, level, bytes, gate.high & 0x1f);
  else if (call) pushAndKeep(processor, bytes);
  enterCode(processor, code, offset);
}

/** To the stack of an inner level, with the caller's stack and its parameters on it. */
function callInner(processor: Processor, level: number, bytes: number, parameters: number): void {
  const { registers } = processor;
  const long = bytes === 8;
  const outer = Stack.current(processor);
  const inner = long ? { segment: nullSegment(level, level), pointer: innerPointer(processor, level) } : innerStack(processor, level);
  const stack = new Stack(processor, inner.segment, inner.pointer, long, true, selectorError(inner.segment.selector));
  stack.push(BigInt(registers.number('ssSelector')), bytes);
  stack.push(registers.wide('rsp'), bytes);
  if (!long) for (let at = parameters - 1; at >= 0; at--) stack.push(outer.peek(BigInt(at * bytes), bytes), bytes);
  pushReturn(processor, stack, bytes);
  registers.setSegment('ss', inner.segment);
  stack.keep();
}

/** CS for a return, and the level that it leads to. */
function returnCode(processor: Processor, selector: number, rip: bigint): { code: SegmentState; level: number } {
  if (isNull(selector)) processor.fault(GP, 0);
  const level = requestedPrivilege(selector);
  const descriptor = readDescriptor(processor, selector);
  const privilege = privilegeOf(descriptor);
  if (level < processor.level || (isConforming(descriptor) ? privilege > level : privilege !== level)) processor.fault(GP, selectorError(selector));
  demandCode(processor, descriptor);
  return { code: codeAt(processor, descriptor, level, rip), level };
}

/** SS for a return to a level: it may be null where 64-bit code goes on above level 3. */
function returnStack(processor: Processor, selector: number, code: SegmentState, level: number): SegmentState {
  if (!isNull(selector)) return stackAt(processor, selector, level, GP);
  const to64 = isLongMode(processor) && (code.attributes & SEGMENT.long) !== 0;
  if (!to64 || level === 3 || requestedPrivilege(selector) !== level) processor.fault(GP, 0);
  return nullSegment(selector, level);
}

/** To the stack of the level that is returned to. @param release bytes that are taken from it too */
function returnTo(processor: Processor, code: SegmentState, rip: bigint, level: number, segment: SegmentState, pointer: bigint, release: bigint): void {
  const { registers } = processor;
  const outer = level > processor.level;
  registers.setSegment('ss', segment);
  const wide = isLongMode(processor) && (code.attributes & SEGMENT.long) !== 0;
  const old = registers.wide('rsp');
  const low = wide || (segment.attributes & SEGMENT.big) !== 0 ? pointer : (old & 0xffff0000n) | (pointer & 0xffffn);
  const stack = new Stack(processor, segment, wide ? low : BigInt.asUintN(32, low), wide);
  stack.skip(release);
  stack.keep();
  enterCode(processor, code, rip);
  if (outer) dropInnerSegments(processor, level);
}

function returnFar(processor: Processor, size: number, release: bigint): void {
  const bytes = size / 8;
  const stack = Stack.current(processor);
  const rip = stack.pop(bytes);
  const selector = Number(stack.pop(bytes) & 0xffffn);
  if (isReal(processor)) {
    stack.skip(release);
    enterRealCode(processor, selector, rip);
    stack.keep();
    return;
  }
  const { code, level } = returnCode(processor, selector, rip);
  stack.skip(release);
  if (level === processor.level) {
    stack.keep();
    enterCode(processor, code, rip);
    return;
  }
  const pointer = stack.pop(bytes);
  const segment = returnStack(processor, Number(stack.pop(bytes) & 0xffffn), code, level);
  returnTo(processor, code, rip, level, segment, pointer, release);
}

const always = RFLAGS.CF | RFLAGS.PF | RFLAGS.AF | RFLAGS.ZF | RFLAGS.SF | RFLAGS.TF | RFLAGS.DF | RFLAGS.OF | RFLAGS.NT;

/** RFLAGS by an image of it, as far as the level may change it. */
function returnFlags(processor: Processor, image: number, size: number, level: number): number {
  const old = processor.flags();
  let changed = always | (size === 16 ? 0 : RFLAGS.RF | RFLAGS.AC | RFLAGS.ID);
  if (level <= ioPrivilege(old)) changed |= RFLAGS.IF;
  if (level === 0) changed |= IOPL | (size === 16 ? 0 : RFLAGS.VIF | RFLAGS.VIP);
  return (old & ~changed) | (image & changed) | 2;
}

function returnFromInterrupt(processor: Processor, size: number): void {
  if (isReal(processor)) {
    returnReal(processor, size);
  } else if (processor.flags() & RFLAGS.NT) {
    if (isLongMode(processor)) processor.fault(GP, 0);
    switchTask(processor, Number(processor.read(processor.registers.wide('trBase'), 2, true)), 'return');
  } else {
    returnProtected(processor, size);
  }
  processor.registers.setNumber('nmiBlocked', 0);
  if (processor.registers.number('nmiPending') !== 0) processor.pause();
}

function returnReal(processor: Processor, size: number): void {
  const virtual = isVirtual8086(processor);
  const old = processor.flags();
  const guarded = virtual && ioPrivilege(old) < 3;
  if (guarded && (size !== 16 || (processor.registers.number('cr4') & CR4.VME) === 0)) processor.fault(GP, 0);
  const bytes = size / 8;
  const stack = Stack.current(processor);
  const rip = stack.pop(bytes);
  const selector = Number(stack.pop(bytes) & 0xffffn);
  const image = Number(stack.pop(bytes));
  // With VME the 8086 program's IF is a virtual one (SDM volume 3, 21.3.3.4).
  if (guarded && ((image & RFLAGS.TF) !== 0 || ((image & RFLAGS.IF) !== 0 && (old & RFLAGS.VIP) !== 0))) processor.fault(GP, 0);
  const plain = returnFlags(processor, image, size, virtual ? 3 : 0);
  const flags = guarded ? (plain & ~RFLAGS.VIF) | (image & RFLAGS.IF ? RFLAGS.VIF : 0) : plain;
  enterRealCode(processor, selector, rip);
  stack.keep();
  processor.setFlags(flags);
}

function returnProtected(processor: Processor, size: number): void {
  const bytes = size / 8;
  const stack = Stack.current(processor);
  const rip = stack.pop(bytes);
  const selector = Number(stack.pop(bytes) & 0xffffn);
  const image = Number(stack.pop(bytes) & 0xffffffffn);
  if ((image & RFLAGS.VM) !== 0 && processor.level === 0 && size === 32 && !isLongMode(processor)) {
    returnToVirtual8086(processor, stack, rip, selector, image);
    return;
  }
  const { code, level } = returnCode(processor, selector, rip);
  const flags = returnFlags(processor, image, size, processor.level);
  if (level === processor.level && !processor.long) {
    stack.keep();
    enterCode(processor, code, rip);
  } else {
    const pointer = stack.pop(bytes);
    const segment = returnStack(processor, Number(stack.pop(bytes) & 0xffffn), code, level);
    returnTo(processor, code, rip, level, segment, pointer, 0n);
  }
  processor.setFlags(flags);
  processor.modeChanged();
}

function returnToVirtual8086(processor: Processor, stack: Stack, rip: bigint, cs: number, image: number): void {
  const { registers } = processor;
  const pointer = stack.pop(4);
  const selectors = Array.from({ length: 5 }, () => Number(stack.pop(4) & 0xffffn));
  if (rip > 0xffffn) processor.fault(GP, 0);
  processor.setFlags((image & 0x3f7fd5) | 2);
  (['ss', 'es', 'ds', 'fs', 'gs'] as const).forEach((name, at) => registers.setSegment(name, realSegment(processor, name, selectors[at] as number)));
  registers.setWide('rsp', pointer);
  enterCode(processor, realSegment(processor, 'cs', cs), rip);
}

export const farOperations: OperationTable = {
  /** Selector, offset, operand size. */
  jumpFar: (processor, a, b, c) => transfer(processor, Number(a & 0xffffn), b, Number(c), false),
  callFar: (processor, a, b, c) => transfer(processor, Number(a & 0xffffn), b, Number(c), true),
  /** Operand size, bytes to release. */
  returnFar: (processor, a, b) => returnFar(processor, Number(a), b),
  interruptReturn: (processor, a) => returnFromInterrupt(processor, Number(a)),
};

