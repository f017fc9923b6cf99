/** Fixed ACPI Description Table: where the fixed hardware is. ACPI 6.5, section 5.2.9, table 5.9. */

import { PM1_CONTROL, PM1_EVENT, PM_TIMER } from '../../device/acpi-pm.ts';
import { PM_PORT, SCI_IRQ } from '../../device/places.ts';
import { RESET_PORT, RESET_VALUE } from '../../device/reset-port.ts';
import { CENTURY } from '../../device/rtc.ts';
import { littleEndian } from './aml.ts';
import { HEADER_LENGTH, table } from './table.ts';

const LENGTH = 276;
const REVISION = 6;
const MINOR_REVISION = 4;

/** Offsets of the addresses in the table, which are changed when tables are moved. */
export const FADT_POINTERS = { facs: 36, dsdt: 40, xDsdt: 140 } as const;

const DESKTOP = 1;

/** IAPC_BOOT_ARCH: devices of a PC, its keyboard controller, no VGA. */
const BOOT_ARCHITECTURE = 0b111;

const WBINVD = 1 << 0;
const PROC_C1 = 1 << 2;
/** No sleep button. */
const SLP_BUTTON = 1 << 5;
/** The clock chip wakes nobody. */
const FIX_RTC = 1 << 6;
const TMR_VAL_EXT = 1 << 8;
const RESET_REG_SUP = 1 << 10;

/** A latency that says that the state is not there. */
const NO_C2 = 101;
const NO_C3 = 1001;

/** A Generic Address Structure (section 5.2.3.2) of ports. @param width bits @param access 1 byte, 2 word, 3 double word */
function ports(port: number, width: number, access: number): number[] {
  return [1, width, 0, access, ...littleEndian(port, 8)];
}

/** The power button is fixed hardware; there are no general-purpose events, and no SMI command: ACPI is on already. */
export function fadt(addresses: { readonly facs: number; readonly dsdt: number }): Uint8Array<ArrayBuffer> {
  const number = (offset: number, bytes: number, value: number): readonly [number, readonly number[]] => [offset, littleEndian(value, bytes)];
  const fields: readonly (readonly [offset: number, bytes: readonly number[]])[] = [
    number(FADT_POINTERS.facs, 4, addresses.facs),
    number(FADT_POINTERS.dsdt, 4, addresses.dsdt),
    number(45, 1, DESKTOP),
    number(46, 2, SCI_IRQ),
    number(56, 4, PM_PORT + PM1_EVENT),
    number(64, 4, PM_PORT + PM1_CONTROL),
    number(76, 4, PM_PORT + PM_TIMER),
    // Lengths of the three.
    [88, [4, 2, 0, 4]],
    number(96, 2, NO_C2),
    number(98, 2, NO_C3),
    number(108, 1, CENTURY),
    number(109, 2, BOOT_ARCHITECTURE),
    number(112, 4, WBINVD | PROC_C1 | SLP_BUTTON | FIX_RTC | TMR_VAL_EXT | RESET_REG_SUP),
    [116, ports(RESET_PORT, 8, 1)],
    number(128, 1, RESET_VALUE),
    number(131, 1, MINOR_REVISION),
    number(FADT_POINTERS.xDsdt, 8, addresses.dsdt),
    [148, ports(PM_PORT + PM1_EVENT, 32, 2)],
    [172, ports(PM_PORT + PM1_CONTROL, 16, 2)],
    [208, ports(PM_PORT + PM_TIMER, 32, 3)],
  ];
  const body = new Uint8Array(LENGTH - HEADER_LENGTH);
  for (const [offset, bytes] of fields) body.set(bytes, offset - HEADER_LENGTH);
  return table('FACP', REVISION, Array.from(body));
}
