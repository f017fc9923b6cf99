/** What ACPI's tables have in common: a header with length and checksum. ACPI 6.5, section 5.2.6. */

import { littleEndian } from './aml.ts';

export const HEADER_LENGTH = 36;
/** Where a table's checksum is in it. */
export const CHECKSUM_OFFSET = 9;

const OEM_ID = 'DELOS ';
const OEM_TABLE_ID = 'DELOSPC ';
const OEM_REVISION = 1;
const CREATOR_ID = 'DELO';

function ascii(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}

/** A table of this signature (four characters), with its checksum. */
export function table(signature: string, revision: number, body: readonly number[]): Uint8Array<ArrayBuffer> {
  const bytes = Uint8Array.from([
    ...ascii(signature), ...littleEndian(HEADER_LENGTH + body.length, 4), revision, 0,
    ...ascii(OEM_ID), ...ascii(OEM_TABLE_ID), ...littleEndian(OEM_REVISION, 4), ...ascii(CREATOR_ID), ...littleEndian(1, 4),
    ...body,
  ]);
  setChecksum(bytes, CHECKSUM_OFFSET, bytes.length);
  return bytes;
}

/** Sets the byte at `at` so that the first `length` bytes add up to 0, modulo 256. */
export function setChecksum(bytes: Uint8Array, at: number, length: number): void {
  bytes[at] = 0;
  bytes[at] = -bytes.subarray(0, length).reduce((sum, byte) => sum + byte, 0);
}

/** Root System Description Pointer, of ACPI 2.0 and later (section 5.2.5.3). */
export function rsdp(rsdt: number, xsdt: number): Uint8Array<ArrayBuffer> {
  const bytes = Uint8Array.from([
    ...ascii('RSD PTR '), 0, ...ascii(OEM_ID), 2, ...littleEndian(rsdt, 4), ...littleEndian(36, 4), ...littleEndian(xsdt, 8), 0, 0, 0, 0,
  ]);
  setChecksum(bytes, 8, 20);
  setChecksum(bytes, 32, 36);
  return bytes;
}

/** Addresses of all tables but the FACS and the DSDT, in 4 bytes each (section 5.2.7). */
export function rsdt(tables: readonly number[]): Uint8Array<ArrayBuffer> {
  return table('RSDT', 1, tables.flatMap((address) => littleEndian(address, 4)));
}

/** The same in 8 bytes each (section 5.2.8). */
export function xsdt(tables: readonly number[]): Uint8Array<ArrayBuffer> {
  return table('XSDT', 1, tables.flatMap((address) => littleEndian(address, 8)));
}

/** Firmware ACPI Control Structure (section 5.2.10): 64 bytes without a checksum, at a multiple of 64. */
export function facs(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(64);
  bytes.set([...ascii('FACS'), ...littleEndian(64, 4)]);
  bytes[32] = 2;
  return bytes;
}
