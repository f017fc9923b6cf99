/** xAPIC and x2APIC: the ways between them, and how each is addressed. SDM volume 3, chapter "APIC". */

import { APIC_ADDRESS, BASE_BSP, BASE_ENABLED, BASE_X2APIC, type ApicRegisters } from './apic-registers.ts';

const MODE = BASE_ENABLED | BASE_X2APIC;
const X2APIC = MODE;

/**
 * Whether IA32_APIC_BASE may be written so (section "x2APIC State Transitions"); if not, it is #GP. Its address can't be changed here.
 * @param before the mode's bits as they are
 */
export function allowsBase(before: number, value: number): boolean {
  const after = value & MODE;
  const reserved = value & 0xfff & ~(MODE | BASE_BSP);
  if (value >>> 12 !== APIC_ADDRESS >>> 12 || reserved !== 0 || after === BASE_X2APIC) return false;
  const backToXapic = before === X2APIC && after === BASE_ENABLED;
  const straightFromOff = before === 0 && after === X2APIC;
  return !backToXapic && !straightFromOff;
}

/** The LDR in x2APIC mode (section "Deriving Logical x2APIC ID from the Local x2APIC ID"): clusters of sixteen. */
export function logicalId(id: number): number {
  return ((id >> 4) << 16) | (1 << (id & 15));
}

/** Whether a destination names this APIC. @param destination physical ones of 32 bits; all ones are all */
export function isDestination({ base, id, ldr, dfr }: ApicRegisters, destination: number, logical: boolean): boolean {
  if (destination === 0xffffffff) return true;
  if (!logical) return destination === id;
  if ((base & MODE) === X2APIC) return ldr >>> 16 === destination >>> 16 && (ldr & destination & 0xffff) !== 0;
  const mine = ldr >>> 24;
  if (dfr >>> 28 === 15) return (mine & destination) !== 0;
  const cluster = destination >> 4;
  return (cluster === 15 || cluster === mine >> 4) && (mine & destination & 15) !== 0;
}
