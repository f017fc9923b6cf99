/** What a task state segment says without a task switch: stacks and ports (SDM volume 3, 8.2 and 8.7). */

import type { SegmentState } from '../registers.ts';
import { isNull, selectorError } from './descriptors.ts';
import { stackAt } from './segments.ts';
import { TS, type Processor } from './processor.ts';

/** Types of the task register's segment: the lowest bit of 8 tells 16 from 32 (or 64) bits. */
const wideTask = 8;

function readTask(processor: Processor, offset: number, bytes: number): bigint {
  const { registers } = processor;
  if (offset + bytes - 1 > registers.number('trLimit')) processor.fault(TS, selectorError(registers.number('trSelector')));
  return processor.read(registers.wide('trBase') + BigInt(offset), bytes, true);
}

/** SS and ESP of an inner level, in protected mode. */
export function innerStack(processor: Processor, level: number): { segment: SegmentState; pointer: bigint } {
  const wide = (processor.registers.number('trAttributes') & wideTask) !== 0;
  const offset = wide ? 4 + 8 * level : 2 + 4 * level;
  const pointer = readTask(processor, offset, wide ? 4 : 2);
  const selector = Number(readTask(processor, offset + (wide ? 4 : 2), 2));
  if (isNull(selector)) processor.fault(TS, 0);
  return { segment: stackAt(processor, selector, level, TS), pointer };
}

/** RSP of an inner level, in long mode. */
export const innerPointer = (processor: Processor, level: number): bigint => readTask(processor, 4 + 8 * level, 8);

/** RSP by the interrupt stack table, 1 to 7. */
export const interruptStack = (processor: Processor, number: number): bigint => readTask(processor, 36 + 8 * (number - 1), 8);

/** Whether the permission bitmap lets the current task use these ports. */
export function allowsPorts(processor: Processor, port: number, bytes: number): boolean {
  const { registers } = processor;
  const limit = registers.number('trLimit');
  if ((registers.number('trAttributes') & wideTask) === 0 || limit < 103) return false;
  const base = registers.wide('trBase');
  const map = Number(processor.read(base + 102n, 2, true));
  const at = map + (port >> 3);
  // Two bytes are always read, so the map ends with one more of ones.
  if (at + 1 > limit) return false;
  const bits = Number(processor.read(base + BigInt(at), 2, true)) >> (port & 7);
  return (bits & ((1 << bytes) - 1)) === 0;
}
