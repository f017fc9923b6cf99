/** The code in an ELF file, by its sections, and the names in it (elf(5)): for a listing. Works in a browser: nothing of Node here. */

import { badKernel, Image } from './image.ts';
import { isElf } from './elf.ts';

export interface CodeSection {
  readonly name: string;
  /** Where its first byte is meant to be. */
  readonly address: bigint;
  readonly bytes: Uint8Array;
}

export interface CodeSymbol {
  readonly name: string;
  readonly address: bigint;
  /** In bytes; 0 where the file does not say. */
  readonly size: number;
}

export interface ElfCode {
  readonly codeSize: 32 | 64;
  readonly sections: readonly CodeSection[];
  /** Functions and places, in the order of their addresses; none twice at one address. */
  readonly symbols: readonly CodeSymbol[];
}

const EM_386 = 3;
const EM_X86_64 = 62;
const SHT_PROGBITS = 1;
const SHT_SYMTAB = 2;
const SHT_DYNSYM = 11;
const SHF_EXECINSTR = 4;
const STT_NOTYPE = 0;
const STT_FUNC = 2;
const SHN_UNDEF = 0;
const SHN_LORESERVE = 0xff00;
const longestName = 512;

interface Section {
  readonly nameAt: number;
  readonly type: number;
  readonly flags: number;
  readonly address: bigint;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
}

/** @throws DelosError bad-kernel for a file that is cut off, or is no ELF file of an x86 */
export function readElfCode(bytes: Uint8Array): ElfCode {
  const file = new Image('the file', bytes);
  if (!isElf(bytes) || file.u8(5, 'the ELF byte order') !== 1) throw badKernel('the file is no little-endian ELF file');
  const machine = file.u16(18, 'the ELF machine');
  if (machine !== EM_386 && machine !== EM_X86_64) throw badKernel(`the file is an ELF file for machine ${machine}, not for x86`);
  const wide = file.u8(4, 'the ELF class') === 2;
  const [at, size, count, names] = wide
    ? [file.u64(40, 'its sections'), file.u16(58, 'e_shentsize'), file.u16(60, 'e_shnum'), file.u16(62, 'e_shstrndx')]
    : [file.u32(32, 'its sections'), file.u16(46, 'e_shentsize'), file.u16(48, 'e_shnum'), file.u16(50, 'e_shstrndx')];
  if (count > 0 && size < (wide ? 64 : 40)) throw badKernel(`the file has section headers of ${size} bytes, which is not ELF`);
  const sections = Array.from({ length: count }, (_, index) => readSection(file, at + index * size, wide));
  const table = sections[names];
  const code = sections.filter(({ type, flags }) => type === SHT_PROGBITS && (flags & SHF_EXECINSTR) !== 0).map((section) => ({
    name: table === undefined ? '' : textAt(file, table.offset + section.nameAt), address: section.address, bytes: file.slice(section.offset, section.size, 'a section'),
  }));
  return { codeSize: machine === EM_386 ? 32 : 64, sections: code, symbols: symbolsOf(file, sections, wide) };
}

const word64 = (file: Image, at: number, what: string): bigint => BigInt(file.u32(at, what)) | (BigInt(file.u32(at + 4, what)) << 32n);

function readSection(file: Image, at: number, wide: boolean): Section {
  const what = 'a section header';
  const word = (index: number): number => (wide ? file.u64(at + 8 + 8 * index, what) : file.u32(at + 8 + 4 * index, what));
  const address = wide ? word64(file, at + 16, what) : BigInt(file.u32(at + 12, what));
  const type = file.u32(at + 4, what);
  // What is only room in memory may have any size.
  const isRoom = type !== SHT_PROGBITS && type !== SHT_SYMTAB && type !== SHT_DYNSYM;
  return { nameAt: file.u32(at, what), type, flags: word(0), address, offset: word(2), size: isRoom ? 0 : word(3), link: file.u32(at + (wide ? 40 : 24), what) };
}

function textAt(file: Image, at: number): string {
  let text = '';
  for (let index = at; text.length < longestName; index++) {
    const byte = file.u8(index, 'a name');
    if (byte === 0) break;
    text += String.fromCharCode(byte);
  }
  return text;
}

/** Those of the symbol table, or of the dynamic one where the other is stripped. */
function symbolsOf(file: Image, sections: readonly Section[], wide: boolean): CodeSymbol[] {
  const table = sections.find(({ type }) => type === SHT_SYMTAB) ?? sections.find(({ type }) => type === SHT_DYNSYM);
  const names = table === undefined ? undefined : sections[table.link];
  if (table === undefined || names === undefined) return [];
  const size = wide ? 24 : 16;
  const found = new Map<bigint, CodeSymbol>();
  for (let at = table.offset; at + size <= table.offset + table.size; at += size) {
    const symbol = readSymbol(file, at, names.offset, sections, wide);
    if (symbol !== undefined && !((found.get(symbol.address)?.size ?? -1) >= symbol.size)) found.set(symbol.address, symbol);
  }
  return [...found.values()].sort((a, b) => (a.address < b.address ? -1 : 1));
}

/** Nothing for one that is no place in code. */
function readSymbol(file: Image, at: number, namesAt: number, sections: readonly Section[], wide: boolean): CodeSymbol | undefined {
  const what = 'a symbol';
  const type = file.u8(at + (wide ? 4 : 12), what) & 15;
  const section = file.u16(at + (wide ? 6 : 14), what);
  const isPlace = section !== SHN_UNDEF && section < SHN_LORESERVE && ((sections[section]?.flags ?? 0) & SHF_EXECINSTR) !== 0;
  if ((type !== STT_FUNC && type !== STT_NOTYPE) || !isPlace) return undefined;
  const name = textAt(file, namesAt + file.u32(at, what));
  if (name === '') return undefined;
  const address = wide ? word64(file, at + 8, what) : BigInt(file.u32(at + 4, what));
  return { name, address, size: wide ? file.u64(at + 16, what) : file.u32(at + 8, what) };
}
