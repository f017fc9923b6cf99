import type { Solution } from '../hypervisor-sim.ts';
import { Unmet } from './stage.ts';

/** One thing that a right solution does. */
export interface Check {
  readonly name: string;
  /** In the document's table, out of 100 altogether. */
  readonly points?: number;
  /** The document calls it a trap. */
  readonly trap?: boolean;
  /** @throws Unmet, or anything else when the solution crashes */
  run(solution: Solution): void;
}

export interface Result {
  readonly check: Check;
  /** undefined when all is well, otherwise what was expected, or how it crashed. */
  readonly fault: string | undefined;
}

export function tryOut(check: Check, solution: Solution): Result {
  try {
    check.run(solution);
    return { check, fault: undefined };
  } catch (error) {
    const { message } = error as Error;
    return { check, fault: error instanceof Unmet ? `expected ${message}` : `crashed: ${message}` };
  }
}
