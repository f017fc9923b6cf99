/**
 * One of the three counters of an 8254, computed when somebody looks: nothing is counted meanwhile. Modes and their words are those of Intel's
 * 8254 data sheet (231164), section "Mode definitions". Times are in clock pulses (CLK) since the machine was made.
 */

import type { RecordOf } from '../lib/record.ts';
import { demandAtMost, demandWhole } from './checked.ts';

export const counterMembers = {
  /** Where the count in the counting element was `initial`; a count that was written is loaded with the next pulse. */
  start: 'f64',
  /** Pulses that had been counted when the gate went down in a mode that then waits; -1 while it counts. */
  frozen: 'f64',
  /** When `next` replaces `initial`, and the `start` that it then has (modes 2 and 3). */
  nextAt: 'f64', nextStart: 'f64',
  /** Count in use, 1 to 65536; 0 when none was loaded since the control word. */
  initial: 'u32',
  /** A count that was written but is not in use yet; 0 for none. */
  next: 'u32',
  /** What a latch command has kept, and how many of its bytes are left to read. */
  latch: 'u16', latchLeft: 'u8',
  status: 'u8', statusLatched: 'u8',
  mode: 'u8', bcd: 'u8', gate: 'u8',
  /** 1 low byte, 2 high byte, 3 both, low first. */
  access: 'u8',
  /** The low byte that was written, when the high one is expected; whether the high one is read next. */
  low: 'u8', writeHigh: 'u8', readHigh: 'u8',
} as const;
export type Counter = RecordOf<typeof counterMembers>;

/** @throws DelosError `bad-snapshot` when no counter can be like this */
export function demandCounter({ start, frozen, nextAt, nextStart, initial, next, mode }: Counter): void {
  demandWhole('8254', { start, frozen, nextAt, nextStart });
  demandAtMost('8254', { initial: [initial, 0x10000], next: [next, 0x10000], mode: [mode, 5] });
}

/** Mode 3 with the largest count, as a BIOS leaves it. */
export function resetCounter(counter: Counter, gate: boolean): void {
  counter.gate = gate ? 1 : 0;
  counter.frozen = -1;
  counter.mode = counter.access = 3;
  load(counter, 0x10000, 0);
}

/** A control word for this counter. It waits for its count. */
export function program(counter: Counter, word: number): void {
  const mode = (word >> 1) & 7;
  counter.mode = mode > 5 ? mode - 4 : mode;
  counter.access = (word >> 4) & 3;
  counter.bcd = word & 1;
  counter.initial = counter.next = 0;
  counter.frozen = -1;
  counter.latchLeft = counter.statusLatched = counter.writeHigh = counter.readHigh = 0;
}

/** A byte of a count. */
export function writeByte(counter: Counter, byte: number, now: number): void {
  if (counter.access === 3 && counter.writeHigh === 0) {
    counter.low = byte;
    counter.writeHigh = 1;
    // In mode 0 the first of two bytes stops the counting, and OUT is low.
    if (counter.mode === 0) counter.initial = 0;
    return;
  }
  const value = counter.access === 3 ? counter.low | (byte << 8) : byte << (counter.access === 2 ? 8 : 0);
  counter.writeHigh = 0;
  writeCount(counter, counter.bcd === 0 ? value || 0x10000 : fromBcd(value) || 10000, now);
}

function writeCount(counter: Counter, count: number, now: number): void {
  settle(counter, now);
  const { mode, initial } = counter;
  if (mode === 1 || mode === 5) counter.next = count;
  else if (mode === 0 || mode === 4 || initial === 0) load(counter, count, now + 1);
  else replaceLater(counter, count, now);
}

function load(counter: Counter, count: number, start: number): void {
  counter.initial = count;
  counter.next = 0;
  counter.start = start;
  counter.frozen = counter.gate === 0 && counter.mode !== 1 && counter.mode !== 5 ? 0 : -1;
}

/** Modes 2 and 3 finish their period, or the half of it, with the count that they have. */
function replaceLater(counter: Counter, count: number, now: number): void {
  const { mode, initial } = counter;
  const elapsed = counted(counter, now);
  const phase = elapsed % initial;
  const high = highPulses(initial);
  const firstHalf = mode === 3 && phase < high;
  counter.next = count;
  counter.nextAt = now + (firstHalf ? high : initial) - phase;
  counter.nextStart = firstHalf ? counter.nextAt - highPulses(count) : counter.nextAt;
}

/** Puts a count in use whose time has come. */
export function settle(counter: Counter, now: number): void {
  if (counter.next === 0 || counter.frozen >= 0 || (counter.mode & 2) === 0 || now < counter.nextAt) return;
  counter.initial = counter.next;
  counter.start = counter.nextStart;
  counter.next = 0;
}

