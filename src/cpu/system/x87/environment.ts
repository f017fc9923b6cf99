/** FSTENV, FLDENV, FSAVE and FRSTOR (SDM volume 1, 8.1.10). */

import type { OperationTable } from '../operation.ts';
import { checkX87, fpuStateOperations, summarize } from '../fpu-state.ts';
import type { Processor } from '../processor.ts';
import { isEmpty, read, setEmpty, topOf, write } from './stack.ts';

/** The full tag word: of each register valid 0, zero 1, special 2, empty 3. */
function tagWord(processor: Processor): number {
  let word = 0;
  for (let index = 0; index < 8; index++) {
    const { upper, significand } = read(processor, index);
    const exponent = upper & 0x7fff;
    const kind = exponent === 0 ? (significand === 0n ? 1 : 2) : exponent === 0x7fff || significand >> 63n === 0n ? 2 : 0;
    word |= (isEmpty(processor, index) ? 3 : kind) << (2 * ((topOf(processor) + index) & 7));
  }
  return word;
}

type Put = (at: number, bytes: number, value: bigint) => void;

/** Words of 16 bits for operands of 16, else of 32; the pointers' selectors read as zero. */
function environment(processor: Processor, put: Put, wide: boolean): number {
  const { registers } = processor;
  const word = wide ? 4 : 2;
  const upper = wide ? 0xffff0000n : 0n;
  const fields = [BigInt(registers.number('fcw')), BigInt(registers.number('fsw')), BigInt(tagWord(processor))];
  fields.forEach((value, at) => put(word * at, word, value | upper));
  const pointer = BigInt.asUintN(8 * word, registers.wide('fip'));
  put(3 * word, word, pointer);
  put(4 * word, word, wide ? BigInt(registers.number('fop')) << 16n : 0n);
  put(5 * word, word, BigInt.asUintN(8 * word, registers.wide('fdp')));
  put(6 * word, word, wide ? upper : 0n);
  return 7 * word;
}

function loadEnvironment(processor: Processor, segment: bigint, offset: bigint, wide: boolean): number {
  const { registers } = processor;
  const word = wide ? 4 : 2;
  const [control, status, tags] = [0, 1, 2].map((at) => Number(processor.readSegment(Number(segment), offset + BigInt(word * at), 2))) as [number, number, number];
  processor.readSegment(Number(segment), offset + BigInt(6 * word), word);
  registers.setNumber('fcw', (control & 0x1f7f) | 0x40);
  // TOP turns, but what is stored of the registers goes by their numbers in the stack.
  registers.setNumber('fsw', status);
  for (let physical = 0; physical < 8; physical++) setEmpty(processor, (physical - topOf(processor)) & 7, ((tags >> (2 * physical)) & 3) === 3);
  summarize(processor);
  return 7 * word;
}

/** The registers as they are in the ring, so that a new TOP finds them. */
function turned(processor: Processor, load: () => number): number {
  const before = topOf(processor);
  const ring = Array.from({ length: 8 }, (_, physical) => read(processor, (physical - before) & 7));
  const length = load();
  const top = topOf(processor);
  const tags = processor.registers.number('ftw');
  ring.forEach((value, physical) => write(processor, (physical - top) & 7, value));
  processor.registers.setNumber('ftw', tags);
  return length;
}

const writer = (processor: Processor, segment: bigint, offset: bigint): Put => (at, bytes, value) => {
  processor.writeSegment(Number(segment), offset + BigInt(at), bytes, value);
};

export const x87Environment: OperationTable = {
  /** Offset, segment, wide. */
  fnstenv(processor, offset, segment, wide) {
    checkX87(processor);
    environment(processor, writer(processor, segment, offset), wide !== 0n);
    // All exceptions are masked then.
    processor.registers.setNumber('fcw', processor.registers.number('fcw') | 0x3f);
    summarize(processor);
  },
  fldenv(processor, offset, segment, wide) {
    checkX87(processor);
    turned(processor, () => loadEnvironment(processor, segment, offset, wide !== 0n));
  },
  fnsave(processor, offset, segment, wide) {
    checkX87(processor);
    const put = writer(processor, segment, offset);
    const from = wide === 0n ? 14 : 28;
    for (let index = 7; index >= 0; index--) {
      const { upper, significand } = read(processor, index);
      put(from + 10 * index + 8, 2, BigInt(upper));
      put(from + 10 * index, 8, significand);
    }
    environment(processor, put, wide !== 0n);
    fpuStateOperations['fninit']?.(processor, 0n, 0n, 0n);
  },
  frstor(processor, offset, segment, wide) {
    checkX87(processor);
    const from = wide === 0n ? 14n : 28n;
    const values = Array.from({ length: 8 }, (_, index) => {
      const at = offset + from + BigInt(10 * index);
      return { significand: processor.readSegment(Number(segment), at, 8), upper: Number(processor.readSegment(Number(segment), at + 8n, 2)) };
    });
    loadEnvironment(processor, segment, offset, wide !== 0n);
    const tags = processor.registers.number('ftw');
    values.forEach((value, index) => write(processor, index, value));
    processor.registers.setNumber('ftw', tags);
  },
};
