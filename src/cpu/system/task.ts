/** Task switches by hardware (SDM volume 3, chapter 8). */

import { RFLAGS } from '../builder.ts';
import { SEGMENT, segmentName, type SegmentState } from '../registers.ts';
import { segmentRegisters, UNUSABLE } from '../state.ts';
import {
  isCode, isConforming, isNull, isPresent, isReadable, isWritableData, markAccessed, nullSegment, privilegeOf, readDescriptor, requestedPrivilege, segmentOf, selectorError,
  SYSTEM, typeOf, type Descriptor,
} from './descriptors.ts';
import { CR0, CR4 } from './mode.ts';
import { GP, NP, SS, TS, type Processor } from './processor.ts';
import { Stack } from './stack.ts';

/** What leads to another task: JMP; CALL; a gate of the interrupt table; IRET with NT set. */
export type TaskCause = 'jump' | 'call' | 'gate' | 'return';

/** BT of DR6. */
const TASK_TRAP = 0x8000;

interface Format {
  /** Bytes of a register. */
  readonly width: 2 | 4;
  /** Where EIP is: flags, the eight general registers and the segments follow. */
  readonly rip: number;
  readonly segments: number;
  /** How many segment registers there are, and how many bytes each takes. */
  readonly segmentCount: number;
  readonly ldt: number;
  readonly size: number;
}

const wide: Format = { width: 4, rip: 32, segments: 72, segmentCount: 6, ldt: 96, size: 104 };
const narrow: Format = { width: 2, rip: 14, segments: 34, segmentCount: 4, ldt: 42, size: 44 };
const formatOf = (type: number): Format => (type & 8 ? wide : narrow);

/** The task behind a selector, which has to be one that is waiting (or, on a return, busy). */
function readTask(processor: Processor, selector: number, cause: TaskCause): Descriptor {
  const vector = cause === 'return' ? TS : GP;
  const error = selectorError(selector);
  if (isNull(selector) || (selector & 4) !== 0) processor.fault(vector, error);
  const descriptor = readDescriptor(processor, selector, vector);
  const type = (descriptor.high >>> 8) & 0x1f;
  const wanted: readonly number[] = cause === 'return' ? [SYSTEM.busyTss, SYSTEM.busyTss16] : [SYSTEM.tss, SYSTEM.tss16];
  if (!wanted.includes(type)) processor.fault(vector, error);
  if (!isPresent(descriptor)) processor.fault(NP, error);
  if (segmentOf(descriptor).limit < formatOf(type).size - 1) processor.fault(TS, error);
  return descriptor;
}

function setBusy(processor: Processor, { address, high }: { address: bigint; high: number }, busy: boolean): void {
  const byte = (high >>> 8) & 0xff;
  processor.write(address + 5n, 1, BigInt(busy ? byte | 2 : byte & ~2), true);
}

/** Writes what runs now into its task state. */
function leaveTask(processor: Processor, cause: TaskCause): void {
  const { registers } = processor;
  const format = formatOf(registers.number('trAttributes'));
  const base = registers.wide('trBase');
  const flags = processor.flags() & (cause === 'return' ? ~RFLAGS.NT : -1);
  const write = (offset: number, value: bigint, bytes: number): void => processor.write(base + BigInt(offset), bytes, BigInt.asUintN(8 * bytes, value), true);
  const { width } = format;
  write(format.rip, registers.wide('rip'), width);
  write(format.rip + width, BigInt(flags), width);
  for (let number = 0; number < 8; number++) write(format.rip + width * (2 + number), registers.general(number), width);
  for (let number = 0; number < format.segmentCount; number++) {
    write(format.segments + width * number, BigInt(registers.number(`${segmentName(number)}Selector`)), 2);
  }
}

interface Image {
  readonly rip: bigint;
  readonly flags: number;
  readonly general: readonly bigint[];
  readonly segments: readonly number[];
  readonly ldt: number;
  readonly cr3: bigint | undefined;
  readonly trap: boolean;
}

function readImage(processor: Processor, base: bigint, format: Format): Image {
  const read = (offset: number, bytes: number): bigint => processor.read(base + BigInt(offset), bytes, true);
  const { width } = format;
  const registersAt = (at: number): bigint => read(format.rip + width * at, width);
  const segments = Array.from({ length: 6 }, (_, number) => (number < format.segmentCount ? Number(read(format.segments + width * number, 2)) : 0));
  return {
    rip: registersAt(0), flags: Number(registersAt(1)), general: Array.from({ length: 8 }, (_, number) => registersAt(2 + number)), segments,
    ldt: Number(read(format.ldt, 2)), cr3: width === 4 ? read(28, 4) : undefined, trap: width === 4 && (read(100, 2) & 1n) !== 0n,
  };
}

/**
 * From the task that runs to another one.
 * @param errorCode of the exception that leads there, which is pushed on the new task's stack
 */
