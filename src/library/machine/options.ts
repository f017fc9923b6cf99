import type { BootModule } from '../../boot/boot.ts';
import type { ReadSnapshot } from '../../snapshot/snapshot.ts';

/** A kernel: a bzImage, an ELF file with a PVH entry, or one with a multiboot 1 header; which, its bytes tell. */
export interface KernelStart {
  readonly kernel: Uint8Array;
  /** Linux' initial file system, or the first module of the others. */
  readonly initrd?: Uint8Array;
  /** The kernel's words, in Latin-1. `console=ttyS0` has Linux speak on the serial port. None when it isn't given. */
  readonly commandLine?: string;
  /** Further modules, of PVH and multiboot. */
  readonly modules?: readonly BootModule[];
}

/** A BIOS image, such as SeaBIOS: it ends at 4 GiB, and the processor begins as after a reset. A multiple of 64 KiB. */
export interface FirmwareStart {
  readonly firmware: Uint8Array;
}

/** Code in real mode, run from its first byte. */
export interface FlatStart {
  readonly code: Uint8Array;
  /** Where it goes; 0x7c00 when it isn't given, where a BIOS puts a boot sector. */
  readonly address?: number;
}

/** A machine that was there before, which goes on where it was: with its memory, and with what its CPUID said. */
export interface SnapshotStart {
  /** All bytes of `machine.snapshot()`, or in Node a file of them. */
  readonly snapshot: Uint8Array | ReadSnapshot;
}

/** One of these, and nothing of the others. */
export type Start =
  | (KernelStart & None<FirmwareStart & FlatStart & SnapshotStart>)
  | (FirmwareStart & None<KernelStart & FlatStart & SnapshotStart>)
  | (FlatStart & None<KernelStart & FirmwareStart & SnapshotStart>)
  | (SnapshotStart & None<KernelStart & FirmwareStart & FlatStart & Hardware>);

type None<Other> = { readonly [Key in keyof Other]?: undefined };

/** What a machine is made of; a snapshot tells it itself. */
export interface Hardware {
  /** Bytes of RAM, or a text such as `512m`; 256 MiB when it isn't given. Whole pages of 4 KiB, less than 4 GiB. */
  readonly memory?: number | string;
  /** Whether CPUID says that there is a hypervisor, which it does when this isn't given. */
  readonly hypervisor?: boolean;
}

/** What every machine can be told, wherever it runs. */
export type CommonOptions = Start & Hardware & {
  /** Takes what the guest sends on its serial port, as it comes. `machine.serial` has it as text, with this or without. */
  readonly serial?: (bytes: Uint8Array) => void;
};
