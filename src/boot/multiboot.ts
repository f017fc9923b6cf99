/** Kernels by multiboot 1 (the Multiboot Specification, version 0.6.96, sections 3.1 to 3.4). */

import type { GuestMemory } from '../engine/memory.ts';
import type { BootRequest, Loader } from './boot.ts';
import { isElf, loadSegments, readElf } from './elf.ts';
import { badKernel, Image } from './image.ts';
import { latin1, LowMemory, putPiece } from './low-memory.ts';
import { checkPlace, lowMemoryEnd, memoryMap, type MemoryRange } from './memory-map.ts';
import { modulesOf } from './modules.ts';
import { descriptors, GDT, protectedModeAt } from './start-state.ts';

const MAGIC = 0x1badb002;
const LOADED = 0x2badb002;
/** The header lies in front of this, 4 bytes aligned. */
const searched = 8192;

const MEMORY = 1 << 0;
const COMMAND_LINE = 1 << 2;
const MODULES = 1 << 3;
const MEMORY_MAP = 1 << 6;
const LOADER_NAME = 1 << 9;

/** Flags of the header: pages and memory may be asked for; of the bits of 0 to 15 the loader has to refuse those that it does not know. */
const known = 0b11;
const ADDRESSES = 1 << 16;

interface Header {
  readonly at: number;
  readonly flags: number;
}

function findHeader(image: Image): Header | undefined {
  for (let at = 0; at + 12 <= Math.min(image.length, searched); at += 4) {
    if (image.u32(at, '') !== MAGIC) continue;
    const flags = image.u32(at + 4, '');
    if ((MAGIC + flags + image.u32(at + 8, '')) % 2 ** 32 === 0) return { at, flags };
  }
  return undefined;
}

/** Loads the kernel and gives where it begins and where its memory ends. */
function loadKernel(image: Image, { at, flags }: Header, memory: GuestMemory, ranges: readonly MemoryRange[]): { entry: number; end: number } {
  if ((flags & ADDRESSES) !== 0) return loadByAddresses(image, at, memory, ranges);
  if (!isElf(image.bytes)) throw badKernel('the kernel has a multiboot header without addresses and is no ELF file');
  const elf = readElf(image.bytes);
  if (elf.entry > 0xffffffff) throw badKernel(`the kernel's entry, 0x${elf.entry.toString(16)}, is beyond 4 GiB`);
  return { entry: elf.entry, end: loadSegments(elf, memory, ranges) };
}

/** The header itself tells where the file's bytes belong. */
function loadByAddresses(image: Image, at: number, memory: GuestMemory, ranges: readonly MemoryRange[]): { entry: number; end: number } {
  const address = (index: number): number => image.u32(at + 12 + index * 4, "the multiboot header's addresses");
  const [header, load, loadEnd, bssEnd, entry] = [address(0), address(1), address(2), address(3), address(4)];
  const from = at - (header - load);
  if (header < load || from < 0) throw badKernel('the kernel has a multiboot header that lies in front of what it loads');
  const size = loadEnd === 0 ? image.length - from : loadEnd - load;
  const bytes = image.slice(from, size, 'the kernel');
  const end = Math.max(bssEnd, load + size);
  checkPlace(ranges, load, end - load, 'the kernel');
  const target = memory.bytes(load, end - load);
  target.set(bytes);
  target.fill(0, size);
  return { entry, end };
}

/** Behind the kernel, each on a page of its own; gives the list, 16 bytes a module. */
function placeModules(request: BootRequest, memory: GuestMemory, low: LowMemory, ranges: readonly MemoryRange[], end: number): Uint8Array {
  const modules = modulesOf(request);
  const list = new Uint32Array(modules.length * 4);
  let next = Math.max(end, 0x100000);
  for (const [index, { bytes, commandLine }] of modules.entries()) {
    const start = Math.ceil(next / 4096) * 4096;
    checkPlace(ranges, start, bytes.length, 'a module');
    memory.bytes(start, bytes.length).set(bytes);
    next = start + bytes.length;
    list.set([start, next, low.put(latin1(commandLine, 4095), 'the command line'), 0], index * 4);
  }
  return new Uint8Array(list.buffer);
}

/** 24 bytes an entry, the first four tell of the other 20. */
function encodeMap(ranges: readonly MemoryRange[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(ranges.length * 24));
  for (const [index, { address, size, type }] of ranges.entries()) {
    view.setUint32(index * 24, 20, true);
    view.setBigUint64(index * 24 + 4, BigInt(address), true);
    view.setBigUint64(index * 24 + 12, BigInt(size), true);
    view.setUint32(index * 24 + 20, type, true);
  }
  return new Uint8Array(view.buffer);
}

function information(request: BootRequest, memory: GuestMemory, low: LowMemory, ranges: readonly MemoryRange[], end: number): Uint8Array {
  const modules = placeModules(request, memory, low, ranges, end);
  const map = encodeMap(ranges);
  const view = new DataView(new ArrayBuffer(116));
  const words: readonly [offset: number, value: number][] = [
    [0, MEMORY | COMMAND_LINE | MODULES | MEMORY_MAP | LOADER_NAME],
    [4, 639],
    [8, Math.max(0, Math.min(lowMemoryEnd(memory), 0x1_0000_0000) - 0x100000) / 1024],
    [16, low.put(latin1(request.commandLine, 0xffff), 'the command line')],
    [20, modules.length / 16],
    [24, low.put(modules, 'the list of modules')],
    [44, map.length],
    [48, low.put(map, 'the memory map')],
    [64, low.put(latin1('Delos', 16), "the loader's name")],
  ];
  for (const [offset, value] of words) view.setUint32(offset, value, true);
  return new Uint8Array(view.buffer);
}

export const multiboot: Loader = {
  name: 'multiboot',
  matches: (kernel) => findHeader(new Image('the kernel', kernel)) !== undefined,
  load(request, memory) {
    const image = new Image('the kernel', request.kernel);
    const header = findHeader(image);
    if (header === undefined) throw badKernel(`the kernel has no multiboot header in its first ${searched} bytes`);
    const { flags } = header;
    if ((flags & 0xffff & ~known) !== 0) throw badKernel(`the kernel's multiboot header asks for what is not there: flags 0x${flags.toString(16)}`);
    const ranges = memoryMap(memory);
    const { entry, end } = loadKernel(image, header, memory, ranges);
    putPiece(memory, { address: GDT, bytes: descriptors(32) }, 'descriptors');
    const low = new LowMemory(memory, 0x6000, 0x9fc00);
    const info = information(request, memory, low, ranges, end);
    return protectedModeAt(entry, { rax: LOADED, rbx: low.put(info, 'the multiboot information') });
  },
};
