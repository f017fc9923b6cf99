/** Ports of a byte that programs talk to their developers through. */

import { struct } from '../lib/layout.ts';
import { record } from '../lib/record.ts';
import type { AccessSize, Device, Stateful } from './device.ts';

export const POST_PORT = 0x80;
export const DEBUG_CONSOLE_PORT = 0x402;
export const DEBUG_EXIT_PORT = 0xf4;

const layout = struct('post', { code: 'u8' });

/** Port 80h: a BIOS' progress code, kept to be read; Linux writes it to let a microsecond pass. */
export class PostPort implements Device, Stateful {
  readonly name = 'post';
  readonly state = new Uint8Array(layout.size);
  readonly #registers = record(layout, this.state);

  /** The code that was written last. */
  read(): number {
    return this.#registers.code;
  }

  write(_offset: number, _size: AccessSize, value: number): void {
    this.#registers.code = value;
  }

  restored(): void {}
}

/** What a read of the debug console gives, so that firmware knows that somebody listens. */
const LISTENING = 0xe9;

/** Port 402h: SeaBIOS and OVMF print to it. */
export function debugConsole(output: (byte: number) => void): Device {
  return { name: 'debug-console', read: () => LISTENING, write: (_offset, _size, value) => output(value) };
}

/** Port F4h, QEMU's isa-debug-exit: the machine ends with the status `value * 2 + 1`, never 0. Reads as zeros. */
export function debugExit(exit: (status: number) => void): Device {
  return { name: 'debug-exit', width: 4, read: () => 0, write: (_offset, _size, value) => exit(((value << 1) | 1) & 0xff) };
}
