/** An ELF64 file with two sections of code under their symbols, as an assembler leaves it. */

/** push %rbp; pop %rbp; ret: `first`; call first: `second` */
const text = Uint8Array.of(0x55, 0x5d, 0xc3, 0xe8, 0xf8, 0xff, 0xff, 0xff);
/** Where its code is said to be. */
export const TEXT = 0xffffffff81000000n;
const names = '\0.text\0.symtab\0.strtab\0.shstrtab\0first\0second\0';
const nameAt = (name: string): number => names.indexOf(`\0${name}\0`) + 1;

const textAt = 64;
const symbolsAt = textAt + text.length;
const namesAt = symbolsAt + 3 * 24;
const headersAt = namesAt + names.length;
const headers = 5;

export function elfWithCode(): Uint8Array {
  const bytes = new Uint8Array(headersAt + headers * 64);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 1, true);
  view.setUint16(18, 62, true);
  view.setBigUint64(40, BigInt(headersAt), true);
  view.setUint16(58, 64, true);
  view.setUint16(60, headers, true);
  view.setUint16(62, 4, true);
  bytes.set(text, textAt);
  symbol(view, 1, 'first', TEXT, 3);
  symbol(view, 2, 'second', TEXT + 3n, 0);
  bytes.set(new TextEncoder().encode(names), namesAt);
  section(view, 1, { name: '.text', type: 1, flags: 6, address: TEXT, offset: textAt, size: text.length });
  section(view, 2, { name: '.symtab', type: 2, offset: symbolsAt, size: 3 * 24, link: 3 });
  section(view, 3, { name: '.strtab', type: 3, offset: namesAt, size: names.length });
  section(view, 4, { name: '.shstrtab', type: 3, offset: namesAt, size: names.length });
  return bytes;
}

function symbol(view: DataView, index: number, name: string, address: bigint, size: number): void {
  const at = symbolsAt + index * 24;
  view.setUint32(at, nameAt(name), true);
  view.setUint8(at + 4, 0x12);
  view.setUint16(at + 6, 1, true);
  view.setBigUint64(at + 8, address, true);
  view.setBigUint64(at + 16, BigInt(size), true);
}

interface SectionHeader {
  readonly name: string;
  readonly type: number;
  readonly flags?: number;
  readonly address?: bigint;
  readonly offset: number;
  readonly size: number;
  readonly link?: number;
}

function section(view: DataView, index: number, { name, type, flags = 0, address = 0n, offset, size, link = 0 }: SectionHeader): void {
  const at = headersAt + index * 64;
  view.setUint32(at, nameAt(name), true);
  view.setUint32(at + 4, type, true);
  view.setBigUint64(at + 8, BigInt(flags), true);
  view.setBigUint64(at + 16, address, true);
  view.setBigUint64(at + 24, BigInt(offset), true);
  view.setBigUint64(at + 32, BigInt(size), true);
  view.setUint32(at + 40, link, true);
}
