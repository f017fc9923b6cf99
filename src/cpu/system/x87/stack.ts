/** The x87 register stack (SDM volume 1, 8.1.2 to 8.1.7, 8.5.1.1). The state holds it as FXSAVE does: ST(0) first. */

import { cpuState } from '../../state.ts';
import { checkPending, summarize } from '../fpu-state.ts';
import type { Processor } from '../processor.ts';

/** A number of 80 bits: sign and exponent, significand. */
export interface Extended {
  readonly upper: number;
  readonly significand: bigint;
}

/** Exceptions and condition codes of the status word. */
export const IE = 1;
export const DE = 2;
const SF = 0x40;
export const C0 = 0x100;
export const C1 = 0x200;
export const C2 = 0x400;
export const C3 = 0x4000;
/** Of these the result is not stored when they are unmasked. */
export const beforeStore = 7;

/** What an invalid operation gives when it is masked. */
export const indefinite: Extended = { upper: 0xffff, significand: 1n << 63n | 1n << 62n };

const { offset: first } = cpuState.fields.st0Low;

export const topOf = (processor: Processor): number => (processor.registers.number('fsw') >> 11) & 7;

function setTop(processor: Processor, top: number): void {
  const fsw = processor.registers.number('fsw');
  processor.registers.setNumber('fsw', (fsw & ~0x3800) | ((top & 7) << 11));
}

/** Before each instruction that computes: an exception that waits comes now, and C1 is cleared. */
export function begin(processor: Processor): void {
  checkPending(processor);
  setConditions(processor, C1, 0);
  processor.float.flags.value = 0;
}

/** Sets those of the bits in `mask` that are in `bits`, clears the others. */
export function setConditions(processor: Processor, mask: number, bits: number): void {
  processor.registers.setNumber('fsw', (processor.registers.number('fsw') & ~mask) | (bits & mask));
}

export function isEmpty(processor: Processor, index: number): boolean {
  return ((processor.registers.number('ftw') >> ((topOf(processor) + index) & 7)) & 1) === 0;
}

export function setEmpty(processor: Processor, index: number, empty: boolean): void {
  const bit = 1 << ((topOf(processor) + index) & 7);
  const tags = processor.registers.number('ftw');
  processor.registers.setNumber('ftw', empty ? tags & ~bit : tags | bit);
}

export function read(processor: Processor, index: number): Extended {
  const { view } = processor.registers;
  return { significand: view.getBigUint64(first + 16 * index, true), upper: view.getUint16(first + 16 * index + 8, true) };
}

export function write(processor: Processor, index: number, { upper, significand }: Extended): void {
  const { view } = processor.registers;
  view.setBigUint64(first + 16 * index, significand, true);
  view.setUint16(first + 16 * index + 8, upper, true);
  setEmpty(processor, index, false);
}

/** TOP goes by so many; the registers keep their places in the ring. */
export function turn(processor: Processor, by: number): void {
  const { view } = processor.registers;
  const registers = new Uint8Array(view.buffer, view.byteOffset + first, 128);
  const before = registers.slice();
  for (let index = 0; index < 8; index++) registers.set(before.subarray(16 * ((index + by) & 7), 16 * ((index + by) & 7) + 16), 16 * index);
  setTop(processor, topOf(processor) + by);
}

export function pop(processor: Processor): void {
  setEmpty(processor, 0, true);
  turn(processor, 1);
}

/** A NaN, or one of the patterns that are nothing any more: its leading digit is missing. */
export function isNoNumber({ upper, significand }: Extended): boolean {
  const exponent = upper & 0x7fff;
  return exponent === 0x7fff ? significand !== 1n << 63n : exponent !== 0 && significand >> 63n === 0n;
}

/** An invalid operation on the stack. @returns whether it is masked */
export function stackFault(processor: Processor, overflow: boolean): boolean {
  setConditions(processor, C1, overflow ? C1 : 0);
  return raise(processor, IE | SF);
}

/** Adds exceptions and condition codes to the status word. @returns whether the result is stored */
export function raise(processor: Processor, flags: number): boolean {
  const { registers } = processor;
  registers.setNumber('fsw', registers.number('fsw') | flags);
  summarize(processor);
  return (flags & ~registers.number('fcw') & beforeStore) === 0;
}

/** What the floating point has raised since `begin`, and `more`. @returns whether the result is stored */
export function raised(processor: Processor, more = 0): boolean {
  return raise(processor, processor.float.exceptionsF80(processor.registers.number('fcw')) | more);
}

/** The number that the floating point has given last. */
export const given = (processor: Processor, significand: bigint): Extended => ({ significand: BigInt.asUintN(64, significand), upper: processor.float.high.value & 0xffff });

/** Onto the stack, if there is room. */
export function push(processor: Processor, value: Extended): void {
  const room = isEmpty(processor, 7);
  if (!room && !stackFault(processor, true)) return;
  turn(processor, -1);
  write(processor, 0, room ? value : indefinite);
}
