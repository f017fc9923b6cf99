/**
 * The MC146818 real-time clock with its CMOS memory: ports 70h (index) and 71h (data). Sections are those of Motorola's MC146818 data sheet.
 *
 * Nothing ticks: the time, the update bit and the three interrupt flags follow from the clock when somebody looks. A timer runs only while an
 * interrupt is enabled and none is pending.
 */

import { struct } from '../lib/layout.ts';
import { record } from '../lib/record.ts';
import { demandWhole } from './checked.ts';
import type { Clock, Timer } from './clock.ts';
import type { AccessSize, Device, Line, Stateful } from './device.ts';
import { ticksAt, timeOfTick } from './frequency.ts';
import { B_24, decode, decodeHour, encode, encodeHour } from './rtc-encoding.ts';
import { fromSeconds, nextAlarm, toSeconds, type Alarm } from './rtc-time.ts';

const SIZE = 128;

const layout = struct('mc146818', {
  /** Seconds since 1970 at `anchor`, a time of the clock at which a second began. */
  epoch: 'f64', anchor: 'f64',
  /** Up to when the flags of register C have been looked after. */
  settled: 'f64',
  index: 'u8',
  cmos: ['u8', SIZE],
});

const SECONDS = 0x00;
const SECONDS_ALARM = 0x01;
const MINUTES = 0x02;
const MINUTES_ALARM = 0x03;
const HOURS = 0x04;
const HOURS_ALARM = 0x05;
const WEEKDAY = 0x06;
const DAY = 0x07;
const MONTH = 0x08;
const YEAR = 0x09;
const REGISTER_A = 0x0a;
const REGISTER_B = 0x0b;
const REGISTER_C = 0x0c;
const REGISTER_D = 0x0d;
/** The ACPI name of this byte is the FADT's to say; all PCs have it here. */
export const CENTURY = 0x32;

const A_UIP = 0x80;
const A_DIVIDER = 0x70;
/** The divider for the usual crystal of 32,768 Hz. */
const A_DIVIDER_RUNS = 0x20;
const B_SET = 0x80;
const B_PIE = 0x40;
const B_AIE = 0x20;
const B_UIE = 0x10;
const C_IRQF = 0x80;
const C_PF = 0x40;
const C_AF = 0x20;
const C_UF = 0x10;
const D_VALID = 0x80;

const SECOND = 1e9;
const CRYSTAL = 32768;
/** "Update cycle": how long before an update the UIP bit says so. */
const UPDATE_WARNING = 244_000;

export interface RtcOptions {
  readonly clock: Clock;
  /** IRQ 8. */
  readonly irq: Line;
  /** Milliseconds since 1970 at the clock's time 0, in the time zone that the guest is to see. */
  readonly wallClock: number;
  /** What a BIOS would have put into CMOS memory, by index from 0Eh on. */
  readonly cmos?: Readonly<Record<number, number>>;
}

export class Rtc implements Device, Stateful {
  readonly name = 'mc146818';
  readonly state = new Uint8Array(layout.size);
  readonly #registers = record(layout, this.state);
  readonly #clock: Clock;
  readonly #irq: Line;
  readonly #timer: Timer;

  constructor({ clock, irq, wallClock, cmos = {} }: RtcOptions) {
    this.#clock = clock;
    this.#irq = irq;
    this.#timer = clock.timer(() => this.#settle());
    const registers = this.#registers;
    registers.epoch = Math.floor(wallClock / 1000);
    registers.anchor = -Math.floor((wallClock - registers.epoch * 1000) * 1e6);
    registers.cmos[REGISTER_A] = A_DIVIDER_RUNS | 0x06;
    registers.cmos[REGISTER_B] = B_24;
    registers.cmos[REGISTER_D] = D_VALID;
    for (const [at, value] of Object.entries(cmos)) registers.cmos[Number(at) % SIZE] = value;
    registers.settled = clock.now();
  }

