/** What decides whether the instructions of x87, MMX and SSE may be used (SDM volume 3, 2.5 and table 13-1). */

import type { Registers } from './registers.ts';

export const units = ['x87', 'mmx', 'sse'] as const;
export type Unit = (typeof units)[number];

/** Where the interpreter keeps what {@link unitFault} gives. */
export const unitMember = { x87: 'x87Fault', mmx: 'mmxFault', sse: 'sseFault' } as const;

const CR0_EM = 4;
const CR0_TS = 8;
const CR4_OSFXSR = 1 << 9;
const UD = 6;
const NM = 7;

/** All that {@link unitFault} looks at: equal numbers, equal faults. */
export const unitBits = (cr0: number, cr4: number): number => (cr0 & (CR0_EM | CR0_TS)) | (cr4 & CR4_OSFXSR);

/** The vector of the fault that comes before all else, or 0. */
export function unitFault(registers: Registers, unit: Unit): number {
  const cr0 = registers.number('cr0');
  if (unit === 'x87') return (cr0 & (CR0_EM | CR0_TS)) === 0 ? 0 : NM;
  if ((cr0 & CR0_EM) !== 0) return UD;
  if (unit === 'sse' && (registers.number('cr4') & CR4_OSFXSR) === 0) return UD;
  return (cr0 & CR0_TS) === 0 ? 0 : NM;
}