/** The gate input: a level that lets modes 0, 2, 3 and 4 count, an edge that triggers 1 and 5 and starts 2 and 3 anew. */
export function setGate(counter: Counter, up: boolean, now: number): void {
  if (up === (counter.gate !== 0)) return;
  settle(counter, now);
  counter.gate = up ? 1 : 0;
  const { mode, initial, next, frozen } = counter;
  if (!up) {
    if (initial !== 0 && mode !== 1 && mode !== 5) counter.frozen = counted(counter, now);
  } else if (mode === 0 || mode === 4) {
    if (frozen >= 0) counter.start = now - frozen;
    counter.frozen = -1;
  } else if ((next || initial) !== 0) load(counter, next || initial, now + 1);
}

/** Pulses since the count was loaded. */
function counted(counter: Counter, now: number): number {
  return counter.frozen >= 0 ? counter.frozen : Math.max(0, now - counter.start);
}

/** Pulses of a period of mode 3 in which OUT is high; the odd one is here. */
function highPulses(count: number): number {
  return (count + 1) >> 1;
}

/** The OUT pin. */
export function output(counter: Counter, now: number): boolean {
  settle(counter, now);
  const { mode, initial } = counter;
  if (initial === 0) return mode !== 0;
  const elapsed = counted(counter, now);
  if (mode <= 1) return elapsed >= initial;
  if (mode >= 4) return elapsed !== initial;
  if (counter.gate === 0) return true;
  return mode === 2 ? elapsed % initial !== initial - 1 : elapsed % initial < highPulses(initial);
}

/** The first pulse after `now` with which OUT changes; Infinity when it stays. */
export function nextChange(counter: Counter, now: number): number {
  settle(counter, now);
  const { mode, initial } = counter;
  if (initial === 0 || counter.frozen >= 0) return Infinity;
  const elapsed = counted(counter, now);
  const from = Math.max(now, counter.start);
  if (mode <= 1 || mode >= 4) {
    if (elapsed < initial) return from + initial - elapsed;
    return mode >= 4 && elapsed === initial ? from + 1 : Infinity;
  }
  if (initial === 1) return Infinity;
  const phase = elapsed % initial;
  const change = mode === 2 ? initial - 1 : highPulses(initial);
  return from + (phase < change ? change : initial) - phase;
}

/** The counting element, as it is read. Mode 3 counts by two, in each half from an even number. */
function countAt(counter: Counter, now: number): number {
  settle(counter, now);
  const { mode, initial } = counter;
  if (initial === 0) return 0;
  const elapsed = counted(counter, now);
  let count = initial - elapsed;
  if (mode === 2) count = initial - (elapsed % initial);
  if (mode === 3) {
    const phase = elapsed % initial;
    const high = highPulses(initial);
    count = (initial & ~1) - 2 * (phase < high ? phase : phase - high);
  }
  const modulus = counter.bcd === 0 ? 0x10000 : 10000;
  const rest = ((count % modulus) + modulus) % modulus;
  return counter.bcd === 0 ? rest : toBcd(rest);
}

/** Counter latch command: the count is kept until it has been read. */
export function latchCount(counter: Counter, now: number): void {
  if (counter.latchLeft !== 0) return;
  counter.latch = countAt(counter, now);
  counter.latchLeft = counter.access === 3 ? 2 : 1;
}

/** Read-back of the status: OUT, null count, and the control word. */
export function latchStatus(counter: Counter, now: number): void {
  if (counter.statusLatched !== 0) return;
  const out = output(counter, now) ? 0x80 : 0;
  const isNull = counter.initial === 0 || counter.next !== 0 || (counter.frozen < 0 && now < counter.start) ? 0x40 : 0;
  counter.status = out | isNull | (counter.access << 4) | (counter.mode << 1) | counter.bcd;
  counter.statusLatched = 1;
}

/** A read: the status that was latched, then the count that was, else the count as it runs. */
export function readByte(counter: Counter, now: number): number {
  if (counter.statusLatched !== 0) {
    counter.statusLatched = 0;
    return counter.status;
  }
  if (counter.latchLeft !== 0) {
    const high = counter.access === 2 || (counter.access === 3 && counter.latchLeft === 1);
    counter.latchLeft--;
    return high ? counter.latch >> 8 : counter.latch & 0xff;
  }
  const high = counter.access === 2 || (counter.access === 3 && counter.readHigh !== 0);
  if (counter.access === 3) counter.readHigh ^= 1;
  const count = countAt(counter, now);
  return high ? count >> 8 : count & 0xff;
}

function fromBcd(value: number): number {
  return (value >> 12) * 1000 + ((value >> 8) & 15) * 100 + ((value >> 4) & 15) * 10 + (value & 15);
}

function toBcd(value: number): number {
  const digit = (power: number): number => Math.floor(value / power) % 10;
  return (digit(1000) << 12) | (digit(100) << 8) | (digit(10) << 4) | digit(1);
}
