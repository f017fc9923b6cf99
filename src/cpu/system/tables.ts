/** Descriptor tables, and what software asks about descriptors (SDM volume 2 under these names). */

import { RFLAGS } from '../builder.ts';
import { UNUSABLE } from '../state.ts';
import {
  findDescriptor, isConforming, isNull, isPresent, isReadable, isSystem, isWritableData, privilegeOf, requestedPrivilege, segmentOf,
  selectorError, SYSTEM, typeOf, upperBase, type Descriptor,
} from './descriptors.ts';
import { CR4, demandPrivilege, isCanonical, isLongMode, isReal } from './mode.ts';
import type { Operation, OperationTable } from './operation.ts';
import { GP, NP, UD, type Processor } from './processor.ts';

/** Limit, base. */
const loadTable = (table: 'gdtr' | 'idtr'): Operation => (processor, limit, base) => {
  demandPrivilege(processor);
  if (processor.long && !isCanonical(base)) processor.fault(GP, 0);
  processor.registers.setNumber(`${table}Limit`, Number(limit & 0xffffn));
  processor.registers.setWide(`${table}Base`, base);
};

/** SGDT, SIDT, SLDT, STR and SMSW are the supervisor's alone with UMIP. */
function demandUmip(processor: Processor): void {
  if (processor.level > 0 && (processor.registers.number('cr4') & CR4.UMIP) !== 0) processor.fault(GP, 0);
}

/** Segment number, offset. */
const storeTable = (table: 'gdtr' | 'idtr'): Operation => (processor, segment, offset) => {
  demandUmip(processor);
  const { registers } = processor;
  processor.writeSegment(Number(segment), offset, 2, BigInt(registers.number(`${table}Limit`)));
  const bytes = processor.long ? 8 : 4;
  processor.writeSegment(Number(segment), offset + 2n, bytes, BigInt.asUintN(8 * bytes, registers.wide(`${table}Base`)));
};

function demandProtected(processor: Processor): void {
  if (isReal(processor)) processor.fault(UD);
}

/** A system descriptor for LLDT and LTR. */
function readSystem(processor: Processor, selector: number, types: readonly number[]): Descriptor {
  const error = selectorError(selector);
  const found = (selector & 4) === 0 ? findDescriptor(processor, selector, isLongMode(processor) ? 16 : 8) : undefined;
  const descriptor = found ?? processor.fault(GP, error);
  if (!isSystem(descriptor) || !types.includes(typeOf(descriptor))) processor.fault(GP, error);
  if (!isPresent(descriptor)) processor.fault(NP, error);
  return descriptor;
}

function loadSystem(processor: Processor, name: 'ldtr' | 'tr', descriptor: Descriptor, busy: number): void {
  const segment = segmentOf(descriptor);
  const base = segment.base | (isLongMode(processor) ? upperBase(processor, descriptor) : 0n);
  if (!isCanonical(base)) processor.fault(GP, selectorError(descriptor.selector));
  if (busy !== 0) processor.write(descriptor.address + 5n, 1, BigInt(((descriptor.high >>> 8) & 0xff) | busy), true);
  processor.registers.setSegment(name, { ...segment, base, attributes: segment.attributes | busy });
}

/** Whether LAR and LSL, at this level, may look at it. */
function isVisible(processor: Processor, selector: number, descriptor: Descriptor): boolean {
  return isConforming(descriptor) || (privilegeOf(descriptor) >= processor.level && privilegeOf(descriptor) >= requestedPrivilege(selector));
}

const withLimit: readonly number[] = [SYSTEM.tss16, SYSTEM.ldt, SYSTEM.busyTss16, SYSTEM.tss, SYSTEM.busyTss];
const withRights: readonly number[] = [...withLimit, SYSTEM.callGate16, SYSTEM.taskGate, SYSTEM.callGate];
const inLongMode: readonly number[] = [SYSTEM.ldt, SYSTEM.tss, SYSTEM.busyTss, SYSTEM.callGate];

