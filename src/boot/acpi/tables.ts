/** All of a PC's ACPI tables, at their places in memory. */

import { dsdt, type DsdtOptions } from './dsdt.ts';
import { fadt } from './fadt.ts';
import { madt } from './madt.ts';
import { facs, rsdp, rsdt, xsdt } from './table.ts';

/** Where systems look for the RSDP by themselves: from E0000h to FFFFFh at every 16 bytes (ACPI 6.5, section 5.2.5.1). */
export const ACPI_ADDRESS = 0xe0000;

export interface AcpiTables {
  /** Bytes and their guest-physical addresses. */
  readonly tables: readonly { readonly address: number; readonly bytes: Uint8Array }[];
  /** The RSDP's address. */
  readonly rsdp: number;
}

/** The room of an RSDP, before the tables. */
const RSDP_ROOM = 64;

/** Tables are at multiples of this, as the FACS has to be. */
const ALIGNMENT = 64;

/**
 * The tables for a machine of {@link import('../../machine/pc.ts')}'s devices, from `address` on; the RSDP is first.
 * @param address a multiple of 64 below 4 GiB
 */
export function createAcpiTables(options: DsdtOptions, address = ACPI_ADDRESS): AcpiTables {
  const tables: { address: number; bytes: Uint8Array }[] = [];
  let next = address + RSDP_ROOM;
  const put = (bytes: Uint8Array): number => {
    const place = next;
    tables.push({ address: place, bytes });
    next = Math.ceil((place + bytes.length) / ALIGNMENT) * ALIGNMENT;
    return place;
  };
  const fixed = put(fadt({ facs: put(facs()), dsdt: put(dsdt(options)) }));
  const listed = [fixed, put(madt(options.cpus))];
  tables.push({ address, bytes: rsdp(put(rsdt(listed)), put(xsdt(listed))) });
  return { tables, rsdp: address };
}
