import type { SegmentState } from '../registers.ts';
import { SEGMENT } from '../registers.ts';
import { isCanonical } from './mode.ts';
import { SS, type Processor } from './processor.ts';
import { allowsAccess } from './segment-access.ts';

/** All bits of a stack pointer that count, by the size of the stack. */
const masks = { 16: 0xffffn, 32: 0xffffffffn, 64: 0xffffffffffffffffn } as const;

/** A stack that an operation pushes to or pops from; RSP itself is set by {@link Stack.keep}, when nothing can fault any more. */
export class Stack {
  readonly #processor: Processor;
  readonly #segment: SegmentState;
  readonly #long: boolean;
  readonly #implicit: boolean;
  readonly #errorCode: number;
  /** The bits of RSP that count. */
  readonly mask: bigint;
  pointer: bigint;

  /**
   * @param long in 64-bit mode: no segment, 64 bits of RSP
   * @param implicit with the supervisor's rights: the stack of an inner level
   * @param errorCode of the #SS that its end raises
   */
  constructor(processor: Processor, segment: SegmentState, pointer: bigint, long: boolean, implicit = false, errorCode = 0) {
    this.#processor = processor;
    this.#segment = segment;
    this.#long = long;
    this.#implicit = implicit;
    this.#errorCode = errorCode;
    this.mask = masks[long ? 64 : segment.attributes & SEGMENT.big ? 32 : 16];
    this.pointer = pointer;
  }

  /** That of SS:RSP. */
  static current(processor: Processor): Stack {
    const { registers, long } = processor;
    return new Stack(processor, registers.segment('ss'), registers.wide('rsp'), long);
  }

  push(value: bigint, bytes: number): void {
    const offset = (this.pointer - BigInt(bytes)) & this.mask;
    this.#processor.write(this.#linear(offset, bytes, true), bytes, BigInt.asUintN(8 * bytes, value), this.#implicit);
    this.#moveTo(offset);
  }

  pop(bytes: number): bigint {
    const offset = this.pointer & this.mask;
    const value = this.#processor.read(this.#linear(offset, bytes, false), bytes, this.#implicit);
    this.skip(BigInt(bytes));
    return value;
  }

  skip(bytes: bigint): void {
    this.#moveTo((this.pointer + bytes) & this.mask);
  }

  /** What lies above the pointer. */
  peek(offset: bigint, bytes: number): bigint {
    return this.#processor.read(this.#linear((this.pointer + offset) & this.mask, bytes, false), bytes, this.#implicit);
  }

  keep(): void {
    this.#processor.registers.setWide('rsp', this.pointer);
  }

  #moveTo(offset: bigint): void {
    this.pointer = this.#long ? offset : (this.pointer & (this.mask ^ masks[64])) | offset;
  }

  #linear(offset: bigint, bytes: number, write: boolean): bigint {
    if (this.#long) return isCanonical(offset) ? offset : this.#processor.fault(SS, this.#errorCode);
    if (!allowsAccess(this.#segment, Number(offset), bytes, write)) this.#processor.fault(SS, this.#errorCode);
    return BigInt.asUintN(32, this.#segment.base + offset);
  }
}
