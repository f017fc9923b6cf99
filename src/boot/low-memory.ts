import type { GuestMemory } from '../engine/memory.ts';
import type { Piece } from './boot.ts';
import { badKernel } from './image.ts';

/**
 * A command line as bytes with a zero behind.
 * @param most characters at most
 * @throws DelosError bad-kernel when it is longer, or has a character that is no byte
 */
export function latin1(text: string, most: number): Uint8Array {
  if (text.length > most) throw badKernel(`the command line has ${text.length} characters, the kernel takes ${most}`);
  const bytes = new Uint8Array(text.length + 1);
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0 || code > 0xff) throw badKernel(`the command line has a character that is no byte, ${JSON.stringify(text[at])}`);
    bytes[at] = code;
  }
  return bytes;
}

/** @throws DelosError bad-kernel when there is no memory where they are to be */
export function putTables(memory: GuestMemory, tables: readonly Piece[]): void {
  for (const { address, bytes } of tables) putPiece(memory, { address, bytes }, "ACPI's tables");
}

/** @throws DelosError bad-kernel when there is no memory where it is to be */
export function putPiece(memory: GuestMemory, { address, bytes }: Piece, what: string): void {
  const end = address + bytes.length;
  const fits = memory.regions.some((region) => address >= region.guestAddress && end <= region.guestAddress + region.size);
  if (!fits) throw badKernel(`there is no memory for ${what} at 0x${address.toString(16)}, ${bytes.length} bytes`);
  memory.bytes(address, bytes.length).set(bytes);
}

/** Hands out memory below 640 KiB, one place after the other. */
export class LowMemory {
  readonly #memory: GuestMemory;
  #next: number;
  readonly #end: number;

  constructor(memory: GuestMemory, start: number, end: number) {
    this.#memory = memory;
    this.#next = start;
    this.#end = end;
  }

  /** Puts bytes at the next multiple of 16 and gives its address. @throws DelosError bad-kernel when they do not fit */
  put(bytes: Uint8Array, what: string): number {
    const address = this.#next;
    if (address + bytes.length > this.#end) throw badKernel(`${what} does not fit below 0x${this.#end.toString(16)}`);
    putPiece(this.#memory, { address, bytes }, what);
    this.#next = Math.ceil((address + bytes.length) / 16) * 16;
    return address;
  }
}
