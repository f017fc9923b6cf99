/** Entering the handler of a vector (SDM volume 3, chapters 6 and 20.1.4; volume 2, INT n). */

import { RFLAGS } from '../builder.ts';
import { SEGMENT, type Registers, type SegmentState } from '../registers.ts';
import { demandCode, codeAt, enterCode } from './code-segment.ts';
import { isConforming, isNull, nullSegment, privilegeOf, readDescriptor, selectorError, SYSTEM, type Descriptor } from './descriptors.ts';
import { isLongMode, isProtected, isVirtual8086 } from './mode.ts';
import { DB, Fault, GP, NP, PF, SS, TS, type CodePlace, type Processor } from './processor.ts';
import { Stack } from './stack.ts';
import { innerPointer, innerStack, interruptStack } from './task-state.ts';
import { switchTask } from './task.ts';

export interface Event {
  readonly vector: number;
  readonly errorCode: number | undefined;
  /** INT n, INT3 and INTO: their gate has to allow it to the level. */
  readonly software: boolean;
  /** From outside: by the interrupt controllers, or an NMI. */
  readonly external?: boolean;
  /** RFLAGS.RF in the image: the instruction at RIP has been begun. */
  readonly resume: boolean;
}

interface Gate {
  readonly type: number;
  readonly selector: number;
  readonly offset: bigint;
  /** Number in the interrupt stack table; 0 for none. */
  readonly stack: number;
}

/** GD of DR7. */
const GENERAL_DETECT = 0x2000;

/** RFLAGS without what handlers do not begin with. */
const clearedAlways = RFLAGS.TF | RFLAGS.NT | RFLAGS.RF | RFLAGS.VM;

/** Nothing of the processor has changed when it throws. @throws Fault with EXT in its error code as the event says */
export function enterHandler(processor: Processor, event: Event): void {
  const from = processor.witness?.entered && placeOf(processor);
  try {
    if (!isProtected(processor)) enterReal(processor, event.vector);
    else if (isLongMode(processor)) enterLong(processor, event);
    else enterProtected(processor, event);
    processor.trapPending = false;
    // The debug registers are free to their handler (SDM volume 3, 17.2.4).
    if (event.vector === DB && !event.software) openDebugRegisters(processor.registers);
    if (from !== undefined) tell(processor, event, from);
  } catch (error) {
    if (error instanceof Fault && !event.software && [TS, NP, SS, GP].includes(error.vector)) error.errorCode = (error.errorCode ?? 0) | 1;
    throw error;
  }
}

function openDebugRegisters(registers: Registers): void {
  registers.setNumber('dr7', registers.number('dr7') & ~GENERAL_DETECT);
}

const placeOf = ({ registers }: Processor): CodePlace => ({ selector: registers.number('csSelector'), rip: registers.wide('rip') });

function tell(processor: Processor, { vector, errorCode, software, external }: Event, from: CodePlace): void {
  const cr2 = vector === PF && !software ? processor.registers.wide('cr2') : undefined;
  processor.witness?.entered?.({ vector, errorCode, cause: external === true ? 'interrupt' : software ? 'software' : 'exception', from, to: placeOf(processor), cr2 });
}

/** By the table of real mode: offset and segment of four bytes each. */
function enterReal(processor: Processor, vector: number): void {
  const { registers } = processor;
  if (4 * vector + 3 > registers.number('idtrLimit')) processor.fault(GP, 0);
  const target = Number(processor.read(registers.wide('idtrBase') + BigInt(4 * vector), 4, true));
  const stack = Stack.current(processor);
  const flags = processor.flags();
  stack.push(BigInt(flags), 2);
  stack.push(BigInt(registers.number('csSelector')), 2);
  stack.push(registers.wide('rip'), 2);
  stack.keep();
  processor.setFlags(flags & ~(RFLAGS.IF | RFLAGS.TF | RFLAGS.AC | RFLAGS.RF));
  registers.setNumber('csSelector', target >>> 16);
  registers.setWide('csBase', BigInt((target >>> 16) * 16));
  registers.setWide('rip', BigInt(target & 0xffff));
  processor.modeChanged();
}

const gateError = (vector: number): number => (vector << 3) | 2;

/** The gate of a vector, which it may be entered through. */
function readGate(processor: Processor, { vector, software }: Event, bytes: 8 | 16): Gate {
  const { registers } = processor;
  const error = gateError(vector);
  if (bytes * vector + bytes - 1 > registers.number('idtrLimit')) processor.fault(GP, error);
  const address = registers.wide('idtrBase') + BigInt(bytes * vector);
  const gate = processor.read(address, 8, true);
  const low = Number(gate & 0xffffffffn);
  const high = Number(gate >> 32n);
  const type = (high >>> 8) & 0x1f;
  const types: readonly number[] = bytes === 16 ? [SYSTEM.interruptGate, SYSTEM.trapGate]
    : [SYSTEM.interruptGate, SYSTEM.trapGate, SYSTEM.interruptGate16, SYSTEM.trapGate16, SYSTEM.taskGate];
  if (!types.includes(type) || (software && ((high >>> 13) & 3) < processor.level)) processor.fault(GP, error);
  if ((high & 0x8000) === 0) processor.fault(NP, error);
  const upper = bytes === 16 ? processor.read(address + 8n, 4, true) << 32n : 0n;
  const half = bytes === 8 && type < 8 ? 0 : high & 0xffff0000;
  return { type, selector: low >>> 16, offset: upper | BigInt(((low & 0xffff) | half) >>> 0), stack: high & 7 };
}

