/** The four breakpoints in DR0 to DR3 (SDM volume 3, 17.2): which of them something meets, as the lower bits of DR6. */

import type { Registers } from '../registers.ts';
import { CR4 } from './mode.ts';

/** Kinds of breakpoints, as DR7 has them. */
const EXECUTE = 0;
const WRITE = 1;
const PORT = 2;
const ACCESS = 3;

const names = ['dr0', 'dr1', 'dr2', 'dr3'] as const;
/** By the two bits of a length in DR7; 10 is eight bytes. */
const lengths = [1, 2, 8, 4] as const;

interface Breakpoint {
  readonly kind: number;
  readonly address: bigint;
  readonly bytes: number;
}

/** Those that are enabled, at their places. The address is as the length aligns it. */
function enabledOf(registers: Registers): readonly (Breakpoint | undefined)[] {
  const dr7 = registers.number('dr7');
  return names.map((name, at) => {
    if (((dr7 >> (2 * at)) & 3) === 0) return undefined;
    const bytes = lengths[(dr7 >>> (18 + 4 * at)) & 3] as number;
    return { kind: (dr7 >>> (16 + 4 * at)) & 3, address: registers.wide(name) & ~BigInt(bytes - 1), bytes };
  });
}

const bitsOf = (breakpoints: readonly (Breakpoint | undefined)[], met: (breakpoint: Breakpoint) => boolean): number => (
  breakpoints.reduce((sum, each, at) => (each !== undefined && met(each) ? sum | (1 << at) : sum), 0)
);

/** Those on executing the instruction at a linear address. */
export function executionBreakpoints(registers: Registers, linear: bigint): number {
  return bitsOf(enabledOf(registers), ({ kind, address }) => kind === EXECUTE && address === linear);
}

/** Those on ports, which are there with CR4.DE. */
export function portBreakpoints(registers: Registers, port: number, size: number): number {
  if ((registers.number('dr7') & 0xff) === 0 || (registers.number('cr4') & CR4.DE) === 0) return 0;
  return bitsOf(enabledOf(registers), ({ kind, address, bytes }) => kind === PORT && BigInt(port) < address + BigInt(bytes) && address < BigInt(port + size));
}

/** Those on data. They are worked out anew only when a debug register has changed. */
export class DataBreakpoints {
  #key = '';
  #watched: readonly (Breakpoint | undefined)[] = [];
  /** Whether there are any: else nobody need ask. */
  any = false;

  /** @returns whether others are watched now than before */
  refresh(registers: Registers): boolean {
    const key = [...names, 'dr7' as const].map((name) => registers.wide(name)).join(' ');
    if (key === this.#key) return false;
    this.#key = key;
    this.#watched = enabledOf(registers).map((each) => (each?.kind === WRITE || each?.kind === ACCESS ? each : undefined));
    const before = this.any;
    this.any = this.#watched.some((each) => each !== undefined);
    return before || this.any;
  }

  /** Those that an access to `size` bytes meets. */
  met(linear: bigint, size: number, write: boolean): number {
    const end = linear + BigInt(size);
    return bitsOf(this.#watched, ({ kind, address, bytes }) => (write || kind === ACCESS) && linear < address + BigInt(bytes) && address < end);
  }

  /** Whether some are in the page of an address: accesses there may not go unseen. */
  inPage(linear: bigint): boolean {
    return this.#watched.some((each) => each !== undefined && each.address >> 12n === linear >> 12n);
  }
}
