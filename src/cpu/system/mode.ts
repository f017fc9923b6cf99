/** Which of its modes a processor is in. */

import { RFLAGS } from '../builder.ts';
import { EFER_LMA } from '../paging.ts';
import { GP, type Processor } from './processor.ts';

export const CR0 = { PE: 1, MP: 2, EM: 4, TS: 8, ET: 16, NE: 32, WP: 1 << 16, AM: 1 << 18, NW: 1 << 29, CD: 1 << 30, PG: 2 ** 31 } as const;

export const CR4 = {
  VME: 1, PVI: 2, TSD: 4, DE: 8, PSE: 0x10, PAE: 0x20, MCE: 0x40, PGE: 0x80, PCE: 0x100, OSFXSR: 0x200, OSXMMEXCPT: 0x400, UMIP: 0x800,
  FSGSBASE: 0x10000, PCIDE: 0x20000, OSXSAVE: 0x40000, SMEP: 0x100000, SMAP: 0x200000,
} as const;

export const IOPL = 0x3000;

export const isProtected = ({ registers }: Processor): boolean => (registers.number('cr0') & CR0.PE) !== 0;
export const isVirtual8086 = ({ registers }: Processor): boolean => (registers.number('rflags') & RFLAGS.VM) !== 0;

/** Real mode and virtual-8086: a segment's selector is its base shifted by four. */
export const isReal = (processor: Processor): boolean => !isProtected(processor) || isVirtual8086(processor);

/** 64-bit or compatibility mode: descriptors of the system have 16 bytes. */
export const isLongMode = ({ registers }: Processor): boolean => (registers.number('efer') & EFER_LMA) !== 0;

export const ioPrivilege = (flags: number): number => (flags & IOPL) >> 12;

export const isCanonical = (address: bigint): boolean => BigInt.asUintN(64, BigInt.asIntN(48, address)) === address;

/** #GP(0) above level 0; virtual-8086 mode is level 3. */
export function demandPrivilege(processor: Processor): void {
  if (processor.level !== 0) processor.fault(GP, 0);
}
