/** What a BIOS finds in CMOS memory: how much memory there is and how many processors, at the places that SeaBIOS and QEMU agree on. */

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

const EQUIPMENT = 0x14;
const BASE_MEMORY = 0x15;
const EXTENDED_MEMORY = 0x17;
const EXTENDED_MEMORY_2 = 0x30;
const ABOVE_16_MIB = 0x34;
const ABOVE_4_GIB = 0x5b;
const PROCESSORS = 0x5f;

/** A coprocessor and a keyboard; no floppy disks, no display adapter. */
const NO_DRIVES = 0x06;

/**
 * CMOS bytes by index.
 * @param below4G bytes of RAM from 0 on, below 4 GiB
 * @param above4G bytes of RAM from 4 GiB on
 */
export function cmosOf({ below4G, above4G = 0, cpus }: { below4G: number; above4G?: number; cpus: number }): Record<number, number> {
  const cmos: Record<number, number> = { [EQUIPMENT]: NO_DRIVES, [PROCESSORS]: cpus - 1 };
  const put = (at: number, bytes: number, value: number): void => {
    for (let byte = 0; byte < bytes; byte++) cmos[at + byte] = Math.floor(value / 256 ** byte) % 256;
  };
  const extended = Math.min(Math.max(0, below4G - MIB) / KIB, 0xffff);
  put(BASE_MEMORY, 2, Math.min(below4G / KIB, 640));
  put(EXTENDED_MEMORY, 2, extended);
  put(EXTENDED_MEMORY_2, 2, extended);
  put(ABOVE_16_MIB, 2, Math.min(Math.max(0, below4G - 16 * MIB) / (64 * KIB), 0xffff));
  put(ABOVE_4_GIB, 3, Math.min(above4G / (64 * KIB), GIB));
  return cmos;
}
