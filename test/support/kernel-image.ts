/** Kernels as small as they can be, byte by byte as the documents say, for the boot loaders' tests and fuzzers. */

export const MEBIBYTE = 1024 * 1024;

export interface BzImageOptions {
  readonly version?: number;
  readonly code?: number;
  readonly loadFlags?: number;
  readonly xloadflags?: number;
  readonly initSize?: number;
  readonly setupSectors?: number;
}

/** A bzImage with a code of `code` bytes, each 0x90, behind its setup sectors. */
export function bzImage({ version = 0x20f, code = 4096, loadFlags = 1, xloadflags = 1, initSize = 0x8000, setupSectors = 1 }: BzImageOptions = {}): Uint8Array {
  const codeAt = ((setupSectors === 0 ? 4 : setupSectors) + 1) * 512;
  const bytes = new Uint8Array(codeAt + code);
  const view = new DataView(bytes.buffer);
  view.setUint8(0x1f1, setupSectors);
  view.setUint32(0x1f4, Math.ceil(code / 16), true);
  view.setUint16(0x1fe, 0xaa55, true);
  view.setUint16(0x200, 0x6aeb, true);
  view.setUint32(0x202, 0x53726448, true);
  view.setUint16(0x206, version, true);
  view.setUint8(0x211, loadFlags);
  view.setUint32(0x214, 0x100000, true);
  view.setUint32(0x22c, 0x7fffffff, true);
  view.setUint32(0x230, 0x200000, true);
  view.setUint8(0x234, 1);
  view.setUint16(0x236, xloadflags, true);
  view.setUint32(0x238, 2047, true);
  view.setBigUint64(0x258, 0x1000000n, true);
  view.setUint32(0x260, initSize, true);
  bytes.fill(0x90, codeAt);
  return bytes;
}

export interface ElfOptions {
  readonly wide?: boolean;
  readonly entry?: number;
  readonly address?: number;
  readonly code?: Uint8Array;
  /** Bytes in memory, more than those of the code. */
  readonly memorySize?: number;
  /** The address of a note XEN_ELFNOTE_PHYS32_ENTRY. */
  readonly pvhEntry?: number;
}

/** An ELF file with one segment of code and, if asked for, a segment of notes. */
export function elf({ wide = true, entry = 0x100000, address = 0x100000, code = new Uint8Array(64).fill(0x90), memorySize = code.length, pvhEntry }: ElfOptions = {}): Uint8Array {
  const [headerSize, entrySize] = wide ? [64, 56] : [52, 32];
  const notesAt = headerSize + 2 * entrySize;
  const codeAt = notesAt + 24;
  const bytes = new Uint8Array(codeAt + code.length);
  const view = new DataView(bytes.buffer);
  const word = (at: number, value: number): void => (wide ? view.setBigUint64(at, BigInt(value), true) : view.setUint32(at, value, true));
  bytes.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, wide ? 62 : 3, true);
  word(24, entry);
  word(wide ? 32 : 28, headerSize);
  view.setUint16(wide ? 54 : 42, entrySize, true);
  view.setUint16(wide ? 56 : 44, pvhEntry === undefined ? 1 : 2, true);
  const segment = (at: number, type: number, offset: number, physical: number, inFile: number, inMemory: number): void => {
    view.setUint32(at, type, true);
    for (const [index, value] of [offset, physical, physical, inFile, inMemory].entries()) word(wide ? at + 8 + index * 8 : at + 4 + index * 4, value);
  };
  segment(headerSize, 1, codeAt, address, code.length, memorySize);
  segment(headerSize + entrySize, 4, notesAt, 0, 20, 20);
  view.setUint32(notesAt, 4, true);
  view.setUint32(notesAt + 4, 4, true);
  view.setUint32(notesAt + 8, 18, true);
  bytes.set([0x58, 0x65, 0x6e, 0], notesAt + 12);
  view.setUint32(notesAt + 16, pvhEntry ?? 0, true);
  bytes.set(code, codeAt);
  return bytes;
}

/** Code that begins with a multiboot header; with addresses when it is to be loaded without ELF. */
export function multibootCode(flags: number, addresses: readonly number[] = []): Uint8Array {
  const words = [0x1badb002, flags, -(0x1badb002 + flags) >>> 0, ...addresses];
  const code = new Uint8Array(64 + words.length * 4).fill(0x90);
  const view = new DataView(code.buffer);
  for (const [index, value] of words.entries()) view.setUint32(index * 4, value, true);
  return code;
}
