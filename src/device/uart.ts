/**
 * The 16550A serial port: eight registers of a byte, FIFOs of 16. Sections are those of National's PC16550D data sheet.
 *
 * What is written is sent at once, so the transmitter is always empty. The interrupt pin is not gated by OUT2, as a PC's adapter does: no
 * virtual machine does so, and small systems rely on that.
 */

import { struct } from '../lib/layout.ts';
import { record } from '../lib/record.ts';
import { demandAtMost, demandDeadlines } from './checked.ts';
import type { Clock, Timer } from './clock.ts';
import type { AccessSize, Device, Line, Stateful } from './device.ts';
import {
  IER_RDA, IER_THRE, IER_RLS, IER_MSR, IIR_NONE, IIR_MSR, IIR_THRE, IIR_RDA, IIR_RLS, IIR_TIMEOUT, FCR_ENABLE, FCR_CLEAR_RECEIVER,
  FCR_CLEAR_TRANSMITTER, LCR_DLAB, MCR_LOOP, LSR_DR, LSR_OE, LSR_BI, LSR_ERRORS, LSR_THRE, LSR_TEMT, LSR_FIFO_ERROR, MSR_CONNECTED,
} from './uart-registers.ts';

const FIFO = 16;

const layout = struct('16550', {
  /** When the character timeout comes; Infinity when there is none. */
  timeoutAt: 'f64',
  divisor: 'u16',
  ier: 'u8', fcr: 'u8', lcr: 'u8', mcr: 'u8',
  /** Error bits only; the others follow from the rest. */
  lsr: 'u8',
  /** The changes, bits 0-3; the lines follow from the rest. */
  msr: 'u8',
  scr: 'u8',
  /** The transmitter has become empty and nobody has been told yet. */
  thre: 'u8',
  timedOut: 'u8',
  /** A ring: where the oldest character is, and how many there are; with each what its LSR bits are. */
  head: 'u8', count: 'u8',
  characters: ['u8', FIFO], errors: ['u8', FIFO],
});

const TRIGGERS = [1, 4, 8, 14] as const;

/** Nanoseconds of a bit when the divisor is 1: 1.8432 MHz, divided by 16. */
const BIT = 1e9 / 115200;

export interface UartOptions {
  readonly clock: Clock;
  readonly irq: Line;
  /** Takes what the guest sends, a byte at a time. */
  readonly output: (byte: number) => void;
  /** The guest has read something: {@link Uart.receive} has room again. */
  readonly room?: () => void;
}

export class Uart implements Device, Stateful {
  readonly name = '16550';
  readonly state = new Uint8Array(layout.size);
  readonly #registers = record(layout, this.state);
  readonly #options: UartOptions;
  readonly #timer: Timer;

  constructor(options: UartOptions) {
    this.#options = options;
    this.#registers.timeoutAt = Infinity;
    this.#timer = options.clock.timer(() => this.#expired());
  }

  /** Takes as much of `bytes` as the receiver has room for, and says how much that is. In loopback it is not connected: nothing. */
  receive(bytes: Uint8Array): number {
    if ((this.#registers.mcr & MCR_LOOP) !== 0) return 0;
    const taken = Math.min(bytes.length, this.#capacity() - this.#registers.count);
    for (let at = 0; at < taken; at++) this.#push(bytes[at] as number, 0);
    if (taken > 0) this.#received();
    return Math.max(0, taken);
  }

  /** The other end holds the line down for longer than a character. False when there is no room for it. */
  receiveBreak(): boolean {
    if ((this.#registers.mcr & MCR_LOOP) !== 0 || this.#registers.count >= this.#capacity()) return false;
    this.#push(0, LSR_BI);
    this.#received();
    return true;
  }

  read(offset: number): number {
    const registers = this.#registers;
    const divisor = (registers.lcr & LCR_DLAB) !== 0;
    switch (offset) {
      case 0: return divisor ? registers.divisor & 0xff : this.#readCharacter();
      case 1: return divisor ? registers.divisor >> 8 : registers.ier;
      case 2: return this.#readCause();
      case 3: return registers.lcr;
      case 4: return registers.mcr;
      case 5: return this.#readLineStatus();
      case 6: return this.#readModemStatus();
      default: return registers.scr;
    }
  }

  write(offset: number, _size: AccessSize, value: number): void {
    const registers = this.#registers;
    const divisor = (registers.lcr & LCR_DLAB) !== 0;
    switch (offset) {
      case 0:
        if (divisor) registers.divisor = (registers.divisor & 0xff00) | value;
        else this.#send(value);
        break;
      case 1:
        if (divisor) registers.divisor = (registers.divisor & 0xff) | (value << 8);
        else this.#enable(value & 0x0f);
        break;
      case 2: this.#controlFifo(value); break;
      case 3: registers.lcr = value; break;
      case 4: this.#controlModem(value & 0x1f); break;
      case 7: registers.scr = value; break;
      default: return;
    }
    this.#settle();
  }

  restored(): void {
    const { head, count, timeoutAt } = this.#registers;
    demandAtMost(this.name, { head: [head, FIFO - 1], count: [count, FIFO] });
    demandDeadlines(this.name, { timeoutAt });
    this.#timer.set(timeoutAt);
    this.#settle();
  }

  /** Characters that the receiver holds: 16, or one when the FIFO is off. */
  #capacity(): number {
    return (this.#registers.fcr & FCR_ENABLE) !== 0 ? FIFO : 1;
  }

  #push(character: number, errors: number): void {
    const registers = this.#registers;
    if (registers.count >= this.#capacity()) {
      // The newest is lost in a FIFO; without one it replaces the old.
      registers.lsr |= LSR_OE;
      if (this.#capacity() === 1) registers.characters[registers.head] = character;
      return;
    }
    const at = (registers.head + registers.count) % FIFO;
    registers.characters[at] = character;
    registers.errors[at] = errors;
    registers.count++;
    if (registers.count === 1) registers.lsr |= errors;
  }

  #received(): void {
    this.#awaitTimeout();
    this.#settle();
  }

  #readCharacter(): number {
    const registers = this.#registers;
    if (registers.count === 0) return registers.characters[(registers.head + FIFO - 1) % FIFO] as number;
    const character = registers.characters[registers.head] as number;
    registers.head = (registers.head + 1) % FIFO;
    registers.count--;
    // An error is told when its character comes to the top (section "Line status register").
    if (registers.count > 0) registers.lsr |= registers.errors[registers.head] as number;
    this.#awaitTimeout();
    this.#settle();
    this.#options.room?.();
    return character;
  }

  /** Section "FIFO interrupt mode operation": four character times without one in or out, with one at least in the FIFO. */
  #awaitTimeout(): void {
    const registers = this.#registers;
    const { fcr, lcr, count } = registers;
    registers.timedOut = 0;
    const bits = 7 + (lcr & 3) + ((lcr >> 2) & 1) + ((lcr >> 3) & 1);
    const waits = (fcr & FCR_ENABLE) !== 0 && count > 0;
    registers.timeoutAt = waits ? this.#options.clock.now() + Math.ceil(4 * bits * (registers.divisor || 1) * BIT) : Infinity;
    this.#timer.set(registers.timeoutAt);
  }

  #expired(): void {
    this.#registers.timeoutAt = Infinity;
    this.#registers.timedOut = 1;
    this.#settle();
  }

  #send(value: number): void {
    const registers = this.#registers;
    registers.thre = 1;
    if ((registers.mcr & MCR_LOOP) !== 0) {
      this.#push(value, 0);
      this.#awaitTimeout();
    } else {
      this.#options.output(value);
    }
  }

