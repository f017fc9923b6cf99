/** Bytes of one access. The bus has taken apart what is wider (8 bytes are two accesses, the lower half first). */
export type AccessSize = 1 | 2 | 4;

/**
 * A device as the bus sees it: registers at offsets from where it was put. Values are unsigned; a read gives at most `size` bytes' worth.
 * A guest's mistake is never a throw: what is not there reads as the real chip reads it, or as ones.
 */
export interface Device {
  readonly name: string;
  /**
   * The widest access that its registers take, 1 when it is not said. What is wider, or not aligned, the bus takes apart, the lower half
   * first, as bridges do for a device of 8 bits. (A device may get less than `width` too.)
   */
  readonly width?: AccessSize;
  read(offset: number, size: AccessSize): number;
  write(offset: number, size: AccessSize, value: number): void;
}

/** A device that a snapshot holds. Its state is bytes in a declared layout; saving is copying them. */
export interface Stateful {
  readonly name: string;
  /** The bytes themselves, to be read and to be overwritten; always of the same length. */
  readonly state: Uint8Array;
  /** After `state` has been overwritten, the clock's first: arms timers, raises lines again. @throws DelosError `bad-snapshot` for what it can't be */
  restored(): void;
}

/**
 * An interrupt line, from a device's side: asserted or not (a line's electrical polarity is nobody's business here). Setting it to what it
 * is does nothing.
 */
export type Line = (up: boolean) => void;

/** A guest's physical memory, to devices that read and write it by themselves. */
export interface DirectMemory {
  /** `length` bytes, as a view. @throws RangeError when not all of them are in one region */
  bytes(guestAddress: number, length: number): Uint8Array;
}
