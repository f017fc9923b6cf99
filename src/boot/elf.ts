/** Executables in ELF, of 32 and 64 bits (elf(5)): what a loader needs of them. */

import type { GuestMemory } from '../engine/memory.ts';
import { badKernel, Image } from './image.ts';
import { checkPlace, type MemoryRange } from './memory-map.ts';

export interface Segment {
  readonly offset: number;
  readonly physicalAddress: number;
  readonly fileSize: number;
  readonly memorySize: number;
}

export interface Elf {
  readonly image: Image;
  readonly entry: number;
  /** What is to be in memory. */
  readonly segments: readonly Segment[];
  /** Where the notes are in the file. */
  readonly notes: readonly Segment[];
}

const EM_386 = 3;
const EM_X86_64 = 62;
const PT_LOAD = 1;
const PT_NOTE = 4;
/** A kernel has fewer than ten. */
const mostHeaders = 128;

export function isElf(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

/** @throws DelosError bad-kernel */
export function readElf(kernel: Uint8Array): Elf {
  const image = new Image('the kernel', kernel);
  const wide = image.u8(4, 'the ELF class') === 2;
  if (!isElf(kernel) || image.u8(5, 'the ELF byte order') !== 1) throw badKernel('the kernel is no little-endian ELF file');
  const machine = image.u16(18, 'the ELF machine');
  if (machine !== EM_386 && machine !== EM_X86_64) throw badKernel(`the kernel is an ELF file for machine ${machine}, not for x86`);
  const entry = wide ? image.u64(24, 'the entry') : image.u32(24, 'the entry');
  const [at, size, count] = wide
    ? [image.u64(32, 'the program headers'), image.u16(54, 'e_phentsize'), image.u16(56, 'e_phnum')]
    : [image.u32(28, 'the program headers'), image.u16(42, 'e_phentsize'), image.u16(44, 'e_phnum')];
  if (size < (wide ? 56 : 32) || count > mostHeaders) throw badKernel(`the kernel has ${count} program headers of ${size} bytes, which is not ELF`);
  const headers = Array.from({ length: count }, (_, index) => readHeader(image, at + index * size, wide));
  const of = (type: number): Segment[] => headers.filter((header) => header.type === type && header.memorySize > 0);
  return { image, entry, segments: of(PT_LOAD), notes: of(PT_NOTE) };
}

function readHeader(image: Image, at: number, wide: boolean): Segment & { readonly type: number } {
  const what = 'a program header';
  const type = image.u32(at, what);
  const word = (index: number): number => (wide ? image.u64(at + 8 + index * 8, what) : image.u32(at + 4 + index * 4, what));
  // Between the offset and the physical address is the virtual one, which may be beyond what a number holds.
  return { type, offset: word(0), physicalAddress: word(2), fileSize: word(3), memorySize: word(4) };
}

/**
 * Puts the segments where they belong, zeroes behind what the file has of them.
 * @returns where the highest ends
 * @throws DelosError bad-kernel when one is not in the file or does not fit into usable memory
 */
export function loadSegments(elf: Elf, memory: GuestMemory, ranges: readonly MemoryRange[]): number {
  if (elf.segments.length === 0) throw badKernel('the kernel is an ELF file with nothing to load');
  for (const { offset, physicalAddress, fileSize, memorySize } of elf.segments) {
    if (fileSize > memorySize) throw badKernel(`the kernel has a segment of ${memorySize} bytes with ${fileSize} of them in the file`);
    const bytes = elf.image.slice(offset, fileSize, 'a segment');
    checkPlace(ranges, physicalAddress, memorySize, 'the kernel');
    const target = memory.bytes(physicalAddress, memorySize);
    target.set(bytes);
    target.fill(0, fileSize);
  }
  return Math.max(...elf.segments.map(({ physicalAddress, memorySize }) => physicalAddress + memorySize));
}

/** What a note says, or nothing: its description, by the owner's name and the type. */
export function findNote({ image, notes }: Elf, owner: string, type: number): Image | undefined {
  for (const segment of notes) {
    const area = new Image('the kernel', image.slice(segment.offset, segment.fileSize, 'its notes'));
    for (let at = 0; at + 12 <= area.length; ) {
      const nameSize = area.u32(at, 'a note'), size = area.u32(at + 4, 'a note');
      const descriptionAt = at + 12 + padded(nameSize);
      const name = String.fromCharCode(...area.slice(at + 12, Math.min(nameSize, 16), 'a note').filter((byte) => byte !== 0));
      const description = area.slice(descriptionAt, size, 'a note');
      if (name === owner && area.u32(at + 8, 'a note') === type) return new Image('the kernel', description);
      at = descriptionAt + padded(size);
    }
  }
  return undefined;
}

const padded = (size: number): number => Math.ceil(size / 4) * 4;
