/**
 * Port 61h, "NMI status and control" of the PC's chipset (82371 data sheet): the gate of the timer's counter 2, the speaker, the counter's
 * output, and a bit that toggles with every memory refresh. Programs measure time with the last two.
 */

import { struct } from '../lib/layout.ts';
import { record } from '../lib/record.ts';
import type { Clock } from './clock.ts';
import type { AccessSize, Device, Stateful } from './device.ts';
import { ticksAt } from './frequency.ts';
import { PIT_HERTZ, type Pit } from './pit.ts';

const layout = struct('port61', { control: 'u8' });

const GATE_2 = 0x01;
const REFRESH = 0x10;
const OUT_2 = 0x20;

/** Pulses of the timer from one refresh to the next: some 15 microseconds. */
const REFRESH_PULSES = 18;

export class Port61 implements Device, Stateful {
  readonly name = 'port61';
  readonly state = new Uint8Array(layout.size);
  readonly #registers = record(layout, this.state);
  readonly #clock: Clock;
  readonly #pit: Pit;

  constructor(clock: Clock, pit: Pit) {
    this.#clock = clock;
    this.#pit = pit;
  }

  read(): number {
    const refresh = Math.floor(ticksAt(this.#clock.now(), PIT_HERTZ) / REFRESH_PULSES) % 2 === 0 ? 0 : REFRESH;
    return this.#registers.control | refresh | (this.#pit.output(2) ? OUT_2 : 0);
  }

  /** Bits 0-3: gate, speaker, and the masks of two errors that never come. */
  write(_offset: number, _size: AccessSize, value: number): void {
    this.#registers.control = value & 0x0f;
    this.#pit.gate(2, (value & GATE_2) !== 0);
  }

  /** The timer has its gate in its own state. */
  restored(): void {}
}
