import { APIC_TIMER_HERTZ, type TimeStampCounter } from './apic-timer.ts';
import type { Clock } from './clock.ts';

/** Time-stamp counters of a tick a nanosecond of the machine's clock, all of them alike. */
export class TimeStamps implements TimeStampCounter {
  readonly hertz = APIC_TIMER_HERTZ;
  readonly #clock: Clock;
  #ahead = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  read(): number {
    return this.#clock.now() + this.#ahead;
  }

  /** It goes on from here: in a machine whose counter stood there elsewhere, maybe at another frequency. */
  goOnFrom(value: number): void {
    this.#ahead = value - this.#clock.now();
  }
}
