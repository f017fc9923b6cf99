import type { GuestMemory } from '../engine/memory.ts';

/** Bytes that go to a guest-physical address as they are. */
export interface Piece {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** A file for the kernel, with the words that are told of it. */
export interface BootModule {
  readonly bytes: Uint8Array;
  readonly commandLine: string;
}

/** What a machine starts with. */
export interface BootRequest {
  readonly kernel: Uint8Array;
  /** The kernel's words, of Latin-1; empty when there are none. */
  readonly commandLine: string;
  /** The first module of a multiboot kernel, the initial file system of Linux. */
  readonly initrd?: Uint8Array;
  /** Further modules; only multiboot and PVH have them. */
  readonly modules?: readonly BootModule[];
  /** ACPI's tables, which are put there, and where the RSDP is among them. */
  readonly acpi?: { readonly tables: readonly Piece[]; readonly rsdp: number };
}

/**
 * One way of starting a guest. `load` fills the memory and gives the first state of the first processor, a cpu_state (src/cpu/state.ts).
 * @throws DelosError bad-kernel, one line, when the image is not valid or does not fit
 */
export interface Loader {
  readonly name: string;
  /** Whether the bytes are of this kind, by their magic number. */
  matches(kernel: Uint8Array): boolean;
  load(request: BootRequest, memory: GuestMemory): Uint8Array;
}
