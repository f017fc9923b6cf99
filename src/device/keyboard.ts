/**
 * A PS/2 keyboard with its queue: what it answers to each command, and the codes of keys. IBM PS/2 Hardware Interface Technical Reference,
 * "Keyboard (101- and 102-key)", sections "Commands from the system" and "Scan code set 2".
 */

import { struct } from '../lib/layout.ts';
import { record, type RecordOf } from '../lib/record.ts';
import { demandAtMost } from './checked.ts';

const QUEUE = 64;

export const keyboardLayout = struct('ps2_keyboard', {
  head: 'u8', count: 'u8',
  /** The command whose argument is expected; 0 for none. */
  command: 'u8',
  scanning: 'u8',
  /** Scan code set 1, 2 or 3. */
  set: 'u8',
  leds: 'u8',
  /** The byte that was sent last, to be sent again. */
  last: 'u8',
  queue: ['u8', QUEUE],
});

const ACKNOWLEDGE = 0xfa;
const RESEND = 0xfe;
const SELF_TEST_PASSED = 0xaa;
const OVERRUN = 0x00;
/** Bytes that stay free for answers, however many keys are pressed. */
const RESERVED = 8;

const SET_LEDS = 0xed;
const ECHO = 0xee;
const SCAN_CODE_SET = 0xf0;
const IDENTIFY = 0xf2;
const TYPEMATIC = 0xf3;
const ENABLE = 0xf4;
const DISABLE = 0xf5;
const DEFAULTS = 0xf6;
const RESET = 0xff;
/** Of an MF2 keyboard. */
const IDENTITY = [0xab, 0x83] as const;

export class Keyboard {
  readonly #registers: RecordOf<typeof keyboardLayout.members>;

  /** @param state bytes of a {@link keyboardLayout}, zeros, which it lives in */
  constructor(state: Uint8Array) {
    this.#registers = record(keyboardLayout, state);
    this.#defaults();
    this.#registers.scanning = 1;
  }

  /** Whether it has something to send. */
  get waiting(): boolean {
    return this.#registers.count > 0;
  }

  /** Caps lock 4, num lock 2, scroll lock 1. */
  get leds(): number {
    return this.#registers.leds;
  }

  /** After its bytes have been overwritten. @throws DelosError `bad-snapshot` */
  restored(): void {
    const { head, count } = this.#registers;
    demandAtMost('keyboard', { head: [head, QUEUE - 1], count: [count, QUEUE] });
  }

  /** What it sends next. */
  take(): number {
    const registers = this.#registers;
    const byte = registers.queue[registers.head] as number;
    registers.head = (registers.head + 1) % QUEUE;
    registers.count--;
    registers.last = byte;
    return byte;
  }

  /** Keys: bytes of scan code set 2. Lost while it does not scan; when the queue is full, an overrun stands for them. */
  press(codes: readonly number[]): void {
    const registers = this.#registers;
    if (registers.scanning === 0) return;
    const room = QUEUE - RESERVED - registers.count;
    if (codes.length <= room) for (const code of codes) this.#answer(code);
    else if (room >= 0) this.#answer(OVERRUN);
  }

  /** A byte of the system's: a command, or its argument. */
  receive(byte: number): void {
    const { command } = this.#registers;
    this.#registers.command = 0;
    if (command !== 0 && byte < 0x80) this.#argument(command, byte);
    else this.#command(byte);
  }

  #answer(...bytes: readonly number[]): void {
    const registers = this.#registers;
    for (const byte of bytes) {
      if (registers.count === QUEUE) return;
      registers.queue[(registers.head + registers.count) % QUEUE] = byte;
      registers.count++;
    }
  }

  #argument(command: number, byte: number): void {
    const registers = this.#registers;
    this.#answer(ACKNOWLEDGE);
    if (command === SET_LEDS) registers.leds = byte & 7;
    else if (command === SCAN_CODE_SET && byte === 0) this.#answer(registers.set);
    else if (command === SCAN_CODE_SET && byte <= 3) registers.set = byte;
  }

  #command(byte: number): void {
    const registers = this.#registers;
    switch (byte) {
      case RESET:
        this.#empty();
        this.#defaults();
        registers.scanning = 1;
        return this.#answer(ACKNOWLEDGE, SELF_TEST_PASSED);
      case RESEND: return this.#answer(registers.last);
      case ECHO: return this.#answer(ECHO);
      case SET_LEDS: case SCAN_CODE_SET: case TYPEMATIC:
        registers.command = byte;
        return this.#answer(ACKNOWLEDGE);
      case IDENTIFY: return this.#answer(ACKNOWLEDGE, ...IDENTITY);
      case ENABLE: case DISABLE:
        this.#empty();
        registers.scanning = byte === ENABLE ? 1 : 0;
        return this.#answer(ACKNOWLEDGE);
      case DEFAULTS:
        this.#defaults();
        return this.#answer(ACKNOWLEDGE);
      default:
        return this.#answer(byte >= 0xf7 ? ACKNOWLEDGE : RESEND);
    }
  }

  #defaults(): void {
    this.#registers.set = 2;
    this.#registers.leds = 0;
  }

  #empty(): void {
    this.#registers.count = 0;
  }
}