  /** The index can't be read. */
  read(offset: number): number {
    const { index, cmos } = this.#registers;
    if (offset === 0) return 0xff;
    if (index <= YEAR || index === CENTURY) this.#writeTimeToCmos();
    if (index === REGISTER_A) return (cmos[REGISTER_A] as number) | (this.#updating() ? A_UIP : 0);
    return index === REGISTER_C ? this.#readFlags() : (cmos[index] as number);
  }

  /** Bit 7 of the index masks NMI, of which there are none. */
  write(offset: number, _size: AccessSize, value: number): void {
    const registers = this.#registers;
    if (offset === 0) registers.index = value & 0x7f;
    else if (registers.index === REGISTER_A) this.#setDivider(value & 0x7f);
    else if (registers.index === REGISTER_B) this.#setControl(value);
    else if (registers.index !== REGISTER_C && registers.index !== REGISTER_D) this.#setByte(registers.index, value);
  }

  restored(): void {
    const { epoch, anchor, settled } = this.#registers;
    demandWhole(this.name, { epoch, anchor, settled });
    this.#arm();
    this.#drive();
  }

  #register(at: number): number {
    return this.#registers.cmos[at] as number;
  }

  #now(): number {
    return this.#clock.now();
  }

  /** Whether the divider counts; held in reset, time stands still. */
  #dividerRuns(): boolean {
    return (this.#register(REGISTER_A) & A_DIVIDER) === A_DIVIDER_RUNS;
  }

  /** Whether the time is updated: it is not while a program sets it. */
  #updates(): boolean {
    return this.#dividerRuns() && (this.#register(REGISTER_B) & B_SET) === 0;
  }

  /** Seconds since 1970 at a time of the clock. */
  #secondsAt(time: number): number {
    const { epoch, anchor } = this.#registers;
    return epoch + Math.floor((time - anchor) / SECOND);
  }

  #updating(): boolean {
    const phase = (((this.#now() - this.#registers.anchor) % SECOND) + SECOND) % SECOND;
    return this.#updates() && phase >= SECOND - UPDATE_WARNING;
  }

  /** The bytes of time and date, as the data mode of register B wants them; while a program sets them they are its own. */
  #writeTimeToCmos(): void {
    if (!this.#updates()) return;
    const { cmos } = this.#registers;
    const mode = this.#register(REGISTER_B);
    const time = fromSeconds(this.#secondsAt(this.#now()));
    cmos[SECONDS] = encode(time.second, mode);
    cmos[MINUTES] = encode(time.minute, mode);
    cmos[HOURS] = encodeHour(time.hour, mode);
    cmos[WEEKDAY] = encode(time.weekday, mode);
    cmos[DAY] = encode(time.day, mode);
    cmos[MONTH] = encode(time.month, mode);
    cmos[YEAR] = encode(time.year % 100, mode);
    cmos[CENTURY] = encode(Math.floor(time.year / 100) % 100, mode);
  }

  /** The time goes on from what the bytes say; the fraction of the second is the divider's and stays. */
  #readTimeFromCmos(): void {
    const registers = this.#registers;
    const mode = this.#register(REGISTER_B);
    const at = (index: number): number => decode(this.#register(index), mode);
    const year = at(CENTURY) * 100 + at(YEAR);
    const time = { second: at(SECONDS), minute: at(MINUTES), hour: decodeHour(this.#register(HOURS), mode), day: at(DAY), month: at(MONTH), year };
    registers.epoch = toSeconds(time) - Math.floor((this.#now() - registers.anchor) / SECOND);
  }

  /** Section "Time, calendar and alarm locations": the two highest bits mean any. */
  #alarm(): Alarm {
    const any = (value: number): boolean => value >= 0xc0;
    const [second, minute, hour] = [this.#register(SECONDS_ALARM), this.#register(MINUTES_ALARM), this.#register(HOURS_ALARM)];
    const mode = this.#register(REGISTER_B);
    return {
      second: any(second) ? undefined : decode(second, mode),
      minute: any(minute) ? undefined : decode(minute, mode),
      hour: any(hour) ? undefined : decodeHour(hour, mode),
    };
  }

  #setByte(index: number, value: number): void {
    this.#settle();
    const isTime = index === CENTURY || (index <= YEAR && index !== SECONDS_ALARM && index !== MINUTES_ALARM && index !== HOURS_ALARM);
    if (isTime) this.#writeTimeToCmos();
    this.#registers.cmos[index] = value;
    if (isTime && this.#updates()) this.#readTimeFromCmos();
    this.#arm();
  }

  /** Register A. Out of reset, the first update comes after half a second (section "Divider control"). */
  #setDivider(value: number): void {
    this.#settle();
    this.#writeTimeToCmos();
    const ran = this.#dividerRuns();
    this.#registers.cmos[REGISTER_A] = value;
    if (!ran && this.#dividerRuns()) {
      this.#registers.anchor = this.#now() - SECOND / 2;
      this.#readTimeFromCmos();
      this.#registers.settled = this.#now();
    }
    this.#arm();
  }

  #setControl(value: number): void {
    this.#settle();
    this.#writeTimeToCmos();
    const updated = this.#updates();
    const cmos = this.#registers.cmos;
    // SET clears UIE (section "Register B").
    cmos[REGISTER_B] = (value & B_SET) === 0 ? value : value & ~B_UIE;
    if (!updated && this.#updates()) this.#readTimeFromCmos();
    this.#drive();
    this.#arm();
  }

  /** Register C: reading it clears it, and lets the line go. */
  #readFlags(): number {
    this.#settle();
    const flags = this.#register(REGISTER_C);
    this.#registers.cmos[REGISTER_C] = 0;
    this.#drive();
    this.#arm();
    return flags;
  }

  /** Pulses of the crystal between two periodic interrupts; 0 when there are none. Table "Periodic interrupt rate". */
  #period(): number {
    const rate = this.#register(REGISTER_A) & 15;
    if (rate === 0 || !this.#dividerRuns()) return 0;
    return 1 << ((rate <= 2 ? rate + 7 : rate) - 1);
  }

  /** Sets the flags of what has come since it was done last, then the line. */
  #settle(): void {
    const registers = this.#registers;
    const now = this.#now();
    let flags = this.#register(REGISTER_C);
    if (this.#nextPeriodic(registers.settled) <= now) flags |= C_PF;
    if (this.#nextUpdate(registers.settled) <= now) flags |= C_UF;
    if (this.#nextAlarm(registers.settled) <= now) flags |= C_AF;
    registers.cmos[REGISTER_C] = flags;
    registers.settled = now;
    this.#drive();
    this.#arm();
  }

  #nextPeriodic(after: number): number {
    const period = this.#period();
    if (period === 0) return Infinity;
    const { anchor } = this.#registers;
    const next = (Math.floor(ticksAt(after - anchor, CRYSTAL) / period) + 1) * period;
    return anchor + timeOfTick(next, CRYSTAL);
  }

  #nextUpdate(after: number): number {
    return this.#updates() ? this.#timeOfSecond(this.#secondsAt(after) + 1) : Infinity;
  }

  #nextAlarm(after: number): number {
    return this.#updates() ? this.#timeOfSecond(nextAlarm(this.#alarm(), this.#secondsAt(after))) : Infinity;
  }

  #timeOfSecond(seconds: number): number {
    const { epoch, anchor } = this.#registers;
    return anchor + (seconds - epoch) * SECOND;
  }

  /** IRQF and the line: a flag whose interrupt is enabled (the bits of B and C are at the same places). */
  #drive(): void {
    const flags = this.#register(REGISTER_C) & (C_PF | C_AF | C_UF);
    const up = (flags & this.#register(REGISTER_B) & (B_PIE | B_AIE | B_UIE)) !== 0;
    this.#registers.cmos[REGISTER_C] = flags | (up ? C_IRQF : 0);
    this.#irq(up);
  }

  #arm(): void {
    const enabled = this.#register(REGISTER_B);
    const { settled } = this.#registers;
    let next = Infinity;
    if ((this.#register(REGISTER_C) & C_IRQF) === 0) {
      if ((enabled & B_PIE) !== 0) next = this.#nextPeriodic(settled);
      if ((enabled & B_UIE) !== 0) next = Math.min(next, this.#nextUpdate(settled));
      if ((enabled & B_AIE) !== 0) next = Math.min(next, this.#nextAlarm(settled));
    }
    this.#timer.set(next);
  }
}
