/** Differentiated System Description Table: the devices that can't be found otherwise, and how to power off. */

import { PM_LENGTH, SLEEP_TYPE_S5 } from '../../device/acpi-pm.ts';
import { COM, KEYBOARD_CONTROL, KEYBOARD_DATA, KEYBOARD_IRQ, PM_PORT, RTC_IRQ, RTC_PORT } from '../../device/places.ts';
import { device, eisaId, integer, ioPorts, isaInterrupt, name, packageOf, resources, scope, text, type Aml } from './aml.ts';
import { table } from './table.ts';

/** Of a device: present, enabled, shown, working (section 6.3.7). */
const PRESENT = 0x0f;

/** Integers have 64 bits. */
const REVISION = 2;

function isaDevice(at: string, id: string, ...descriptors: readonly Aml[]): Aml {
  return device(at, name('_HID', eisaId(id)), name('_STA', integer(PRESENT)), name('_CRS', resources(...descriptors)));
}

function serialPort({ port, irq }: (typeof COM)[number], index: number): Aml {
  return device(
    `COM${index + 1}`,
    name('_HID', eisaId('PNP0501')), name('_UID', integer(index + 1)), name('_STA', integer(PRESENT)),
    name('_CRS', resources(ioPorts(port, 8), isaInterrupt(irq))),
  );
}

/** A processor device (section 8.4); its _UID is the one in the MADT. */
function processor(at: number): Aml {
  return device(`C${at.toString(16).toUpperCase().padStart(3, '0')}`, name('_HID', text('ACPI0007')), name('_UID', integer(at)));
}

export interface DsdtOptions {
  readonly cpus: number;
  /** How many of COM1 to COM4 there are. */
  readonly serialPorts: number;
  /** Devices besides, in \_SB: a PCI root, virtio-mmio (LNRO0005). */
  readonly devices?: readonly Aml[];
}

export function dsdt({ cpus, serialPorts, devices = [] }: DsdtOptions): Uint8Array<ArrayBuffer> {
  return table('DSDT', REVISION, [
    ...name('\\_S5', packageOf(integer(SLEEP_TYPE_S5), integer(SLEEP_TYPE_S5), integer(0), integer(0))),
    ...scope(
      '\\_SB',
      ...Array.from({ length: cpus }, (_, at) => processor(at)),
      isaDevice('RTC', 'PNP0B00', ioPorts(RTC_PORT, 2), isaInterrupt(RTC_IRQ)),
      isaDevice('KBD', 'PNP0303', ioPorts(KEYBOARD_DATA, 1), ioPorts(KEYBOARD_CONTROL, 1), isaInterrupt(KEYBOARD_IRQ)),
      isaDevice('MBRD', 'PNP0C02', ioPorts(PM_PORT, PM_LENGTH)),
      ...COM.slice(0, serialPorts).map(serialPort),
      ...devices,
    ),
  ]);
}
