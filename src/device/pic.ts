/**
 * The pair of 8259A interrupt controllers of a PC: the master at ports 20h-21h, the slave at A0h-A1h on the master's input 2, and the edge/level
 * control registers at 4D0h-4D1h. Sections are those of Intel's 8259A data sheet (231468); ELCR is that of the 82371 (PIIX) data sheet.
 *
 * An edge is held only while its line stays up ("Edge and level triggered modes"): what drops before the acknowledge becomes a spurious IRQ 7.
 */

import { struct } from '../lib/layout.ts';
import { record, type RecordOf } from '../lib/record.ts';
import type { AccessSize, Device, Line, Stateful } from './device.ts';
import type { InterruptInputs } from './lines.ts';

/** One of the two. Bits of the three registers are inputs. */
const chip = {
  irr: 'u8', isr: 'u8', imr: 'u8',
  /** What the inputs are. */
  lines: 'u8',
  /** Inputs that are level triggered (ELCR). */
  levels: 'u8',
  /** Bits 3-7 of the vectors (ICW2). */
  base: 'u8',
  /** ICW4; 0 when ICW1 has asked for none. */
  icw4: 'u8',
  /** The next initialisation word: 2 to 4; 0 when it is initialised. */
  expected: 'u8',
  /** ICW1, which says whether 3 and 4 follow. */
  icw1: 'u8',
  /** The input of the lowest priority; rotation moves it. */
  lowest: 'u8',
  readIsr: 'u8', poll: 'u8', specialMask: 'u8', rotateOnAeoi: 'u8',
} as const;
const layout = struct('8259', chip);
type Chip = RecordOf<typeof chip>;

const CASCADE = 2;

const ICW1_IC4 = 0x01;
const ICW1_SINGLE = 0x02;
const ICW1 = 0x10;
const OCW3 = 0x08;
const ICW4_AEOI = 0x02;
const ICW4_SFNM = 0x10;

/** Inputs whose trigger mode can be changed: not the timer, the keyboard, the cascade; not the clock, the coprocessor. */
const ELCR_WRITABLE = [0xf8, 0xde] as const;

/** The set bit of the highest priority, or 8. */
function first(bits: number, lowest: number): number {
  for (let step = 1; step <= 8; step++) {
    const input = (lowest + step) & 7;
    if ((bits & (1 << input)) !== 0) return input;
  }
  return 8;
}

/** How urgent an input is: 0 is the most; 8 for none. */
function rank(input: number, lowest: number): number {
  return input === 8 ? 8 : (input - lowest - 1) & 7;
}

/** The input whose request reaches the INT pin, or 8. Sections "Fully nested mode", "Special mask mode", "Special fully nested mode". */
function requested(state: Chip, master: boolean): number {
  const input = first(state.irr & ~state.imr, state.lowest);
  let serving = state.isr;
  if (state.specialMask !== 0) serving &= ~state.imr;
  if (master && (state.icw4 & ICW4_SFNM) !== 0) serving &= ~(1 << CASCADE);
  return rank(input, state.lowest) < rank(first(serving, state.lowest), state.lowest) ? input : 8;
}

/** The request is taken: it is in service, unless it ends itself ("Automatic end of interrupt mode"). */
function take(state: Chip, input: number): void {
  const bit = 1 << input;
  if ((state.levels & bit) === 0) state.irr &= ~bit;
  if ((state.icw4 & ICW4_AEOI) === 0) state.isr |= bit;
  else if (state.rotateOnAeoi !== 0) state.lowest = input;
}

/** ICW1 ("Initialization command words"). Edges are forgotten, levels are still there. */
function initialise(state: Chip, word: number): void {
  state.icw1 = word;
  state.icw4 = 0;
  state.expected = 2;
  state.irr = state.lines & state.levels;
  state.isr = state.imr = 0;
  state.lowest = 7;
  state.readIsr = state.poll = state.specialMask = state.rotateOnAeoi = 0;
}

function initialisationWord(state: Chip, word: number): void {
  const word4 = (state.icw1 & ICW1_IC4) !== 0 ? 4 : 0;
  if (state.expected === 2) {
    state.base = word & 0xf8;
    state.expected = (state.icw1 & ICW1_SINGLE) !== 0 ? word4 : 3;
  } else if (state.expected === 3) {
    state.expected = word4;
  } else {
    state.icw4 = word & 0x1f;
    state.expected = 0;
  }
}

