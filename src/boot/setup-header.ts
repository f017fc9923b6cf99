/** The header of a bzImage: what a Linux kernel says of itself, by the kernel's Documentation/arch/x86/boot.rst. */

import { badKernel, Image } from './image.ts';

export interface SetupHeader {
  /** (major << 8) + minor. */
  readonly version: number;
  /** Where in the file the header ends, counted from its start. */
  readonly end: number;
  /** Where in the file the protected-mode code begins. */
  readonly codeAt: number;
  /** Bytes that the kernel needs from where it is loaded until it has found its memory map. */
  readonly initSize: number;
  readonly loadAddress: number;
  /** The highest address that a byte of the initrd may have. */
  readonly initrdMax: number;
  /** Characters of a command line at most, without the zero behind it. */
  readonly commandLineMax: number;
  /** It has the 64-bit entry point. */
  readonly has64: boolean;
}

/** In the file and, copied, in the zero page. */
export const HEADER_START = 0x1f1;
const MAGIC = 0x53726448;
const LOADED_HIGH = 1;
const XLF_KERNEL_64 = 1;
/** The first whose size of code is to be trusted; the kernels before are of 2005 and older. */
const oldest = 0x204;

const textOf = (version: number): string => `${version >> 8}.${String(version & 0xff).padStart(2, '0')}`;

export function isBzImage(kernel: Uint8Array): boolean {
  if (kernel.length < 0x206) return false;
  const image = new Image('the kernel', kernel);
  return image.u16(0x1fe, '') === 0xaa55 && image.u32(0x202, '') === MAGIC;
}

/** @throws DelosError bad-kernel */
export function readSetupHeader(image: Image): SetupHeader {
  if (!isBzImage(image.bytes)) throw badKernel("the kernel is no bzImage: it has no 'HdrS' at 0x202");
  const version = image.u16(0x206, 'the protocol version');
  if (version < oldest) throw badKernel(`the kernel speaks boot protocol ${textOf(version)}, which is too old: ${textOf(oldest)} is the first to work here`);
  if ((image.u8(0x211, 'loadflags') & LOADED_HIGH) === 0) throw badKernel('the kernel is a zImage, which loads below 1 MiB; only a bzImage works here');
  const since = (first: number, read: () => number, before: number): number => (version >= first ? read() : before);
  const codeAt = ((image.u8(HEADER_START, 'setup_sects') || 4) + 1) * 512;
  const codeSize = image.length - codeAt;
  if (codeSize <= 0x200) throw badKernel(`the kernel is cut off: its code would begin at ${codeAt}, it has ${image.length} bytes`);
  const end = Math.min(0x202 + image.u8(0x201, 'the length of the header'), codeAt);
  return {
    version, end, codeAt,
    initSize: Math.max(codeSize, since(0x20a, () => image.u32(0x260, 'init_size'), 0)),
    loadAddress: since(0x20a, () => image.u64(0x258, 'pref_address'), 0x100000),
    initrdMax: image.u32(0x22c, 'initrd_addr_max'),
    commandLineMax: since(0x206, () => image.u32(0x238, 'cmdline_size'), 255),
    has64: since(0x20c, () => image.u16(0x236, 'xloadflags'), 0) % 2 === XLF_KERNEL_64,
  };
}
