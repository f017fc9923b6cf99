/**
 * The I/O APIC: 24 pins, each with an entry that says which processors get which vector. Intel 82093AA data sheet (290566); the EOI register is
 * that of version 20h (ICH family data sheets), which Linux uses.
 */

import { struct } from '../lib/layout.ts';
import { record } from '../lib/record.ts';
import type { ApicMessages } from './apic-message.ts';
import type { AccessSize, Device, Stateful } from './device.ts';
import type { InterruptInputs } from './lines.ts';

export const IOAPIC_ADDRESS = 0xfec00000;
export const IOAPIC_PINS = 24;

const layout = struct('ioapic', {
  /** The register that the window shows. */
  index: 'u32',
  id: 'u32',
  /** Pins that are asserted. */
  lines: 'u32',
  /** The halves of the redirection entries. */
  low: ['u32', IOAPIC_PINS], high: ['u32', IOAPIC_PINS],
});

const IOREGSEL = 0x00;
const IOWIN = 0x10;
const EOIR = 0x40;

const ID = 0x00;
const VERSION = 0x01;
const ARBITRATION = 0x02;
const TABLE = 0x10;

const VERSION_VALUE = ((IOAPIC_PINS - 1) << 16) | 0x20;

const LOGICAL = 1 << 11;
const REMOTE_IRR = 1 << 14;
const LEVEL = 1 << 15;
const MASKED = 1 << 16;
/** Vector, delivery mode, destination mode, polarity, trigger, mask; delivery status and remote IRR are the chip's own. */
const WRITABLE = 0x1afff;

/** A line is asserted or not: the polarity bit is kept for who reads it, and changes nothing. */
export class IoApic implements Device, Stateful, InterruptInputs {
  readonly name = 'ioapic';
  readonly width = 4;
  readonly state = new Uint8Array(layout.size);
  readonly #registers = record(layout, this.state);
  readonly #apics: ApicMessages;

  constructor(apics: ApicMessages, id = 0) {
    this.#apics = apics;
    this.#registers.id = id;
    this.#registers.low.fill(MASKED);
  }

  /** A pin is asserted or not. An edge at a pin that is masked is lost ("Interrupt mask"). */
  set(pin: number, up: boolean): void {
    const registers = this.#registers;
    const bit = 1 << pin;
    if (pin >= IOAPIC_PINS || ((registers.lines & bit) !== 0) === up) return;
    registers.lines ^= bit;
    if (!up) return;
    if ((this.#low(pin) & LEVEL) !== 0) this.#serve(pin);
    else if ((this.#low(pin) & MASKED) === 0) this.#send(pin);
  }

  /** A processor has ended a level-triggered interrupt. What is still asserted comes again. */
  endOfInterrupt(vector: number): void {
    const { low } = this.#registers;
    for (let pin = 0; pin < IOAPIC_PINS; pin++) {
      const entry = this.#low(pin);
      if ((entry & REMOTE_IRR) === 0 || (entry & 0xff) !== vector) continue;
      low[pin] = entry & ~REMOTE_IRR;
      this.#serve(pin);
    }
  }

  read(offset: number, size: AccessSize): number {
    const value = this.#readRegister(offset & ~3) >>> (8 * (offset & 3));
    return size === 4 ? value : value & (2 ** (8 * size) - 1);
  }

  /** Registers are written whole, but the index: its upper bytes are reserved. */
  write(offset: number, size: AccessSize, value: number): void {
    if (offset === IOREGSEL) this.#registers.index = value & 0xff;
    else if (offset === IOWIN && size === 4) this.#writeWindow(value);
    else if (offset === EOIR) this.endOfInterrupt(value & 0xff);
  }

  /** Lines are raised by their devices, and what was sent is in the local APICs. */
  restored(): void {}

  #low(pin: number): number {
    return this.#registers.low[pin] as number;
  }

  /** A level: sent when it is not with a processor already. */
  #serve(pin: number): void {
    const entry = this.#low(pin);
    const wanted = (entry & (LEVEL | MASKED | REMOTE_IRR)) === LEVEL && (this.#registers.lines & (1 << pin)) !== 0;
    if (!wanted) return;
    this.#registers.low[pin] = entry | REMOTE_IRR;
    this.#send(pin);
  }

  #send(pin: number): void {
    const entry = this.#low(pin);
    const destination = (this.#registers.high[pin] as number) >>> 24;
    this.#apics.send(destination, (entry & LOGICAL) !== 0, (entry >> 8) & 7, entry & 0xff, (entry & LEVEL) !== 0);
  }

  #readRegister(offset: number): number {
    const { index, id, low, high } = this.#registers;
    if (offset === IOREGSEL) return index;
    if (offset !== IOWIN) return 0;
    if (index === ID || index === ARBITRATION) return (id << 24) >>> 0;
    if (index === VERSION) return VERSION_VALUE;
    const half = (index & 1) === 0 ? low : high;
    return half[(index - TABLE) >> 1] ?? 0;
  }

  #writeWindow(value: number): void {
    const registers = this.#registers;
    const { index } = registers;
    const pin = (index - TABLE) >> 1;
    if (index === ID) registers.id = (value >>> 24) & 15;
    if (index < TABLE || pin >= IOAPIC_PINS) return;
    if ((index & 1) !== 0) registers.high[pin] = value & 0xff000000;
    else this.#setEntry(pin, value);
  }

  /** An entry that becomes edge triggered forgets that it was with a processor; systems clear it that way. */
  #setEntry(pin: number, value: number): void {
    const kept = (value & LEVEL) !== 0 ? this.#low(pin) & REMOTE_IRR : 0;
    this.#registers.low[pin] = (value & WRITABLE) | kept;
    this.#serve(pin);
  }
}
