/** A machine's time, and what waits for it. */

import { struct } from '../lib/layout.ts';
import { record } from '../lib/record.ts';
import { demandWhole } from './checked.ts';
import type { Stateful } from './device.ts';

/** A deadline that can be set again and again. */
export interface Timer {
  /** Nanoseconds of the clock; Infinity when it is not set. */
  readonly time: number;
  /** Sets or moves it. A time that has come already is one at the clock's next `run`. Infinity cancels it. */
  set(time: number): void;
  cancel(): void;
}

/** A machine's time in nanoseconds since it was made (exact up to 2^53, 104 days). It stands still in a snapshot. */
export interface Clock {
  now(): number;
  /** A timer that is not set. Calls `expired` once for each time that has come, between two instructions of the guest. */
  timer(expired: () => void): Timer;
  /** A timer that is set. */
  at(time: number, expired: () => void): Timer;
}

const layout = struct('clock', { time: 'f64' });

/** A clock of whole nanoseconds over a source: real time, or instructions counted. Timers are kept in a binary heap, the first at its root. */
export class VirtualClock implements Clock, Stateful {
  readonly name = 'clock';
  /** Called when {@link next} has become earlier, but for by what `run` calls. */
  onEarlier: (() => void) | undefined = undefined;
  readonly #source: () => number;
  readonly #bytes = new Uint8Array(layout.size);
  readonly #saved = record(layout, this.#bytes);
  readonly #heap: HeapTimer[] = [];
  /** What the source said at time 0. */
  #origin: number;
  /** The time at which it stands still; undefined while it runs. */
  #stopped: number | undefined;
  /** While `run` runs: up to when. */
  #running = -1;
  #armed = 0;

  /** @param source nanoseconds since anything, never less than before */
  constructor(source: () => number) {
    this.#source = source;
    this.#origin = source();
  }

  now(): number {
    return this.#stopped ?? Math.floor(this.#source() - this.#origin);
  }

  /** It stands still until {@link start}: a machine that is paused. */
  stop(): void {
    this.#stopped = this.now();
  }

  start(): void {
    if (this.#stopped !== undefined) this.#origin = this.#source() - this.#stopped;
    this.#stopped = undefined;
  }

  timer(expired: () => void): Timer {
    return new HeapTimer(this, expired);
  }

  at(time: number, expired: () => void): Timer {
    const timer = this.timer(expired);
    timer.set(time);
    return timer;
  }

  /** When the first timer is due; Infinity when none is set. */
  next(): number {
    return this.#heap[0]?.time ?? Infinity;
  }

  /** Calls what has expired, in the order of time. What is set meanwhile, to whatever time, is left for the next `run`: it always ends. */
  run(): void {
    const now = this.now();
    this.#running = now;
    for (let first = this.#heap[0]; first !== undefined && first.time <= now; first = this.#heap[0]) {
      first.cancel();
      first.expired();
    }
    this.#running = -1;
  }

  /** @internal For its timers: the place in the heap after a change of `time`; from `index` -1 it is a new one. */
  arm(timer: HeapTimer, time: number): void {
    timer.time = time <= this.#running ? this.#running + 1 : time;
    timer.order = this.#armed++;
    if (timer.index < 0) timer.index = this.#heap.push(timer) - 1;
    this.#settle(timer);
    if (timer.index === 0 && this.#running < 0) this.onEarlier?.();
  }

  /** @internal For its timers. */
  disarm(timer: HeapTimer): void {
    const last = this.#heap.pop();
    if (last !== undefined && last !== timer) {
      this.#put(last, timer.index);
      this.#settle(last);
    }
    timer.index = -1;
  }

  #put(timer: HeapTimer, index: number): void {
    this.#heap[index] = timer;
    timer.index = index;
  }

  /** Moves a timer up or down to where it belongs. */
  #settle(timer: HeapTimer): void {
    let index = timer.index;
    for (let parent = this.#heap[(index - 1) >> 1]; index > 0 && parent !== undefined && timer.before(parent); parent = this.#heap[(index - 1) >> 1]) {
      this.#put(parent, index);
      index = (index - 1) >> 1;
    }
    for (let child = this.#firstChild(index); child?.before(timer) === true; child = this.#firstChild(index)) {
      const place = child.index;
      this.#put(child, index);
      index = place;
    }
    this.#put(timer, index);
  }

  #firstChild(index: number): HeapTimer | undefined {
    const [left, right] = [this.#heap[2 * index + 1], this.#heap[2 * index + 2]];
    return left !== undefined && right?.before(left) === true ? right : left;
  }

  /** The time as bytes: taken when it is asked for. */
  get state(): Uint8Array {
    this.#saved.time = this.now();
    return this.#bytes;
  }

  /** Goes on from the time that was written. Timers are the devices' to set again. */
  restored(): void {
    const { time } = this.#saved;
    demandWhole(this.name, { time });
    for (const timer of this.#heap.slice()) timer.cancel();
    this.#origin = this.#source() - time;
    if (this.#stopped !== undefined) this.#stopped = time;
  }
}

class HeapTimer implements Timer {
  readonly #clock: VirtualClock;
  readonly expired: () => void;
  time = Infinity;
  /** Its place in the heap; -1 when it is not set. */
  index = -1;
  /** Of two at the same time, the one that was set first comes first. */
  order = 0;

  constructor(clock: VirtualClock, expired: () => void) {
    this.#clock = clock;
    this.expired = expired;
  }

  before(other: HeapTimer): boolean {
    return this.time < other.time || (this.time === other.time && this.order < other.order);
  }

  set(time: number): void {
    if (time === Infinity) this.cancel();
    else this.#clock.arm(this, time);
  }

  cancel(): void {
    if (this.index >= 0) this.#clock.disarm(this);
    this.time = Infinity;
  }
}
