import { devices } from './devices.ts';
import { escape } from './escape.ts';
import { host } from './host.ts';
import type { Solution, Westworld } from './hypervisor-sim.ts';
import { kvm } from './kvm.ts';
import { Ledger } from './ledger.ts';
import { libc } from './libc.ts';
import { processor } from './processor.ts';

/** The solution that all others are measured by. */
export const reference: Solution = { ...kvm, ...processor, ...devices, ...host, ...escape };

/** The first descriptor that is given out. */
const FIRST_FD = 100;

export interface LinkOptions {
  readonly ledger?: Ledger;
  /** Gets what the program prints. By default it goes nowhere. */
  readonly write?: (text: string) => void;
}

/** A program of the reference with a solution's functions in place of its own. Whoever calls one of them gets the solution's, as a linker does it. */
export function link(solution: Solution = {}, { ledger = new Ledger(), write = () => undefined }: LinkOptions = {}): Westworld {
  return { ...libc, ...reference, ...solution, ledger, write, next_fd: FIRST_FD } as Westworld;
}
