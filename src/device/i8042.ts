/**
 * The keyboard controller, an 8042 with IBM's program: ports 60h (data) and 64h (status and command), a keyboard behind it and no mouse. It is
 * also what resets a PC and what opens its address line 20. IBM PS/2 Hardware Interface Technical Reference, "Keyboard and auxiliary device
 * controller".
 */

import { struct } from '../lib/layout.ts';
import { record } from '../lib/record.ts';
import type { Device, Line, Stateful } from './device.ts';
import { Keyboard, keyboardLayout } from './keyboard.ts';
import { RELEASE, set2Of, toSet1 } from './scancodes.ts';

const layout = struct('i8042', {
  status: 'u8',
  /** The data that the system reads at port 60h. */
  output: 'u8',
  /** The controller's memory; byte 0 is the command byte. */
  memory: ['u8', 32],
  outputPort: 'u8',
  /** The command whose argument is expected at port 60h; 0 for none. */
  command: 'u8',
  /** The keyboard has sent the code for a key that is let go (translation). */
  released: 'u8',
});

const STATUS_OUTPUT_FULL = 0x01;
const STATUS_SYSTEM = 0x04;
const STATUS_COMMAND = 0x08;
const STATUS_UNLOCKED = 0x10;

const MODE_INTERRUPT = 0x01;
const MODE_SYSTEM = 0x04;
const MODE_KEYBOARD_OFF = 0x10;
const MODE_MOUSE_OFF = 0x20;
const MODE_TRANSLATE = 0x40;

const PORT_NO_RESET = 0x01;
const PORT_A20 = 0x02;
/** Clock and data of both ports, which nobody holds. */
const PORT_IDLE = 0xcc;

const READ_MEMORY = 0x20;
const WRITE_MEMORY = 0x60;
const MOUSE_OFF = 0xa7;
const MOUSE_ON = 0xa8;
const TEST_MOUSE = 0xa9;
const SELF_TEST = 0xaa;
const TEST_KEYBOARD = 0xab;
const KEYBOARD_OFF = 0xad;
const KEYBOARD_ON = 0xae;
const READ_INPUT_PORT = 0xc0;
const READ_OUTPUT_PORT = 0xd0;
const WRITE_OUTPUT_PORT = 0xd1;
const WRITE_KEYBOARD_OUTPUT = 0xd2;
const WRITE_MOUSE_OUTPUT = 0xd3;
const WRITE_MOUSE = 0xd4;
const A20_OFF = 0xdd;
const A20_ON = 0xdf;
const TEST_INPUTS = 0xe0;
const PULSE = 0xf0;

const SELF_TEST_PASSED = 0x55;
/** The answer of a port where nothing is: its clock line is stuck low. */
const CLOCK_STUCK = 0x01;
/** Input port: no manufacturing jumper, not locked. */
const INPUT_PORT = 0xa0;

export interface I8042Options {
  /** IRQ 1. */
  readonly irq: Line;
  readonly reset: () => void;
  /** Address line 20 is to be let through, or held at 0. */
  readonly a20: Line;
}

export class I8042 implements Stateful {
  readonly name = 'i8042';
  readonly state = new Uint8Array(layout.size + keyboardLayout.size);
  readonly #registers = record(layout, this.state);
  readonly #keyboard = new Keyboard(this.state.subarray(layout.size));
  readonly #options: I8042Options;

  /** At port 60h. */
  readonly data: Device = { name: 'i8042', read: () => this.#readData(), write: (_offset, _size, value) => this.#writeData(value) };
  /** At port 64h. */
  readonly control: Device = { name: 'i8042', read: () => this.#registers.status, write: (_offset, _size, value) => this.#command(value) };

  /** As a BIOS leaves it: the keyboard on, its interrupt too, translating; A20 open. */
  constructor(options: I8042Options) {
    this.#options = options;
    const registers = this.#registers;
    registers.status = STATUS_SYSTEM | STATUS_UNLOCKED;
    registers.memory[0] = MODE_INTERRUPT | MODE_SYSTEM | MODE_MOUSE_OFF | MODE_TRANSLATE;
    registers.outputPort = PORT_IDLE | PORT_NO_RESET | PORT_A20;
    options.a20(true);
  }

  /** The keyboard's lights: caps lock 4, num lock 2, scroll lock 1. */
  get leds(): number {
    return this.#keyboard.leds;
  }

  /** Keys in the codes of set 1, as programs have them: the code when it is pressed, with bit 7 when it is let go, E0h before the grey ones. */
  press(...set1: readonly number[]): void {
    this.#keyboard.press(set2Of(set1));
    this.#settle();
  }

  restored(): void {
    this.#keyboard.restored();
    this.#options.a20((this.#registers.outputPort & PORT_A20) !== 0);
    this.#drive();
  }

  #mode(): number {
    return this.#registers.memory[0] as number;
  }

  #full(): boolean {
    return (this.#registers.status & STATUS_OUTPUT_FULL) !== 0;
  }

  /** The controller's own byte for the system. It replaces one that was not read. */
  #answer(byte: number): void {
    this.#registers.output = byte;
    this.#registers.status |= STATUS_OUTPUT_FULL;
    this.#drive();
  }