/** The handler's code segment, and the level that it runs at. */
function handlerCode(processor: Processor, selector: number): { descriptor: Descriptor; level: number } {
  if (isNull(selector)) processor.fault(GP, 0);
  const descriptor = readDescriptor(processor, selector);
  const privilege = privilegeOf(descriptor);
  if (privilege > processor.level) processor.fault(GP, selectorError(selector));
  demandCode(processor, descriptor);
  return { descriptor, level: isConforming(descriptor) ? processor.level : privilege };
}

function flagsBehind(gate: Gate, flags: number): number {
  const interrupts = gate.type === SYSTEM.interruptGate || gate.type === SYSTEM.interruptGate16 ? RFLAGS.IF : 0;
  return flags & ~(clearedAlways | interrupts);
}

const imageOf = (flags: number, { resume }: Event): bigint => BigInt((flags & ~RFLAGS.RF) | (resume ? RFLAGS.RF : flags & RFLAGS.RF));

function enterLong(processor: Processor, event: Event): void {
  const { registers } = processor;
  const gate = readGate(processor, event, 16);
  const { descriptor, level } = handlerCode(processor, gate.selector);
  const code = codeAt(processor, descriptor, level, gate.offset);
  if ((code.attributes & SEGMENT.long) === 0) processor.fault(GP, selectorError(gate.selector));
  const inner = level !== processor.level;
  const old = { ss: registers.number('ssSelector'), rsp: registers.wide('rsp') };
  const pointer = gate.stack > 0 ? interruptStack(processor, gate.stack) : inner ? innerPointer(processor, level) : old.rsp;
  const stack = new Stack(processor, registers.segment('ss'), pointer & ~15n, true, level < 3);
  const flags = processor.flags();
  stack.push(BigInt(old.ss), 8);
  stack.push(old.rsp, 8);
  stack.push(imageOf(flags, event), 8);
  stack.push(BigInt(registers.number('csSelector')), 8);
  stack.push(registers.wide('rip'), 8);
  if (event.errorCode !== undefined) stack.push(BigInt(event.errorCode), 8);
  stack.keep();
  if (inner) registers.setSegment('ss', nullSegment(level, level));
  processor.setFlags(flagsBehind(gate, flags));
  enterCode(processor, code, gate.offset);
}

function enterProtected(processor: Processor, event: Event): void {
  const gate = readGate(processor, event, 8);
  if (gate.type === SYSTEM.taskGate) {
    switchTask(processor, gate.selector, 'gate', event.errorCode);
    return;
  }
  const { descriptor, level } = handlerCode(processor, gate.selector);
  const from8086 = isVirtual8086(processor);
  if (from8086 && level !== 0) processor.fault(GP, selectorError(gate.selector));
  const code = codeAt(processor, descriptor, level, gate.offset);
  const bytes = gate.type >= 8 ? 4 : 2;
  const stack = level === processor.level ? { stack: Stack.current(processor), segment: undefined } : stackOf(processor, level, from8086, bytes);
  finishProtected(processor, event, { gate, code, bytes, ...stack });
}

/** The inner level's stack, with what an outer level is to be returned to on it. */
function stackOf(processor: Processor, level: number, from8086: boolean, bytes: number): { stack: Stack; segment: SegmentState } {
  const { registers } = processor;
  const { segment, pointer } = innerStack(processor, level);
  const stack = new Stack(processor, segment, pointer, false, true, selectorError(segment.selector));
  if (from8086) for (const name of ['gs', 'fs', 'ds', 'es'] as const) stack.push(BigInt(registers.number(`${name}Selector`)), bytes);
  stack.push(BigInt(registers.number('ssSelector')), bytes);
  stack.push(registers.wide('rsp'), bytes);
  return { stack, segment };
}

interface Entry {
  readonly gate: Gate;
  readonly code: SegmentState;
  readonly bytes: number;
  readonly stack: Stack;
  /** Of an inner level. */
  readonly segment: SegmentState | undefined;
}

function finishProtected(processor: Processor, event: Event, { gate, code, bytes, stack, segment }: Entry): void {
  const { registers } = processor;
  const flags = processor.flags();
  stack.push(imageOf(flags, event), bytes);
  stack.push(BigInt(registers.number('csSelector')), bytes);
  stack.push(registers.wide('rip'), bytes);
  if (event.errorCode !== undefined) stack.push(BigInt(event.errorCode), bytes);
  if (flags & RFLAGS.VM) for (const name of ['gs', 'fs', 'ds', 'es'] as const) registers.setSegment(name, nullSegment(0));
  if (segment !== undefined) {
    registers.setSegment('ss', segment);
    // ESP comes from the task state; above it nothing is left of an older one.
    stack.pointer = BigInt.asUintN(32, stack.pointer);
  }
  stack.keep();
  processor.setFlags(flagsBehind(gate, flags));
  enterCode(processor, code, gate.offset);
}
