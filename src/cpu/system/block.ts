/** Many steps of REP MOVS and REP STOS at once. */

import { RFLAGS } from '../builder.ts';
import type { OperationTable } from './operation.ts';
import type { Processor } from './processor.ts';

const [rax, rcx, rsi, rdi] = [0, 1, 6, 7] as const;
const es = 0;
const pageSize = 4096n;
/** Bytes until somebody may interrupt it. */
const most = 16n * pageSize;

interface Block {
  readonly bytes: bigint;
  readonly mask: bigint;
  readonly segment: number;
}

/** Bytes of an element | address size << 8 | segment of the source << 16. */
const blockOf = (a: bigint): Block => ({ bytes: a & 0xffn, mask: (1n << ((a >> 8n) & 0xffn)) - 1n, segment: Number((a >> 16n) & 0xffn) });

function setIndex(processor: Processor, number: number, mask: bigint, value: bigint): void {
  const kept = mask === 0xffffn ? processor.registers.general(number) & ~mask : 0n;
  processor.registers.setGeneral(number, kept | (value & mask));
}

/** How many elements from this one on, upwards or downwards, lie in its page: behind one translation, if segments begin at pages. */
function inPage(offset: bigint, bytes: bigint, backwards: boolean): bigint {
  const within = offset & (pageSize - 1n);
  if (!backwards) return (pageSize - within) / bytes;
  return within + bytes > pageSize ? 0n : within / bytes + 1n;
}

const smaller = (x: bigint, y: bigint): bigint => (x < y ? x : y);

/** Does so many bytes, of which RSI and RDI have the first element, or the last one when it goes backwards; false when they have to be done one by one. */
type Chunk = (processor: Processor, block: Block, bytes: bigint, backwards: boolean) => boolean;

/** Does what is left of a repeated instruction, in chunks; at the latest after some pages it lets others look. */
function repeat(processor: Processor, block: Block, sources: boolean, chunk: Chunk, single: (processor: Processor, block: Block) => void): void {
  const { registers } = processor;
  const { bytes, mask } = block;
  const flags = processor.flags();
  const backwards = (flags & RFLAGS.DF) !== 0;
  const begun = registers.general(rcx) & mask;
  const stop = processor.stepping ? begun - 1n : begun - smaller(begun, most / bytes);
  for (let left = begun; left > stop;) {
    const [from, to] = [registers.general(rsi) & mask, registers.general(rdi) & mask];
    const room = inPage(to, bytes, backwards);
    const elements = smaller(sources ? smaller(room, inPage(from, bytes, backwards)) : room, left - stop);
    const together = elements > 1n && chunk(processor, block, elements * bytes, backwards);
    if (!together) single(processor, block);
    const done = together ? elements : 1n;
    const distance = backwards ? -done * bytes : done * bytes;
    if (sources) setIndex(processor, rsi, mask, from + distance);
    setIndex(processor, rdi, mask, to + distance);
    left -= done;
    setIndex(processor, rcx, mask, left);
  }
  if (stop > 0n) processor.repeats = true;
}

/** Where a chunk begins whose first element, on the way, is at `index`. */
const startOf = (index: bigint, { bytes: element, mask }: Block, bytes: bigint, backwards: boolean): bigint => (
  backwards ? (index - bytes + element) & mask : index & mask
);

const copy: Chunk = (processor, block, bytes, backwards) => {
  const { registers } = processor;
  const from = processor.bytesAt(block.segment, startOf(registers.general(rsi), block, bytes, backwards), Number(bytes), false);
  const to = processor.bytesAt(es, startOf(registers.general(rdi), block, bytes, backwards), Number(bytes), true);
  if (from === undefined || to === undefined) return false;
  // A destination a little ahead of its source repeats what it has written.
  const ahead = backwards ? from.byteOffset - to.byteOffset : to.byteOffset - from.byteOffset;
  if (ahead > 0 && ahead < from.length) return false;
  to.set(from);
  return true;
};

const fill: Chunk = (processor, block, bytes, backwards) => {
  const { registers } = processor;
  const to = processor.bytesAt(es, startOf(registers.general(rdi), block, bytes, backwards), Number(bytes), true);
  if (to === undefined) return false;
  const size = Number(block.bytes);
  const value = registers.general(rax);
  for (let at = 0; at < size; at++) to[at] = Number((value >> BigInt(8 * at)) & 0xffn);
  for (let done = size; done < to.length; done *= 2) to.copyWithin(done, 0, Math.min(done, to.length - done));
  return true;
};

export const blockOperations: OperationTable = {
  repeatMove: (processor, a) => repeat(processor, blockOf(a), true, copy, (each, { bytes, mask, segment }) => {
    const size = Number(bytes);
    each.writeSegment(es, each.registers.general(rdi) & mask, size, each.readSegment(segment, each.registers.general(rsi) & mask, size));
  }),
  repeatStore: (processor, a) => repeat(processor, blockOf(a), false, fill, (each, { bytes, mask }) => {
    each.writeSegment(es, each.registers.general(rdi) & mask, Number(bytes), BigInt.asUintN(8 * Number(bytes), each.registers.general(rax)));
  }),
};
