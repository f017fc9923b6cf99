/** What waits outside for a serial port: bytes of any number, which go in as fast as the guest reads them. */

import type { Uart } from './uart.ts';

export class SerialInput {
  readonly #uart: () => Uart;
  #waiting: Uint8Array[] = [];

  /** @param uart the port, once it is there */
  constructor(uart: () => Uart) {
    this.#uart = uart;
  }

  /** How many bytes wait. A source that is faster than its guest should stop while they are many. */
  get length(): number {
    return this.#waiting.reduce((sum, bytes) => sum + bytes.length, 0);
  }

  /** A copy of all that waits. */
  get waiting(): Uint8Array {
    const all = new Uint8Array(this.length);
    let at = 0;
    for (const bytes of this.#waiting) {
      all.set(bytes, at);
      at += bytes.length;
    }
    return all;
  }

  /** Adds bytes; they are not copied. */
  send(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#waiting.push(bytes);
    this.feed();
  }

  /** Gives the port what it has room for. */
  feed(): void {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const taken = this.#uart().receive(first);
      if (taken < first.length) {
        this.#waiting[0] = first.subarray(taken);
        return;
      }
      this.#waiting.shift();
    }
  }
}