/** OCW2: rotate, specific, end of interrupt. A level that special mask mode has masked is not ended without its number. */
function endOfInterrupt(state: Chip, word: number): void {
  const rotate = (word & 0x80) !== 0;
  const specific = (word & 0x40) !== 0;
  const end = (word & 0x20) !== 0;
  if (!end && !specific) {
    state.rotateOnAeoi = rotate ? 1 : 0;
    return;
  }
  const ended = state.specialMask === 0 ? state.isr : state.isr & ~state.imr;
  const input = specific ? word & 7 : first(ended, state.lowest);
  if (input === 8) return;
  if (end) state.isr &= ~(1 << input);
  if (rotate) state.lowest = input;
}

/** OCW3: special mask mode, poll, and what is read next. */
function operation(state: Chip, word: number): void {
  if ((word & 0x40) !== 0) state.specialMask = (word >> 5) & 1;
  if ((word & 0x04) !== 0) state.poll = 1;
  else if ((word & 0x02) !== 0) state.readIsr = word & 1;
}

export class PicPair implements Stateful, InterruptInputs {
  readonly name = '8259';
  readonly state = new Uint8Array(2 * layout.size);
  readonly #chips: readonly [Chip, Chip] = [record(layout, this.state), record(layout, this.state.subarray(layout.size))];
  readonly #output: Line;
  #up = false;

  /** Each at its two ports. */
  readonly master: Device;
  readonly slave: Device;
  /** Two ports: the master's byte, the slave's. */
  readonly elcr: Device;

  /** @param output the master's INT pin */
  constructor(output: Line) {
    this.#output = output;
    this.master = this.#ports(0);
    this.slave = this.#ports(1);
    this.elcr = {
      name: 'elcr',
      read: (offset) => this.#chips[offset & 1 ? 1 : 0].levels,
      write: (offset, _size, value) => this.#setLevels(offset & 1 ? 1 : 0, value),
    };
    for (const state of this.#chips) {
      state.imr = 0xff;
      state.lowest = 7;
    }
  }

  /** Whether the INT pin is up. */
  get pending(): boolean {
    return this.#up;
  }

  /** The two acknowledge cycles of a processor: the vector. Nothing requested any more is a spurious IRQ 7, or 15 when the slave had called. */
  acknowledge(): number {
    const [master, slave] = this.#chips;
    const input = requested(master, true);
    let vector = master.base + 7;
    if (input === CASCADE) {
      const behind = requested(slave, false);
      take(master, CASCADE);
      if (behind !== 8) take(slave, behind);
      vector = slave.base + (behind === 8 ? 7 : behind);
    } else if (input !== 8) {
      take(master, input);
      vector = master.base + input;
    }
    this.#settle();
    return vector;
  }

  /** Sets input 0 to 15 (2 is the cascade, and nobody's to set). */
  set(irq: number, up: boolean): void {
    const state = this.#chips[irq > 7 ? 1 : 0];
    const bit = 1 << (irq & 7);
    if (irq === CASCADE || ((state.lines & bit) !== 0) === up) return;
    state.lines ^= bit;
    state.irr = up ? state.irr | bit : state.irr & ~bit;
    this.#settle();
  }

  restored(): void {
    this.#settle();
  }

  /** The slave's INT pin is the master's input 2; the master's is the output. */
  #settle(): void {
    const [master, slave] = this.#chips;
    master.irr = requested(slave, false) === 8 ? master.irr & ~(1 << CASCADE) : master.irr | (1 << CASCADE);
    const up = requested(master, true) !== 8;
    if (up === this.#up) return;
    this.#up = up;
    this.#output(up);
  }

  #setLevels(at: 0 | 1, value: number): void {
    const state = this.#chips[at];
    state.levels = value & ELCR_WRITABLE[at];
    state.irr |= state.lines & state.levels;
    this.#settle();
  }

  #ports(at: 0 | 1): Device {
    return {
      name: at === 0 ? '8259-master' : '8259-slave',
      read: (offset) => this.#read(at, offset),
      write: (offset, _size: AccessSize, value) => this.#write(at, offset, value),
    };
  }

  #read(at: 0 | 1, offset: number): number {
    const state = this.#chips[at];
    if (state.poll !== 0) return this.#polled(at);
    if (offset === 1) return state.imr;
    return state.readIsr !== 0 ? state.isr : state.irr;
  }

  /** Section "Poll command": the read is the acknowledge. */
  #polled(at: 0 | 1): number {
    const state = this.#chips[at];
    state.poll = 0;
    const input = requested(state, at === 0);
    if (input === 8) return 0;
    take(state, input);
    this.#settle();
    return 0x80 | input;
  }

  #write(at: 0 | 1, offset: number, value: number): void {
    const state = this.#chips[at];
    if (offset === 1) {
      if (state.expected !== 0) initialisationWord(state, value);
      else state.imr = value;
    } else if ((value & ICW1) !== 0) initialise(state, value);
    else if ((value & OCW3) !== 0) operation(state, value);
    else endOfInterrupt(state, value);
    this.#settle();
  }
}
