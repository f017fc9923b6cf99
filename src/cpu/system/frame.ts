/** ENTER, LEAVE, PUSHA and POPA where the stack has a segment (SDM volume 2 under these names). */

import type { OperationTable } from './operation.ts';
import type { Processor } from './processor.ts';
import { Stack } from './stack.ts';

const [rsp, rbp] = [4, 5] as const;

function setPart({ registers }: Processor, number: number, bits: number, value: bigint): void {
  const mask = (1n << BigInt(bits)) - 1n;
  registers.setGeneral(number, bits >= 32 ? value & mask : (registers.general(number) & ~mask) | (value & mask));
}

/** @param level how many frame pointers of outer procedures are copied, counting the new one */
function enter(processor: Processor, size: number, allocated: bigint, level: number): void {
  const bytes = size / 8;
  const stack = Stack.current(processor);
  stack.push(processor.registers.general(rbp), bytes);
  const frame = stack.pointer;
  if (level > 0) {
    const outer = new Stack(processor, processor.registers.segment('ss'), processor.registers.general(rbp), processor.long);
    for (let at = 1; at < level; at++) {
      outer.skip(BigInt(-bytes));
      stack.push(outer.peek(0n, bytes), bytes);
    }
    stack.push(frame, bytes);
  }
  stack.skip(-allocated);
  // The last byte of the new frame has to be writable.
  processor.bytesAt(2, stack.pointer & stack.mask, 1, true);
  stack.keep();
  setPart(processor, rbp, size, frame);
}

export const frameOperations: OperationTable = {
  /** Operand size, bytes to allocate, nesting level. */
  enter: (processor, a, b, c) => enter(processor, Number(a), b, Number(c & 0x1fn)),
  /** Operand size. */
  leave(processor, a) {
    const { registers, long } = processor;
    const stack = new Stack(processor, registers.segment('ss'), registers.general(rbp), long);
    const pointer = (registers.general(rsp) & ~stack.mask) | (registers.general(rbp) & stack.mask);
    stack.pointer = pointer;
    const frame = stack.pop(Number(a) / 8);
    stack.keep();
    setPart(processor, rbp, Number(a), frame);
  },
  pushAll(processor, a) {
    const stack = Stack.current(processor);
    for (let number = 0; number < 8; number++) stack.push(processor.registers.general(number), Number(a) / 8);
    stack.keep();
  },
  popAll(processor, a) {
    const stack = Stack.current(processor);
    const values = Array.from({ length: 8 }, () => stack.pop(Number(a) / 8)).toReversed();
    stack.keep();
    values.forEach((value, number) => {
      if (number !== rsp) setPart(processor, number, Number(a), value);
    });
  },
};
