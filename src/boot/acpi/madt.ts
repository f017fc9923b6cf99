/** Multiple APIC Description Table: processors, the IOAPIC and how ISA interrupts come in. ACPI 6.5, section 5.2.12. */

import { APIC_ADDRESS } from '../../device/apic-registers.ts';
import { IOAPIC_ADDRESS } from '../../device/ioapic.ts';
import { TIMER_PIN } from '../../device/lines.ts';
import { SCI_IRQ } from '../../device/places.ts';
import { littleEndian } from './aml.ts';
import { table } from './table.ts';

/** There are 8259s too. */
const PCAT_COMPAT = 1;
const ENABLED = 1;

/** Flags of an override: as the bus has it; or active high, level triggered. */
const AS_BUS = 0;
const HIGH_LEVEL = 0b1101;

const ALL_PROCESSORS = 0xff;

function processor(at: number): number[] {
  return [0, 8, at, at, ...littleEndian(ENABLED, 4)];
}

function ioapic(id: number, address: number, firstInterrupt: number): number[] {
  return [1, 12, id, 0, ...littleEndian(address, 4), ...littleEndian(firstInterrupt, 4)];
}

/** An ISA interrupt that comes in elsewhere than at the pin of its number, or otherwise than edge triggered and active high. */
function override(irq: number, pin: number, flags: number): number[] {
  return [2, 10, 0, irq, ...littleEndian(pin, 4), ...littleEndian(flags, 2)];
}

function localNmi(lint: number): number[] {
  return [4, 6, ALL_PROCESSORS, ...littleEndian(AS_BUS, 2), lint];
}

/** @param cpus 1 to 254: APIC IDs from 0 on */
export function madt(cpus: number): Uint8Array<ArrayBuffer> {
  return table('APIC', 4, [
    ...littleEndian(APIC_ADDRESS, 4), ...littleEndian(PCAT_COMPAT, 4),
    ...Array.from({ length: cpus }, (_, at) => processor(at)).flat(),
    ...ioapic(0, IOAPIC_ADDRESS, 0),
    ...override(0, TIMER_PIN, AS_BUS), ...override(SCI_IRQ, SCI_IRQ, HIGH_LEVEL),
    ...localNmi(1),
  ]);
}
