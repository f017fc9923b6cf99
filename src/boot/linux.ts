/** Linux' bzImage, by the 64-bit and the 32-bit boot protocol (the kernel's Documentation/arch/x86/boot.rst and zero-page.rst). */

import type { GuestMemory } from '../engine/memory.ts';
import { put } from '../lib/layout.ts';
import type { BootRequest, Loader } from './boot.ts';
import { badKernel, Image } from './image.ts';
import { latin1, putPiece, putTables } from './low-memory.ts';
import { checkPlace, memoryMap, placeHigh, type MemoryRange } from './memory-map.ts';
import { identityMap } from './page-tables.ts';
import { HEADER_START, isBzImage, readSetupHeader, type SetupHeader } from './setup-header.ts';
import { descriptors, GDT, longModeAt, protectedModeAt } from './start-state.ts';

/** Where the loader puts what the kernel is handed; all of it the kernel copies before it uses that memory. */
export const ZERO_PAGE = 0x7000;
const PAGE_TABLES = 0x9000;
export const COMMAND_LINE = 0x20000;

const OTHER_LOADER = 0xff;
const NORMAL_SCREEN = 0xffff;
const E820_MAX = 128;

interface Loaded {
  readonly header: SetupHeader;
  readonly initrd: { readonly address: number; readonly size: number };
  readonly ranges: readonly MemoryRange[];
}

/** Puts the kernel's code, the initrd, the command line, ACPI's tables and the zero page into memory. */
function fill(request: BootRequest, memory: GuestMemory): SetupHeader {
  if (request.modules !== undefined && request.modules.length > 0) throw badKernel('the kernel is a Linux by its own boot protocol, which takes an initrd and no modules');
  const image = new Image('the kernel', request.kernel);
  const header = readSetupHeader(image);
  const ranges = memoryMap(memory, request.acpi?.tables);
  checkPlace(ranges, header.loadAddress, header.initSize, 'the kernel');
  memory.bytes(header.loadAddress, image.length - header.codeAt).set(request.kernel.subarray(header.codeAt));
  const words = latin1(request.commandLine, header.commandLineMax);
  putPiece(memory, { address: COMMAND_LINE, bytes: words }, 'the command line');
  putTables(memory, request.acpi?.tables ?? []);
  const initrd = placeInitrd(request.initrd, header, ranges, memory);
  putPiece(memory, { address: ZERO_PAGE, bytes: zeroPage(image, { header, initrd, ranges }, request.acpi?.rsdp ?? 0) }, 'the zero page');
  return header;
}

function placeInitrd(bytes: Uint8Array | undefined, header: SetupHeader, ranges: readonly MemoryRange[], memory: GuestMemory): Loaded['initrd'] {
  if (bytes === undefined || bytes.length === 0) return { address: 0, size: 0 };
  const address = placeHigh(ranges, bytes.length, header.loadAddress + header.initSize, header.initrdMax + 1, 'the initrd');
  memory.bytes(address, bytes.length).set(bytes);
  return { address, size: bytes.length };
}

/** struct boot_params: the kernel's own header, and what it is told. */
function zeroPage(image: Image, { header, initrd, ranges }: Loaded, rsdp: number): Uint8Array {
  const page = new Uint8Array(4096);
  const view = new DataView(page.buffer);
  page.set(image.slice(HEADER_START, header.end - HEADER_START, 'the setup header'), HEADER_START);
  put(view, 0x070, 'u64', rsdp);
  put(view, 0x1e8, 'u8', Math.min(ranges.length, E820_MAX));
  put(view, 0x1fa, 'u16', NORMAL_SCREEN);
  put(view, 0x210, 'u8', OTHER_LOADER);
  put(view, 0x214, 'u32', header.loadAddress);
  put(view, 0x218, 'u32', initrd.address);
  put(view, 0x21c, 'u32', initrd.size);
  put(view, 0x228, 'u32', COMMAND_LINE);
  for (const [index, range] of ranges.slice(0, E820_MAX).entries()) {
    put(view, 0x2d0 + index * 20, 'u64', range.address);
    put(view, 0x2d8 + index * 20, 'u64', range.size);
    put(view, 0x2e0 + index * 20, 'u32', range.type);
  }
  return page;
}

export const linux64: Loader = {
  name: 'Linux by the 64-bit boot protocol',
  matches: (kernel) => isBzImage(kernel) && readSetupHeader(new Image('the kernel', kernel)).has64,
  load(request, memory) {
    const { loadAddress } = fill(request, memory);
    putPiece(memory, { address: PAGE_TABLES, bytes: identityMap(PAGE_TABLES) }, 'page tables');
    putPiece(memory, { address: GDT, bytes: descriptors(64) }, 'descriptors');
    return longModeAt(loadAddress + 0x200, PAGE_TABLES, { rsi: ZERO_PAGE });
  },
};

export const linux32: Loader = {
  name: 'Linux by the 32-bit boot protocol',
  matches: isBzImage,
  load(request, memory) {
    const { loadAddress } = fill(request, memory);
    putPiece(memory, { address: GDT, bytes: descriptors(32) }, 'descriptors');
    return protectedModeAt(loadAddress, { rsi: ZERO_PAGE });
  },
};
