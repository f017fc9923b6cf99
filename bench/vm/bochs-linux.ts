/** Linux on Bochs, which has no loader but its BIOS: by the 32-bit boot protocol from a disk, as our own loader lays it out in memory. */
import { COMMAND_LINE, linux32, ZERO_PAGE } from '../../src/boot/linux.ts';
import { createGuestMemory } from '../../src/engine/memory.ts';
import type { GuestImages } from './guest.ts';
import { bochsCommand } from './machines.ts';
import type { Command } from './spawned.ts';

/** The BIOS keeps its ACPI tables at the end of memory. */
const biosMb = 1;
/** Where the zero page and the command line behind it go: the BIOS is done with it then. */
const informationAt = 0x90000;
/** Of the zero page (the kernel's Documentation/arch/x86/zero-page.rst). */
const field = { loadAddress: 0x214, initrd: 0x218, initrdSize: 0x21c, commandLine: 0x228 } as const;
const setupSectors = 0x1f1;

export interface LinuxFiles {
  readonly kernel: Buffer;
  readonly initrd: Buffer;
  readonly commandLine: string;
}

export function bochsLinux(program: string, images: GuestImages, { kernel, initrd, commandLine }: LinuxFiles, memoryMb: number): Command {
  const memory = createGuestMemory([{ guestAddress: 0, size: (memoryMb - biosMb) * 2 ** 20 }]);
  linux32.load({ kernel, initrd, commandLine }, memory);
  const information = Buffer.alloc(2 * 4096);
  information.set(memory.bytes(ZERO_PAGE, 4096));
  information.set(memory.bytes(COMMAND_LINE, 4096), 4096);
  information.writeUInt32LE(informationAt + 4096, field.commandLine);
  const [loadAddress, initrdAddress, initrdSize] = [field.loadAddress, field.initrd, field.initrdSize].map((at) => information.readUInt32LE(at)) as [number, number, number];
  const code = kernel.subarray(((kernel[setupSectors] ?? 0) + 1) * 512);
  const disk = images.diskOf('linux', [
    { address: informationAt, bytes: information },
    { address: loadAddress, bytes: memory.bytes(loadAddress, code.length) },
    { address: initrdAddress, bytes: memory.bytes(initrdAddress, initrdSize) },
  ], loadAddress, informationAt);
  return bochsCommand(program, disk, memoryMb);
}
