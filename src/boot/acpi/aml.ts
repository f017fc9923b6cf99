/** An encoder of AML: the terms that describe devices without code of their own. ACPI 6.5, chapter 20 ("ACPI Machine Language"). */

/** A term, encoded. */
export type Aml = readonly number[];

/** PkgLength, which counts itself (20.2.4). */
function pkgLength(content: number): Aml {
  if (content + 1 < 0x40) return [content + 1];
  const bytes = content + 2 < 0x1000 ? 1 : content + 3 < 0x100000 ? 2 : 3;
  const length = content + 1 + bytes;
  return [(bytes << 6) | (length & 15), ...littleEndian(Math.floor(length / 16), bytes)];
}

/** `bytes` bytes of a number, the lowest first. */
export function littleEndian(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, at) => Math.floor(value / 256 ** at) % 256);
}

function withLength(opcode: Aml, content: Aml): Aml {
  return [...opcode, ...pkgLength(content.length), ...content];
}

function ascii(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}

/** A name such as `\\_SB.COM1`: segments of at most four characters are filled up with underscores (20.2.2). */
export function path(name: string): Aml {
  const root = name.startsWith('\\');
  const segments = (root ? name.slice(1) : name).split('.').filter((segment) => segment !== '');
  const encoded = segments.flatMap((segment) => ascii(segment.padEnd(4, '_')));
  const prefix = segments.length === 2 ? [0x2e] : [0x2f, segments.length];
  const count = segments.length === 0 ? [0] : segments.length === 1 ? [] : prefix;
  return [...(root ? [0x5c] : []), ...count, ...encoded];
}

/** An integer, up to 2^53, in as few bytes as there are (20.2.3). */
export function integer(value: number): Aml {
  if (value <= 1) return [value];
  if (value < 0x100) return [0x0a, value];
  if (value < 0x10000) return [0x0b, ...littleEndian(value, 2)];
  return value < 0x100000000 ? [0x0c, ...littleEndian(value, 4)] : [0x0e, ...littleEndian(value, 8)];
}

export function text(value: string): Aml {
  return [0x0d, ...ascii(value), 0];
}

/** The compressed identifier of a device, such as PNP0501 (19.3.4, EISAID). */
export function eisaId(id: string): Aml {
  const letter = (at: number): number => id.charCodeAt(at) - 0x40;
  const vendor = (letter(0) << 10) | (letter(1) << 5) | letter(2);
  const product = Number.parseInt(id.slice(3), 16);
  return [0x0c, vendor >> 8, vendor & 0xff, product >> 8, product & 0xff];
}

export function buffer(bytes: Aml): Aml {
  return withLength([0x11], [...integer(bytes.length), ...bytes]);
}

export function packageOf(...elements: readonly Aml[]): Aml {
  return withLength([0x12], [elements.length, ...elements.flat()]);
}

export function name(at: string, value: Aml): Aml {
  return [0x08, ...path(at), ...value];
}

export function scope(at: string, ...terms: readonly Aml[]): Aml {
  return withLength([0x10], [...path(at), ...terms.flat()]);
}

export function device(at: string, ...terms: readonly Aml[]): Aml {
  return withLength([0x5b, 0x82], [...path(at), ...terms.flat()]);
}

/** What a device uses (_CRS): resource descriptors and their end tag (6.4). */
export function resources(...descriptors: readonly Aml[]): Aml {
  return buffer([...descriptors.flat(), 0x79, 0]);
}

/** Ports, decoded with 16 bits (6.4.2.5). */
export function ioPorts(port: number, length: number): Aml {
  return [0x47, 0x01, ...littleEndian(port, 2), ...littleEndian(port, 2), 1, length];
}

/** An ISA interrupt: edge triggered, active high, not shared (6.4.2.1). */
export function isaInterrupt(irq: number): Aml {
  return [0x22, ...littleEndian(1 << irq, 2)];
}

/** A range of memory below 4 GiB, for registers (6.4.3.4). */
export function memory32(address: number, length: number): Aml {
  return [0x86, 9, 0, 1, ...littleEndian(address, 4), ...littleEndian(length, 4)];
}

/** A level-triggered interrupt, active high, by its global number (6.4.3.6). */
export function levelInterrupt(gsi: number): Aml {
  return [0x89, 6, 0, 0x01, 1, ...littleEndian(gsi, 4)];
}