  #readData(): number {
    const registers = this.#registers;
    registers.status &= ~STATUS_OUTPUT_FULL;
    const byte = registers.output;
    // The line falls between two bytes, or an edge would be missed.
    this.#drive();
    this.#settle();
    return byte;
  }

  /** Takes what the keyboard has to send, when there is room and its clock is not held. */
  #settle(): void {
    while (!this.#full() && (this.#mode() & MODE_KEYBOARD_OFF) === 0 && this.#keyboard.waiting) {
      const byte = this.#translated(this.#keyboard.take());
      if (byte !== undefined) this.#answer(byte);
    }
  }

  /** Undefined for the half of a code that is kept back. */
  #translated(byte: number): number | undefined {
    if ((this.#mode() & MODE_TRANSLATE) === 0) return byte;
    const registers = this.#registers;
    if (byte === RELEASE) {
      registers.released = 1;
      return undefined;
    }
    const code = toSet1(byte) | (registers.released !== 0 ? 0x80 : 0);
    registers.released = 0;
    return code;
  }

  #drive(): void {
    this.#options.irq(this.#full() && (this.#mode() & MODE_INTERRUPT) !== 0);
  }

  #setMode(mode: number): void {
    this.#registers.memory[0] = mode;
    this.#drive();
    this.#settle();
  }

  #setOutputPort(value: number): void {
    const registers = this.#registers;
    const changed = registers.outputPort ^ value;
    registers.outputPort = value;
    if ((changed & PORT_A20) !== 0) this.#options.a20((value & PORT_A20) !== 0);
    if ((value & PORT_NO_RESET) === 0) this.#options.reset();
  }

  #writeData(value: number): void {
    const registers = this.#registers;
    const { command } = registers;
    registers.command = 0;
    registers.status &= ~STATUS_COMMAND;
    if (command === 0) {
      // A byte for the keyboard lets its clock go.
      registers.memory[0] = this.#mode() & ~MODE_KEYBOARD_OFF;
      this.#keyboard.receive(value);
      this.#settle();
    } else if (command === WRITE_MEMORY) {
      this.#setMode(value);
    } else if (command > WRITE_MEMORY && command < 0x80) {
      registers.memory[command & 31] = value;
    } else if (command === WRITE_OUTPUT_PORT) {
      this.#setOutputPort(value);
    } else if (command === WRITE_KEYBOARD_OUTPUT || command === WRITE_MOUSE_OUTPUT) {
      // Without a mouse port its output buffer is the keyboard's, and the status does not say "mouse".
      this.#answer(value);
    }
    // What was for the mouse is lost: nobody is there.
  }

  #command(command: number): void {
    const registers = this.#registers;
    registers.command = 0;
    registers.status |= STATUS_COMMAND;
    if (command >= PULSE) {
      if ((command & 1) === 0) this.#options.reset();
      return;
    }
    if (command >= READ_MEMORY && command < READ_MEMORY + 32) return this.#answer(registers.memory[command & 31] as number);
    if (command >= WRITE_MEMORY && command < WRITE_MEMORY + 32) return void (registers.command = command);
    switch (command) {
      case MOUSE_OFF: return this.#setMode(this.#mode() | MODE_MOUSE_OFF);
      case MOUSE_ON: return this.#setMode(this.#mode() & ~MODE_MOUSE_OFF);
      case KEYBOARD_OFF: return this.#setMode(this.#mode() | MODE_KEYBOARD_OFF);
      case KEYBOARD_ON: return this.#setMode(this.#mode() & ~MODE_KEYBOARD_OFF);
      case TEST_MOUSE: return this.#answer(CLOCK_STUCK);
      case SELF_TEST:
        registers.status |= STATUS_SYSTEM;
        return this.#answer(SELF_TEST_PASSED);
      case TEST_KEYBOARD: case TEST_INPUTS: return this.#answer(0);
      case READ_INPUT_PORT: return this.#answer(INPUT_PORT);
      case READ_OUTPUT_PORT: return this.#answer(registers.outputPort | (this.#full() ? 0x10 : 0));
      case WRITE_OUTPUT_PORT: case WRITE_KEYBOARD_OUTPUT: case WRITE_MOUSE_OUTPUT: case WRITE_MOUSE:
        registers.command = command;
        return undefined;
      case A20_OFF: return this.#setOutputPort(registers.outputPort & ~PORT_A20);
      case A20_ON: return this.#setOutputPort(registers.outputPort | PORT_A20);
      default: return undefined;
    }
  }
}
