/** Reads along on a serial port for the line with which Linux gives up. */

const words = 'Kernel panic - not syncing: ';
/** A longer line is not kept. */
const longest = 1024;

export class PanicWatch {
  /** What the kernel said, once it has. */
  message: string | undefined = undefined;
  #line = '';

  take(byte: number): void {
    if (byte !== 0x0a) {
      if (this.#line.length < longest) this.#line += String.fromCharCode(byte);
      return;
    }
    const at = this.#line.indexOf(words);
    if (at >= 0) this.message ??= this.#line.slice(at + words.length).trim();
    this.#line = '';
  }
}
