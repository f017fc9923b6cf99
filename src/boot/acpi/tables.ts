/** All of a PC's ACPI tables, at their places in memory. */

import { dsdt, type DsdtOptions } from './dsdt.ts';
import { fadt } from './fadt.ts';
import { madt } from './madt.ts';
import { facs, rsdp, rsdt, xsdt } from './table.ts';

/** Where systems look for the RSDP by themselves: from E0000h to FFFFFh at every 16 bytes (ACPI 6.5, section 5.2.5.1). */
export const ACPI_ADDRESS = 0xe0000;

export interface AcpiTables {
  /** Bytes and their guest-physical addresses. */
  readonly tables: readonly PlacedTable[];
  /** The RSDP's address. */
  readonly rsdp: number;
}

/** The room of an RSDP, before the tables. */
const RSDP_ROOM = 64;

/** Tables are at multiples of this, as the FACS has to be. */
const ALIGNMENT = 64;

/** A table and where it is. */
export interface PlacedTable {
  readonly address: number;
  readonly bytes: Uint8Array;
}

export type PlacedTables = Readonly<Record<'facs' | 'dsdt' | 'fadt' | 'madt' | 'rsdt' | 'xsdt', PlacedTable>>;

/** All but the RSDP, one behind the other from `first` on, a multiple of 64. */
export function placeTables(options: DsdtOptions, first: number): PlacedTables {
  let next = first;
  const place = (bytes: Uint8Array): PlacedTable => {
    const address = next;
    next = Math.ceil((address + bytes.length) / ALIGNMENT) * ALIGNMENT;
    return { address, bytes };
  };
  const control = place(facs());
  const description = place(dsdt(options));
  const fixed = place(fadt({ facs: control.address, dsdt: description.address }));
  const interrupts = place(madt(options.cpus));
  const listed = [fixed.address, interrupts.address];
  return { facs: control, dsdt: description, fadt: fixed, madt: interrupts, rsdt: place(rsdt(listed)), xsdt: place(xsdt(listed)) };
}

/**
 * The tables for a machine of {@link import('../../machine/pc.ts')}'s devices, from `address` on; the RSDP is first.
 * @param address a multiple of 64 below 4 GiB
 */
export function createAcpiTables(options: DsdtOptions, address = ACPI_ADDRESS): AcpiTables {
  const placed = placeTables(options, address + RSDP_ROOM);
  const root = { address, bytes: rsdp(placed.rsdt.address, placed.xsdt.address) };
  return { tables: [root, ...Object.values(placed)], rsdp: address };
}
