/** The 8254 interval timer of a PC, ports 40h-43h. Counter 0 makes IRQ 0; counter 2 is gated and seen through port 61h (port61.ts). */

import { struct } from '../lib/layout.ts';
import { record } from '../lib/record.ts';
import { demandDeadlines } from './checked.ts';
import type { Clock, Timer } from './clock.ts';
import type { AccessSize, Device, Line, Stateful } from './device.ts';
import { ticksAt, timeOfTick } from './frequency.ts';
import {
  counterMembers, demandCounter, latchCount, latchStatus, nextChange, output, program, readByte, resetCounter, setGate, writeByte, type Counter,
} from './pit-counter.ts';

/** Pulses in a second: a third of the colour subcarrier of NTSC. */
export const PIT_HERTZ = 1193182;

const counterLayout = struct('8254_counter', counterMembers);
const outputLayout = struct('8254_output', { change: 'f64', up: 'u8' });

export class Pit implements Device, Stateful {
  readonly name = '8254';
  readonly state = new Uint8Array(3 * counterLayout.size + outputLayout.size);
  readonly #counters = [0, 1, 2].map((at) => record(counterLayout, this.state.subarray(at * counterLayout.size)));
  /** Counter 0's OUT as its line has it, and the pulse with which it changes. */
  readonly #output = record(outputLayout, this.state.subarray(3 * counterLayout.size));
  readonly #clock: Clock;
  readonly #irq: Line;
  readonly #timer: Timer;

  /** @param irq IRQ 0: the OUT pin of counter 0 */
  constructor(clock: Clock, irq: Line) {
    this.#clock = clock;
    this.#irq = irq;
    this.#timer = clock.timer(() => this.#changed());
    this.#counters.forEach((counter, at) => resetCounter(counter, at !== 2));
    this.#settle();
  }

  read(offset: number): number {
    const counter = this.#counters[offset];
    return counter === undefined ? 0xff : readByte(counter, this.#now());
  }

  write(offset: number, _size: AccessSize, value: number): void {
    const counter = this.#counters[offset];
    if (counter !== undefined) writeByte(counter, value, this.#now());
    else this.#control(value);
    this.#settle();
  }

  /** A counter's gate input; those of 0 and 1 are up on a PC. */
  gate(at: number, up: boolean): void {
    setGate(this.#counter(at), up, this.#now());
  }

  /** A counter's OUT pin. */
  output(at: number): boolean {
    return output(this.#counter(at), this.#now());
  }

  restored(): void {
    for (const counter of this.#counters) demandCounter(counter);
    demandDeadlines(this.name, { change: this.#output.change });
    this.#irq(this.#output.up !== 0);
    this.#arm();
  }

  #counter(at: number): Counter {
    return this.#counters[at] as Counter;
  }

  #now(): number {
    return ticksAt(this.#clock.now(), PIT_HERTZ);
  }

  /** The control word: of one counter, a latch command, or a read-back of several. */
  #control(word: number): void {
    const now = this.#now();
    if (word >= 0xc0) {
      this.#counters.forEach((counter, at) => {
        if ((word & (2 << at)) === 0) return;
        if ((word & 0x20) === 0) latchCount(counter, now);
        if ((word & 0x10) === 0) latchStatus(counter, now);
      });
      return;
    }
    const counter = this.#counter(word >> 6);
    if ((word & 0x30) === 0) latchCount(counter, now);
    else program(counter, word);
  }

  /** After a write: the line as OUT is now, and when it changes. */
  #settle(): void {
    const now = this.#now();
    this.#drive(output(this.#counter(0), now));
    this.#output.change = nextChange(this.#counter(0), now);
    this.#arm();
  }

  /**
   * OUT has changed. When more changes than one have been missed since nobody looked, one rise and one fall stand for them all: an edge tells
   * no number, and a guest that is late must not be made later.
   */
  #changed(): void {
    const counter = this.#counter(0);
    const now = this.#now();
    const first = this.#output.change;
    this.#drive(output(counter, first));
    const second = nextChange(counter, first);
    if (second <= now) this.#drive(output(counter, second));
    this.#settle();
  }

  #drive(up: boolean): void {
    if (up === (this.#output.up !== 0)) return;
    this.#output.up = up ? 1 : 0;
    this.#irq(up);
  }

  #arm(): void {
    const { change } = this.#output;
    this.#timer.set(change === Infinity ? Infinity : timeOfTick(change, PIT_HERTZ));
  }
}
