/** What a BIOS asks a machine for by fw_cfg, under QEMU's numbers and names (docs/specs/fw_cfg, hw/i386/fw_cfg.c). */

import { FW_CFG_CPUS, FW_CFG_IRQ0_OVERRIDE, FW_CFG_MAX_CPUS, FW_CFG_RAM_SIZE, type FwCfgFiles, type FwCfgItems } from '../device/fw-cfg.ts';
import { COM } from '../device/places.ts';
import type { GuestMemory } from '../engine/memory.ts';
import { littleEndian } from './acpi/aml.ts';
import { acpiFiles } from './acpi/loader.ts';
import { RESERVED, USABLE } from './memory-map.ts';

export interface FirmwareItems {
  readonly items: FwCfgItems;
  readonly files: FwCfgFiles;
}

/**
 * Memory map, number of processors, ACPI's tables, and the serial port that stands in for a screen: SeaBIOS prints there, and reads keys.
 * The map is of what there is, with nothing taken out: that the firmware does.
 */
export function firmwareItems({ memory, cpus, serialPorts }: { memory: GuestMemory; cpus: number; serialPorts: number }): FirmwareItems {
  const number = (value: number, bytes: number): Uint8Array => Uint8Array.from(littleEndian(value, bytes));
  const ram = memory.regions.filter(({ readOnly }) => !readOnly).reduce((sum, { size }) => sum + size, 0);
  const map = memory.regions.flatMap(({ guestAddress, size, readOnly }) => [
    ...littleEndian(guestAddress, 8), ...littleEndian(size, 8), ...littleEndian(readOnly ? RESERVED : USABLE, 4),
  ]);
  return {
    items: {
      [FW_CFG_RAM_SIZE]: number(ram, 8), [FW_CFG_CPUS]: number(cpus, 2), [FW_CFG_MAX_CPUS]: number(cpus, 2),
      // The timer comes in at pin 2, as the MADT says.
      [FW_CFG_IRQ0_OVERRIDE]: number(1, 4),
    },
    files: {
      ...acpiFiles({ cpus, serialPorts }),
      'etc/e820': Uint8Array.from(map),
      ...(serialPorts > 0 && { 'etc/sercon-port': number(COM[0].port, 8) }),
    },
  };
}