export function switchTask(processor: Processor, selector: number, cause: TaskCause, errorCode?: number): void {
  const { registers } = processor;
  const descriptor = readTask(processor, selector, cause);
  const format = formatOf(typeOf(descriptor));
  const task = segmentOf(descriptor);
  const image = readImage(processor, task.base, format);
  const old = { selector: registers.number('trSelector'), attributes: registers.number('trAttributes') };
  leaveTask(processor, cause);
  if (cause === 'jump' || cause === 'return') setBusy(processor, readDescriptor(processor, old.selector, TS), false);
  const nested = cause === 'call' || cause === 'gate';
  if (nested) processor.write(task.base, 2, BigInt(old.selector), true);
  if (cause !== 'return') setBusy(processor, descriptor, true);
  registers.setSegment('tr', { ...task, attributes: task.attributes | 2 });
  registers.setWide('cr0', registers.wide('cr0') | BigInt(CR0.TS));
  if (image.cr3 !== undefined && registers.number('cr0') >= CR0.PG) {
    registers.setWide('cr3', image.cr3);
    processor.modeChanged();
    processor.flushTranslations((registers.number('cr4') & CR4.PGE) === 0);
  }
  registers.setNumber('dr7', registers.number('dr7') & ~0x155);
  enterTask(processor, image, nested, format.width);
  if (image.trap) processor.debugCauses |= TASK_TRAP;
  if (errorCode !== undefined) {
    const stack = Stack.current(processor);
    stack.push(BigInt(errorCode), format.width);
    stack.keep();
  }
}

/** Loads the registers of the new task. Faults from here on are its own: it is the one that runs. */
function enterTask(processor: Processor, image: Image, nested: boolean, width: number): void {
  const { registers } = processor;
  registers.setWide('rip', image.rip);
  processor.setFlags((image.flags & 0x3f7fd5 & ~0x8028) | 2 | (nested ? RFLAGS.NT : 0));
  image.general.forEach((value, number) => registers.setGeneral(number, width === 4 ? value : (registers.general(number) & 0xffff0000n) | value));
  loadLocalTable(processor, image.ldt);
  if (image.flags & RFLAGS.VM) {
    image.segments.forEach((selector, number) => {
      registers.setSegment(segmentName(number), { selector, base: BigInt(16 * selector), limit: 0xffff, attributes: 0xf3 });
    });
  } else {
    image.segments.forEach((selector, number) => registers.setSegment(segmentName(number), nullSegment(selector, requestedPrivilege(image.segments[1] as number))));
    processor.modeChanged();
    const level = requestedPrivilege(image.segments[1] as number);
    registers.setSegment('cs', taskCode(processor, image.segments[1] as number));
    registers.setSegment('ss', taskStack(processor, image.segments[2] as number, level));
    for (const number of [0, 3, 4, 5]) registers.setSegment(segmentName(number), taskData(processor, image.segments[number] as number, level));
  }
  processor.modeChanged();
  if (image.rip > BigInt(registers.number('csLimit'))) processor.fault(GP, 0);
}

function loadLocalTable(processor: Processor, selector: number): void {
  if (isNull(selector)) {
    processor.registers.setSegment('ldtr', { selector, base: 0n, limit: 0, attributes: UNUSABLE });
    return;
  }
  const descriptor = readDescriptor(processor, selector, TS);
  if (((descriptor.high >>> 8) & 0x9f) !== (0x80 | SYSTEM.ldt)) processor.fault(TS, selectorError(selector));
  processor.registers.setSegment('ldtr', segmentOf(descriptor));
}

function taskCode(processor: Processor, selector: number): SegmentState {
  const descriptor = readDescriptor(processor, selector, TS);
  const level = requestedPrivilege(selector);
  const right = isConforming(descriptor) ? privilegeOf(descriptor) <= level : privilegeOf(descriptor) === level;
  if (!isCode(descriptor) || !right) processor.fault(TS, selectorError(selector));
  if (!isPresent(descriptor)) processor.fault(NP, selectorError(selector));
  markAccessed(processor, descriptor);
  return segmentOf(descriptor);
}

function taskStack(processor: Processor, selector: number, level: number): SegmentState {
  const descriptor = readDescriptor(processor, selector, TS);
  const right = isWritableData(descriptor) && privilegeOf(descriptor) === level && requestedPrivilege(selector) === level;
  if (!right) processor.fault(TS, selectorError(selector));
  if (!isPresent(descriptor)) processor.fault(SS, selectorError(selector));
  markAccessed(processor, descriptor);
  return segmentOf(descriptor);
}

function taskData(processor: Processor, selector: number, level: number): SegmentState {
  if (isNull(selector)) return nullSegment(selector);
  const descriptor = readDescriptor(processor, selector, TS);
  const privilege = privilegeOf(descriptor);
  const inner = !isConforming(descriptor) && (privilege < level || privilege < requestedPrivilege(selector));
  if (!isReadable(descriptor) || inner) processor.fault(TS, selectorError(selector));
  if (!isPresent(descriptor)) processor.fault(NP, selectorError(selector));
  markAccessed(processor, descriptor);
  return segmentOf(descriptor);
}

if (segmentRegisters[1] !== 'cs' || SEGMENT.present !== 0x80) throw new Error('the task state counts on the order of the segment registers');
