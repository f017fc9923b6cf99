/**
 * The reset control register, port CF9h of the PCI bridge (82371 data sheet, "RC"), in the middle of PCI's configuration address at CF8h-CFBh:
 * a byte at CF9h is the reset, a word or double word is configuration. There is no PCI here yet: the rest reads as ones.
 */

import { struct } from '../lib/layout.ts';
import { record } from '../lib/record.ts';
import type { AccessSize, Device, Stateful } from './device.ts';

/** Where the device begins, and the register, for the FADT. What is written there for a reset. */
export const RESET_BLOCK = 0xcf8;
export const RESET_PORT = 0xcf9;
export const RESET_VALUE = 0x06;

const RESET_CPU = 0x04;
/** Reset CPU, system reset (a hard one), full reset. */
const WRITABLE = 0x0e;

const layout = struct('reset_control', { control: 'u8' });

export class ResetPort implements Device, Stateful {
  readonly name = 'reset';
  readonly width = 4;
  readonly state = new Uint8Array(layout.size);
  readonly #registers = record(layout, this.state);
  readonly #reset: () => void;

  constructor(reset: () => void) {
    this.#reset = reset;
  }

  read(offset: number, size: AccessSize): number {
    return offset === 1 && size === 1 ? this.#registers.control : 0xffffffff >>> (32 - 8 * size);
  }

  /** The reset is the rise of its bit. */
  write(offset: number, size: AccessSize, value: number): void {
    if (offset !== 1 || size !== 1) return;
    const rises = (value & ~this.#registers.control & RESET_CPU) !== 0;
    this.#registers.control = value & WRITABLE;
    if (rises) this.#reset();
  }

  restored(): void {}
}