/** General register | operand size << 8, selector. */
const inspect = (types: readonly number[], value: (descriptor: Descriptor) => number): Operation => (processor, a, b) => {
  demandProtected(processor);
  const selector = Number(b & 0xffffn);
  const descriptor = isNull(selector) ? undefined : findDescriptor(processor, selector);
  const known = descriptor !== undefined && (!isSystem(descriptor)
    || (types.includes(typeOf(descriptor)) && (!isLongMode(processor) || inLongMode.includes(typeOf(descriptor)))));
  const visible = known && isVisible(processor, selector, descriptor);
  setZero(processor, visible);
  if (!visible) return;
  const general = Number(a & 0xffn);
  const found = BigInt(value(descriptor) >>> 0);
  const { registers } = processor;
  registers.setGeneral(general, a >> 8n === 16n ? (registers.general(general) & ~0xffffn) | (found & 0xffffn) : found);
};

function setZero(processor: Processor, set: boolean): void {
  const flags = processor.flags();
  processor.setFlags(set ? flags | RFLAGS.ZF : flags & ~RFLAGS.ZF);
}

/** The selector. */
const verify = (right: (descriptor: Descriptor) => boolean): Operation => (processor, a) => {
  demandProtected(processor);
  const selector = Number(a & 0xffffn);
  const descriptor = isNull(selector) ? undefined : findDescriptor(processor, selector);
  setZero(processor, descriptor !== undefined && !isSystem(descriptor) && right(descriptor) && isVisible(processor, selector, descriptor));
};

export const tableOperations: OperationTable = {
  loadGdt: loadTable('gdtr'),
  loadIdt: loadTable('idtr'),
  storeGdt: storeTable('gdtr'),
  storeIdt: storeTable('idtr'),
  loadLocalTable(processor, a) {
    demandProtected(processor);
    demandPrivilege(processor);
    const selector = Number(a & 0xffffn);
    if (isNull(selector)) processor.registers.setSegment('ldtr', { selector, base: 0n, limit: 0, attributes: UNUSABLE });
    else loadSystem(processor, 'ldtr', readSystem(processor, selector, [SYSTEM.ldt]), 0);
  },
  loadTask(processor, a) {
    demandProtected(processor);
    demandPrivilege(processor);
    const selector = Number(a & 0xffffn);
    if (isNull(selector)) processor.fault(GP, 0);
    const types = isLongMode(processor) ? [SYSTEM.tss] : [SYSTEM.tss, SYSTEM.tss16];
    loadSystem(processor, 'tr', readSystem(processor, selector, types), 2);
  },
  /** Which (0 LDTR, 1 TR, 2 the machine status word) | segment number << 8, offset: of two bytes in memory. */
  storeSelector(processor, a, b) {
    const which = Number(a & 0xffn);
    if (which < 2) demandProtected(processor);
    demandUmip(processor);
    processor.writeSegment(Number(a >> 8n), b, 2, BigInt(systemWord(processor, which)) & 0xffffn);
  },
  /** Which, general register, operand size. */
  storeSelectorToRegister(processor, a, b, c) {
    const which = Number(a);
    if (which < 2) demandProtected(processor);
    demandUmip(processor);
    const { registers } = processor;
    const value = BigInt(systemWord(processor, which));
    const general = Number(b);
    registers.setGeneral(general, c === 16n ? (registers.general(general) & ~0xffffn) | (value & 0xffffn) : value);
  },
  loadRights: inspect(withRights, (descriptor) => descriptor.high & 0xffff00 & (isSystem(descriptor) && typeOf(descriptor) === SYSTEM.callGate ? 0xff00 : -1)),
  loadLimit: inspect(withLimit, (descriptor) => segmentOf(descriptor).limit),
  verifyRead: verify(isReadable),
  verifyWrite: verify(isWritableData),
};

function systemWord({ registers }: Processor, which: number): number {
  if (which === 2) return registers.number('cr0');
  return registers.number(which === 0 ? 'ldtrSelector' : 'trSelector');
}

