/** Control and status words of x87, MXCSR, and both units' state in memory (SDM volume 1, 8.1 and 10.5). */

import { cpuState } from '../state.ts';
import type { OperationTable } from './operation.ts';
import { GP, MF, NM, UD, type Processor } from './processor.ts';
import { countFromZero } from './register-ring.ts';

const CR0_MP = 2;
const CR0_EM = 4;
const CR0_TS = 8;
const CR4_OSFXSR = 1 << 9;

/** Bits of MXCSR that there are. */
export const MXCSR_MASK = 0xffff;

/** Of the FXSAVE area: what the processor writes, x87's part of it with MXCSR, and where the registers begin. */
const written = 416;
const header = 32;
const withoutXmm = 160;

/** The FSW bit that says that an unmasked exception waits; B is its copy. */
const ES = 0x80;
const B = 0x8000;

/** #NM: there is no unit, or it holds another task's state. */
export function checkX87(processor: Processor): void {
  if (processor.registers.number('cr0') & (CR0_EM | CR0_TS)) processor.fault(NM);
}

function checkSse(processor: Processor): void {
  const cr0 = processor.registers.number('cr0');
  if (cr0 & CR0_EM || !(processor.registers.number('cr4') & CR4_OSFXSR)) processor.fault(UD);
  if (cr0 & CR0_TS) processor.fault(NM);
}

/** FXSAVE and FXRSTOR are older than CR4.OSFXSR. */
function checkArea(processor: Processor, offset: bigint): void {
  checkX87(processor);
  if (offset % 16n !== 0n) processor.fault(GP);
}

/** #MF for an exception that waits. */
export function checkPending(processor: Processor): void {
  checkX87(processor);
  if (processor.registers.number('fsw') & ES) processor.fault(MF);
}

/** ES and B follow from exceptions and masks. */
export function summarize(processor: Processor): void {
  const { registers } = processor;
  const waits = registers.number('fsw') & ~registers.number('fcw') & 0x3f;
  registers.setNumber('fsw', waits ? registers.number('fsw') | ES | B : registers.number('fsw') & ~(ES | B));
}

const segmentOf = (value: bigint): number => Number(value);

/** The state as it lies in the area; pointers of 32 bits have a selector behind them, which reads as zero. */
function image(processor: Processor, wide: boolean): Uint8Array {
  const { registers: { view } } = processor;
  const bytes = new Uint8Array(view.buffer, view.byteOffset + cpuState.fields.fcw.offset, written).slice();
  const area = new DataView(bytes.buffer);
  area.setUint32(28, MXCSR_MASK, true);
  for (const pointer of wide ? [] : [12, 20]) area.setUint32(pointer, 0, true);
  // What is behind each x87 register's ten bytes is reserved.
  for (let at = header; at < withoutXmm; at += 16) bytes.fill(0, at + 10, at + 16);
  return bytes;
}

/** Without 64-bit mode there are eight XMM registers. */
const lengthOf = (processor: Processor): number => (processor.registers.number('cr4') & CR4_OSFXSR ? (processor.long ? written : 288) : withoutXmm);

export const fpuStateOperations: OperationTable = {
  fnop: checkPending,
  /** What once enabled and disabled interrupts: not even an exception that waits is told. */
  fneni: checkX87,
  fwait(processor) {
    const cr0 = processor.registers.number('cr0');
    if ((cr0 & (CR0_MP | CR0_TS)) === (CR0_MP | CR0_TS)) processor.fault(NM);
    if (processor.registers.number('fsw') & ES) processor.fault(MF);
  },
  fninit(processor) {
    checkX87(processor);
    const { registers } = processor;
    registers.setNumber('fcw', 0x37f);
    countFromZero(registers);
    registers.setNumber('fsw', 0);
    registers.setNumber('ftw', 0);
    registers.setNumber('fop', 0);
    registers.setNumber('fip', 0);
    registers.setNumber('fdp', 0);
  },
  fnclex(processor) {
    checkX87(processor);
    processor.registers.setNumber('fsw', processor.registers.number('fsw') & 0x7f00);
  },
  fldcw(processor, offset, segment) {
    checkPending(processor);
    const word = Number(processor.readSegment(segmentOf(segment), offset, 2));
    processor.registers.setNumber('fcw', (word & 0x1f7f) | 0x40);
    summarize(processor);
  },
  fnstcw(processor, offset, segment) {
    checkX87(processor);
    processor.writeSegment(segmentOf(segment), offset, 2, BigInt(processor.registers.number('fcw')));
  },
  fnstsw(processor, offset, segment) {
    checkX87(processor);
    processor.writeSegment(segmentOf(segment), offset, 2, BigInt(processor.registers.number('fsw')));
  },
  fnstswAx(processor) {
    checkX87(processor);
    const { registers } = processor;
    registers.setGeneral(0, (registers.general(0) & ~0xffffn) | BigInt(registers.number('fsw')));
  },
  ldmxcsr(processor, offset, segment) {
    checkSse(processor);
    const value = Number(processor.readSegment(segmentOf(segment), offset, 4));
    if (value & ~MXCSR_MASK) processor.fault(GP);
    processor.registers.setNumber('mxcsr', value);
  },
  stmxcsr(processor, offset, segment) {
    checkSse(processor);
    processor.writeSegment(segmentOf(segment), offset, 4, BigInt(processor.registers.number('mxcsr')));
  },
  fxsave(processor, offset, segment, wide) {
    checkArea(processor, offset);
    const area = new DataView(image(processor, wide !== 0n).buffer);
    // The last byte first: when it can be written, all can.
    const length = lengthOf(processor);
    for (let at = length - 8; at >= 0; at -= 8) processor.writeSegment(segmentOf(segment), offset + BigInt(at), 8, area.getBigUint64(at, true));
  },
  fxrstor(processor, offset, segment, wide) {
    checkArea(processor, offset);
    const { registers } = processor;
    const length = lengthOf(processor);
    const area = new DataView(new ArrayBuffer(written));
    for (let at = 0; at < length; at += 8) area.setBigUint64(at, processor.readSegment(segmentOf(segment), offset + BigInt(at), 8), true);
    if (area.getUint32(24, true) & ~MXCSR_MASK) processor.fault(GP);
    for (const pointer of wide === 0n ? [12, 20] : []) area.setUint32(pointer, 0, true);
    const state = new Uint8Array(registers.view.buffer, registers.view.byteOffset + cpuState.fields.fcw.offset, written);
    state.set(new Uint8Array(area.buffer, 0, length));
    registers.setNumber('fcw', (registers.number('fcw') & 0x1f7f) | 0x40);
    registers.setNumber('mxcsrMask', MXCSR_MASK);
    summarize(processor);
  },
};
