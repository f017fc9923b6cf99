import { DelosError } from '../lib/errors.ts';

/** The mistake of who gave a kernel, a firmware or an initrd: one line that says what is wrong with it. */
export function badKernel(message: string): DelosError {
  return new DelosError('bad-kernel', message);
}

/** Bytes that someone else made. Little endian. Every read checks its bounds and is refused with what was looked for. */
export class Image {
  readonly bytes: Uint8Array;
  readonly #name: string;
  readonly #view: DataView;

  /** @param name what a message calls it, as in "the kernel" */
  constructor(name: string, bytes: Uint8Array) {
    this.#name = name;
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get length(): number {
    return this.bytes.length;
  }

  /** @throws DelosError bad-kernel when it is shorter */
  slice(at: number, length: number, what: string): Uint8Array {
    this.#check(at, length, what);
    return this.bytes.subarray(at, at + length);
  }

  u8(at: number, what: string): number {
    this.#check(at, 1, what);
    return this.#view.getUint8(at);
  }

  u16(at: number, what: string): number {
    this.#check(at, 2, what);
    return this.#view.getUint16(at, true);
  }

  u32(at: number, what: string): number {
    this.#check(at, 4, what);
    return this.#view.getUint32(at, true);
  }

  /** @throws DelosError bad-kernel also for what no number holds exactly: no offset, size or address of use is that large */
  u64(at: number, what: string): number {
    this.#check(at, 8, what);
    const value = Number(this.#view.getBigUint64(at, true));
    if (!Number.isSafeInteger(value)) throw badKernel(`${this.#name} has ${what} of 0x${value.toString(16)}, which is beyond all memory`);
    return value;
  }

  #check(at: number, length: number, what: string): void {
    if (Number.isSafeInteger(at + length) && at >= 0 && length >= 0 && at + length <= this.length) return;
    throw badKernel(`${this.#name} is cut off: ${what} would be ${length} bytes at ${at}, it has ${this.length}`);
  }
}
