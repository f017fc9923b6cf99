/** Bytes of one access. The bus has taken apart what is wider (8 bytes are two accesses, the lower half first). */
export type AccessSize = 1 | 2 | 4;

/**
 * A device as the bus sees it: registers at offsets from where it was put. Values are unsigned; a read gives at most `size` bytes' worth.
 * A guest's mistake is never a throw: what is not there reads as the real chip reads it, or as ones.
 */
export interface Device {
  readonly name: string;
  read(offset: number, size: AccessSize): number;
  write(offset: number, size: AccessSize, value: number): void;
}

/** A device that a snapshot holds. Its state is bytes in a declared layout; saving is copying them. */
export interface Stateful {
  readonly name: string;
  readonly state: Uint8Array;
  /** After `state` has been overwritten: arms timers, raises lines again. */
  restored(): void;
}

/** An interrupt line, from a device's side: up or down. Setting it to what it is does nothing. */
export type Line = (up: boolean) => void;
