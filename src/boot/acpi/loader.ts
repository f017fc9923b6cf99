/**
 * ACPI's tables as firmware takes them from fw_cfg: two files and a third with commands that say where to put them, which words to make
 * addresses, and which checksums to set right. The commands are those of QEMU's bios-linker-loader, which SeaBIOS and OVMF know.
 */

import { littleEndian } from './aml.ts';
import type { DsdtOptions } from './dsdt.ts';
import { FADT_POINTERS } from './fadt.ts';
import { CHECKSUM_OFFSET, HEADER_LENGTH, rsdp } from './table.ts';
import { placeTables, type PlacedTable } from './tables.ts';

const TABLES = 'etc/acpi/tables';
const RSDP = 'etc/acpi/rsdp';
const LOADER = 'etc/table-loader';

const COMMAND_LENGTH = 128;
const NAME_LENGTH = 56;

/** Anywhere below 4 GiB; where a system looks for the RSDP. */
const HIGH = 1;
const F_SEGMENT = 2;

function fileName(name: string): number[] {
  return Array.from({ length: NAME_LENGTH }, (_, at) => (at < name.length ? name.charCodeAt(at) : 0));
}

function command(code: number, fields: readonly number[]): number[] {
  const bytes = [...littleEndian(code, 4), ...fields];
  return [...bytes, ...Array.from({ length: COMMAND_LENGTH - bytes.length }, () => 0)];
}

function allocate(file: string, alignment: number, zone: number): number[] {
  return command(1, [...fileName(file), ...littleEndian(alignment, 4), zone]);
}

/** Adds the address of the tables' file to a word. */
function addPointer(file: string, offset: number, bytes: number): number[] {
  return command(2, [...fileName(file), ...fileName(TABLES), ...littleEndian(offset, 4), bytes]);
}

function addChecksum(file: string, offset: number, start: number, length: number): number[] {
  return command(3, [...fileName(file), ...littleEndian(offset, 4), ...littleEndian(start, 4), ...littleEndian(length, 4)]);
}

/** The three files, by their names. */
export function acpiFiles(options: DsdtOptions): Record<string, Uint8Array> {
  const placed = placeTables(options, 0);
  const all = Object.values(placed);
  const tables = new Uint8Array(Math.max(...all.map(({ address, bytes }) => address + bytes.length)));
  for (const { address, bytes } of all) tables.set(bytes, address);

  const { fadt, rsdt, xsdt } = placed;
  const entries = ({ address, bytes }: PlacedTable, size: number): number[][] =>
    Array.from({ length: (bytes.length - HEADER_LENGTH) / size }, (_, at) => addPointer(TABLES, address + HEADER_LENGTH + size * at, size));
  const commands = [
    allocate(TABLES, 64, HIGH),
    allocate(RSDP, 16, F_SEGMENT),
    addPointer(TABLES, fadt.address + FADT_POINTERS.facs, 4),
    addPointer(TABLES, fadt.address + FADT_POINTERS.dsdt, 4),
    addPointer(TABLES, fadt.address + FADT_POINTERS.xDsdt, 8),
    ...entries(rsdt, 4), ...entries(xsdt, 8),
    ...[fadt, rsdt, xsdt].map(({ address, bytes }) => addChecksum(TABLES, address + CHECKSUM_OFFSET, address, bytes.length)),
    addPointer(RSDP, 16, 4),
    addPointer(RSDP, 24, 8),
    addChecksum(RSDP, 8, 0, 20),
    addChecksum(RSDP, 32, 0, 36),
  ];
  return { [TABLES]: tables, [RSDP]: rsdp(rsdt.address, xsdt.address), [LOADER]: Uint8Array.from(commands.flat()) };
}
