/** A local APIC's timer: SDM volume 3, section "APIC Timer". Its input is 1 GHz, a tick a nanosecond. */

import { demandDeadlines } from './checked.ts';
import type { Clock, Timer } from './clock.ts';
import { LVT_TIMER, type ApicRegisters } from './apic-registers.ts';

/** Ticks of the timer in a second before it divides. */
export const APIC_TIMER_HERTZ = 1e9;

/** A processor's time-stamp counter, as the deadline mode needs it. */
export interface TimeStampCounter {
  readonly hertz: number;
  /** Its value, exact up to 2^53. */
  read(cpu: number): number;
}

const PERIODIC = 1;
const TSC_DEADLINE = 2;

/** One shot, periodic or TSC deadline (3 is reserved). */
function modeOf(lvt: number): number {
  return (lvt >> 17) & 3;
}

export class ApicTimer {
  readonly #registers: ApicRegisters;
  readonly #clock: Clock;
  readonly #tsc: () => number;
  readonly #tscHertz: number;
  readonly #expired: () => void;
  readonly #timer: Timer;

  /** @param expired the LVT's interrupt */
  constructor(registers: ApicRegisters, clock: Clock, tsc: TimeStampCounter, cpu: number, expired: () => void) {
    this.#registers = registers;
    this.#clock = clock;
    this.#tsc = () => tsc.read(cpu);
    this.#tscHertz = tsc.hertz;
    this.#expired = expired;
    this.#timer = clock.timer(() => this.#fired());
  }

  /** After the registers have been reset. */
  arm(): void {
    this.#timer.set(this.#registers.timerDeadline);
  }

  /** After they have been restored. A count of 0 does not run. @throws DelosError `bad-snapshot` */
  restored(): void {
    const { timerStart, timerDeadline, initialCount } = this.#registers;
    demandDeadlines('local APIC', { timerStart, timerDeadline });
    if (initialCount === 0 && this.#mode() !== TSC_DEADLINE) this.#registers.timerDeadline = Infinity;
    this.arm();
  }

  /** The LVT entry changes from `before`: to or from the deadline mode it is disarmed. */
  modeChanged(before: number): void {
    const after = this.#registers.lvt[LVT_TIMER] as number;
    if ((modeOf(before) === TSC_DEADLINE) === (modeOf(after) === TSC_DEADLINE)) return;
    this.#registers.initialCount = this.#registers.deadlineLow = this.#registers.deadlineHigh = 0;
    this.#set(Infinity);
  }

  /** Writes the initial count, which starts it; 0 stops it. */
  start(count: number): void {
    if (this.#mode() === TSC_DEADLINE) return;
    const registers = this.#registers;
    registers.initialCount = count;
    registers.timerStart = this.#clock.now();
    this.#set(count === 0 ? Infinity : registers.timerStart + count * this.#divisor());
  }

  /** Writes the divide configuration: what is left to count stays, and goes on at the new speed. */
  setDivide(value: number): void {
    const registers = this.#registers;
    const left = this.current();
    registers.divide = value & 0b1011;
    if (registers.timerDeadline === Infinity || this.#mode() === TSC_DEADLINE) return;
    this.#set(this.#clock.now() + left * this.#divisor());
    registers.timerStart = registers.timerDeadline - registers.initialCount * this.#divisor();
  }

  /** The current count. */
  current(): number {
    const { timerStart, timerDeadline, initialCount } = this.#registers;
    if (timerDeadline === Infinity || this.#mode() === TSC_DEADLINE) return 0;
    const left = initialCount - Math.floor((this.#clock.now() - timerStart) / this.#divisor());
    return Math.min(initialCount, Math.max(0, left));
  }

  /** Writes IA32_TSC_DEADLINE; 0 disarms. Without effect in the other modes. */
  setDeadline(low: number, high: number): void {
    if (this.#mode() !== TSC_DEADLINE) return;
    this.#registers.deadlineLow = low;
    this.#registers.deadlineHigh = high;
    this.#awaitDeadline();
  }

  #mode(): number {
    return modeOf(this.#registers.lvt[LVT_TIMER] as number);
  }

  /** 1 to 128: table "Divide Configuration Register"; its bits are 0, 1 and 3. */
  #divisor(): number {
    const { divide } = this.#registers;
    return 1 << ((((divide & 3) | ((divide & 8) >> 1)) + 1) & 7);
  }

  #set(time: number): void {
    this.#registers.timerDeadline = time;
    this.#timer.set(time);
  }

  #ticksToDeadline(): number {
    const { deadlineLow, deadlineHigh } = this.#registers;
    return deadlineHigh * 2 ** 32 + deadlineLow - this.#tsc();
  }

  #awaitDeadline(): void {
    const { deadlineLow, deadlineHigh } = this.#registers;
    if ((deadlineLow | deadlineHigh) === 0) return this.#set(Infinity);
    const left = Math.max(0, this.#ticksToDeadline());
    return this.#set(this.#clock.now() + Math.ceil((left * 1e9) / this.#tscHertz));
  }

  #fired(): void {
    const registers = this.#registers;
    const mode = this.#mode();
    if (mode === TSC_DEADLINE) {
      // The counter may have been set back since.
      if (this.#ticksToDeadline() > 0) return this.#awaitDeadline();
      registers.deadlineLow = registers.deadlineHigh = 0;
      this.#set(Infinity);
    } else if (mode === PERIODIC) {
      this.#nextPeriod();
    } else {
      this.#set(Infinity);
    }
    return this.#expired();
  }

  /** Periods that nobody saw are one interrupt: it has one bit in the IRR. */
  #nextPeriod(): void {
    const registers = this.#registers;
    const period = registers.initialCount * this.#divisor();
    const missed = Math.max(0, Math.floor((this.#clock.now() - registers.timerDeadline) / period));
    registers.timerStart = registers.timerDeadline + missed * period;
    this.#set(registers.timerStart + period);
  }
}
