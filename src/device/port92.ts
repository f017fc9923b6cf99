/** Port 92h, system control port A of a PS/2: address line 20 by another way than the keyboard controller's, and a fast reset. */

import { struct } from '../lib/layout.ts';
import { record } from '../lib/record.ts';
import type { AccessSize, Device, Line, Stateful } from './device.ts';

const RESET = 0x01;
const A20 = 0x02;

const layout = struct('port92', { control: 'u8' });

export class Port92 implements Device, Stateful {
  readonly name = 'port92';
  readonly state = new Uint8Array(layout.size);
  readonly #registers = record(layout, this.state);
  readonly #a20: Line;
  readonly #reset: () => void;

  constructor(a20: Line, reset: () => void) {
    this.#a20 = a20;
    this.#reset = reset;
  }

  read(): number {
    return this.#registers.control;
  }

  /** The reset is the rise of its bit. */
  write(_offset: number, _size: AccessSize, value: number): void {
    const rises = (value & ~this.#registers.control & RESET) !== 0;
    this.#registers.control = value & (RESET | A20);
    this.#a20((value & A20) !== 0);
    if (rises) this.#reset();
  }

  restored(): void {
    this.#a20((this.#registers.control & A20) !== 0);
  }
}