  /** Enabling the transmitter's interrupt while it is empty raises it at once; drivers begin to send that way. */
  #enable(ier: number): void {
    const registers = this.#registers;
    if ((ier & ~registers.ier & IER_THRE) !== 0) registers.thre = 1;
    registers.ier = ier;
  }

  #controlFifo(value: number): void {
    const registers = this.#registers;
    const changed = ((registers.fcr ^ value) & FCR_ENABLE) !== 0;
    if (changed || (value & FCR_CLEAR_RECEIVER) !== 0) {
      const held = registers.count;
      registers.head = registers.count = 0;
      this.#awaitTimeout();
      if (held > 0) this.#options.room?.();
    }
    // The transmitter's FIFO is empty anew, and says so.
    if (changed || (value & FCR_CLEAR_TRANSMITTER) !== 0) registers.thre = 1;
    registers.fcr = (value & FCR_ENABLE) === 0 ? 0 : value & 0xc9;
  }

  #controlModem(mcr: number): void {
    const before = this.#modemLines();
    this.#registers.mcr = mcr;
    const lines = this.#modemLines();
    const changed = (before ^ lines) >> 4;
    // Ringing counts when it ends (bit 2).
    this.#registers.msr |= (changed & 0b1011) | (changed & (before >> 4) & 0b0100);
    this.#options.room?.();
  }

  /** Bits 4-7 of the MSR. Section "Modem control register": in loopback the four outputs are the four inputs. */
  #modemLines(): number {
    const { mcr } = this.#registers;
    if ((mcr & MCR_LOOP) === 0) return MSR_CONNECTED;
    return ((mcr & 0x02) << 3) | ((mcr & 0x01) << 5) | ((mcr & 0x0c) << 4);
  }

  #readModemStatus(): number {
    const status = this.#modemLines() | this.#registers.msr;
    this.#registers.msr = 0;
    this.#settle();
    return status;
  }

  #readLineStatus(): number {
    const registers = this.#registers;
    let status = registers.lsr | LSR_THRE | LSR_TEMT;
    if (registers.count > 0) status |= LSR_DR;
    if (this.#errorInFifo()) status |= LSR_FIFO_ERROR;
    registers.lsr = 0;
    this.#settle();
    return status;
  }

  #errorInFifo(): boolean {
    const registers = this.#registers;
    if ((registers.fcr & FCR_ENABLE) === 0) return false;
    for (let at = 0; at < registers.count; at++) if (registers.errors[(registers.head + at) % FIFO] !== 0) return true;
    return false;
  }

  /** The most urgent cause (section "Interrupt identification register"). */
  #cause(): number {
    const registers = this.#registers;
    const { ier, fcr } = registers;
    if ((ier & IER_RLS) !== 0 && (registers.lsr & LSR_ERRORS) !== 0) return IIR_RLS;
    if ((ier & IER_RDA) !== 0) {
      const trigger = (fcr & FCR_ENABLE) !== 0 ? (TRIGGERS[fcr >> 6] as number) : 1;
      if (registers.count >= trigger) return IIR_RDA;
      if (registers.timedOut !== 0) return IIR_TIMEOUT;
    }
    if ((ier & IER_THRE) !== 0 && registers.thre !== 0) return IIR_THRE;
    if ((ier & IER_MSR) !== 0 && registers.msr !== 0) return IIR_MSR;
    return IIR_NONE;
  }

  /** Reading it is the answer to the transmitter's interrupt, when that is what it says. */
  #readCause(): number {
    const cause = this.#cause();
    if (cause === IIR_THRE) {
      this.#registers.thre = 0;
      this.#settle();
    }
    return cause | ((this.#registers.fcr & FCR_ENABLE) !== 0 ? 0xc0 : 0);
  }

  #settle(): void {
    this.#options.irq(this.#cause() !== IIR_NONE);
  }
}
