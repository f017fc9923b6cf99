/** IN, OUT, INS, OUTS (SDM volume 1, chapter 19). */

import { RFLAGS } from '../builder.ts';
import { portBreakpoints } from './breakpoints.ts';
import { ioPrivilege, isProtected, isVirtual8086 } from './mode.ts';
import type { OperationTable } from './operation.ts';
import { GP, type Processor } from './processor.ts';
import { allowsPorts } from './task-state.ts';

type Bytes = 1 | 2 | 4;

function demandPort(processor: Processor, port: number, bytes: Bytes): void {
  const free = !isProtected(processor) || (!isVirtual8086(processor) && processor.level <= ioPrivilege(processor.flags()));
  if (!free && !allowsPorts(processor, port, bytes)) processor.fault(GP, 0);
  processor.debugCauses |= portBreakpoints(processor.registers, port, bytes);
}

/** The lower part of a register; 32 bits clear the rest. */
function setPart(processor: Processor, number: number, bits: number, value: bigint): void {
  const { registers } = processor;
  const mask = (1n << BigInt(bits)) - 1n;
  registers.setGeneral(number, bits >= 32 ? value & mask : (registers.general(number) & ~mask) | (value & mask));
}

interface Step {
  readonly bytes: Bytes;
  readonly addressSize: number;
  readonly repeats: boolean;
  readonly segment: number;
}

/** Bytes | address size << 8 | whether it repeats << 16 | segment << 24. */
const stepOf = (a: bigint): Step => ({
  bytes: Number(a & 0xffn) as Bytes, addressSize: Number((a >> 8n) & 0xffn), repeats: (a >> 16n & 1n) !== 0n, segment: Number((a >> 24n) & 0xffn),
});

const rcx = 1;
const rsi = 6;
const rdi = 7;

/** One element of a string instruction; with a repeat prefix as long as the counter says, once each time. */
function stringStep(processor: Processor, { bytes, addressSize, repeats }: Step, index: number, element: (offset: bigint) => void): void {
  const { registers } = processor;
  const mask = (1n << BigInt(addressSize)) - 1n;
  const count = registers.general(rcx) & mask;
  if (repeats && count === 0n) return;
  const offset = registers.general(index) & mask;
  element(offset);
  const moved = processor.flags() & RFLAGS.DF ? offset - BigInt(bytes) : offset + BigInt(bytes);
  setPart(processor, index, addressSize, moved & mask);
  if (!repeats) return;
  setPart(processor, rcx, addressSize, count - 1n);
  if (count > 1n) processor.repeats = true;
}

export const portOperations: OperationTable = {
  /** Port, bytes. */
  in(processor, a, b) {
    const [port, bytes] = [Number(a & 0xffffn), Number(b) as Bytes];
    demandPort(processor, port, bytes);
    setPart(processor, 0, 8 * bytes, BigInt(processor.outside.readPort(port, bytes) >>> 0));
  },
  /** Port, bytes, value. */
  out(processor, a, b, c) {
    const [port, bytes] = [Number(a & 0xffffn), Number(b) as Bytes];
    demandPort(processor, port, bytes);
    processor.outside.writePort(port, bytes, Number(BigInt.asUintN(8 * bytes, c)));
  },
  inString(processor, a) {
    const step = stepOf(a);
    const port = Number(processor.registers.wide('rdx') & 0xffffn);
    demandPort(processor, port, step.bytes);
    stringStep(processor, step, rdi, (offset) => {
      // A fault has to come before the device is read.
      processor.bytesAt(0, offset, 1, true);
      processor.bytesAt(0, (offset + BigInt(step.bytes - 1)) & ((1n << BigInt(step.addressSize)) - 1n), 1, true);
      processor.writeSegment(0, offset, step.bytes, BigInt(processor.outside.readPort(port, step.bytes) >>> 0));
    });
  },
  outString(processor, a) {
    const step = stepOf(a);
    const port = Number(processor.registers.wide('rdx') & 0xffffn);
    demandPort(processor, port, step.bytes);
    stringStep(processor, step, rsi, (offset) => {
      processor.outside.writePort(port, step.bytes, Number(processor.readSegment(step.segment, offset, step.bytes)));
    });
  },
};
