/**
 * ACPI's fixed hardware: the PM1 event and control blocks and the PM timer, eleven ports and one to fill up. ACPI 6.5, section 4.8.3 ("Fixed
 * hardware registers"). The machine is in ACPI mode from the beginning: there is no SMI command, and SCI_EN is always set.
 */

import { struct } from '../lib/layout.ts';
import { record } from '../lib/record.ts';
import { demandWhole } from './checked.ts';
import type { Clock, Timer } from './clock.ts';
import type { AccessSize, Device, Line, Stateful } from './device.ts';
import { ticksAt, timeOfTick } from './frequency.ts';

/** Offsets of the blocks, for the FADT. */
export const PM1_EVENT = 0;
export const PM1_CONTROL = 4;
export const PM_TIMER = 8;
export const PM_LENGTH = 12;

/** Three times the frequency of the 8254 (section 4.8.3.3). */
export const PM_TIMER_HERTZ = 3579545;

/** What \_S5 gives and SLP_TYP has to be for power-off. */
export const SLEEP_TYPE_S5 = 5;

const layout = struct('acpi_pm', {
  /** The tick up to which TMR_STS has been looked after. */
  settled: 'f64',
  status: 'u16', enable: 'u16', control: 'u16',
});

const TIMER_STATUS = 1 << 0;
const POWER_BUTTON = 1 << 8;
/** Timer, bus master, global lock, power button, sleep button, RTC, wake. */
const STATUS_BITS = 0x8731;
const ENABLE_BITS = 0x0721;

const SCI_ENABLED = 1 << 0;
const SLEEP_ENABLE = 1 << 13;
/** BM_RLD and SLP_TYP; GBL_RLS and SLP_EN are written only. */
const CONTROL_BITS = 0x1c02;

export interface AcpiPmOptions {
  readonly clock: Clock;
  /** The system control interrupt, level triggered. */
  readonly sci: Line;
  readonly powerOff: () => void;
  /** Bits that the timer has; 32 when it is not said. */
  readonly timerBits?: 24 | 32;
}

export class AcpiPm implements Device, Stateful {
  readonly name = 'acpi-pm';
  readonly width = 4;
  readonly state = new Uint8Array(layout.size);
  readonly #registers = record(layout, this.state);
  readonly #options: AcpiPmOptions;
  readonly #timer: Timer;
  readonly #timerBits: 24 | 32;

  constructor(options: AcpiPmOptions) {
    this.#options = options;
    this.#timerBits = options.timerBits ?? 32;
    this.#timer = options.clock.timer(() => this.#settle());
  }

  /** Somebody has pressed the power button; the system asks for its own power-off then. */
  pressPowerButton(): void {
    this.#registers.status |= POWER_BUTTON;
    this.#settle();
  }

  read(offset: number, size: AccessSize): number {
    const value = this.#readBlock(offset & ~3) >>> (8 * (offset & 3));
    return size === 4 ? value : value & (2 ** (8 * size) - 1);
  }

  /** Registers of 16 bits, which may be written by bytes too: a byte of a status clears what it names, any other byte replaces its half. */
  write(offset: number, size: AccessSize, value: number): void {
    const shift = 8 * (offset & 1);
    const mask = size === 1 ? 0xff << shift : 0xffff;
    if (offset < 2) this.#clearStatus((value << shift) & mask);
    else if (offset < PM1_CONTROL) this.#registers.enable = ((this.#registers.enable & ~mask) | ((value << shift) & mask)) & ENABLE_BITS;
    else if (offset < PM1_CONTROL + 2) this.#setControl((this.#registers.control & ~mask) | ((value << shift) & mask));
    if (size === 4 && offset === 0) this.#registers.enable = (value >>> 16) & ENABLE_BITS;
    this.#settle();
  }

  restored(): void {
    const { settled } = this.#registers;
    demandWhole(this.name, { settled });
    this.#drive();
  }

  #readBlock(offset: number): number {
    if (offset === PM_TIMER) return this.#ticks() % 2 ** this.#timerBits;
    this.#settle();
    const { status, enable, control } = this.#registers;
    if (offset === PM1_EVENT) return (status | (enable << 16)) >>> 0;
    return control | SCI_ENABLED;
  }

  #ticks(): number {
    return ticksAt(this.#options.clock.now(), PM_TIMER_HERTZ);
  }

  #clearStatus(bits: number): void {
    this.#settle();
    this.#registers.status &= ~(bits & STATUS_BITS);
  }

  #setControl(value: number): void {
    this.#registers.control = value & CONTROL_BITS;
    if ((value & SLEEP_ENABLE) !== 0 && ((value >> 10) & 7) === SLEEP_TYPE_S5) this.#options.powerOff();
  }

  /** TMR_STS: the timer's highest bit has changed since (section 4.8.3.3). */
  #settle(): void {
    const registers = this.#registers;
    const now = this.#ticks();
    const half = 2 ** (this.#timerBits - 1);
    if (Math.floor(now / half) !== Math.floor(registers.settled / half)) registers.status |= TIMER_STATUS;
    registers.settled = now;
    this.#drive();
  }

  /** The SCI, and when the timer would raise it next. */
  #drive(): void {
    const { status, enable, settled } = this.#registers;
    this.#options.sci((status & enable) !== 0);
    const half = 2 ** (this.#timerBits - 1);
    const waits = (enable & TIMER_STATUS) !== 0 && (status & TIMER_STATUS) === 0;
    this.#timer.set(waits ? timeOfTick((Math.floor(settled / half) + 1) * half, PM_TIMER_HERTZ) : Infinity);
  }
}
