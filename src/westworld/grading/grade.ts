import type { Solution } from '../hypervisor-sim.ts';
import { bonus } from './bonus.ts';
import { tryOut, type Check, type Result } from './check.ts';
import { edges, fuzzing } from './edges.ts';
import { forbiddenInSolution } from './norm.ts';
import { robustness } from './robustness.ts';
import { spec } from './spec.ts';
import { mainProgram, table } from './table.ts';

/** All checks, under the headings of a report. */
export const groups: readonly (readonly [heading: string, checks: readonly Check[]])[] = [
  ['Table', table],
  ['main.c', mainProgram],
  ['Edge cases', edges],
  ['Fuzzing', [fuzzing]],
  ['Robustness', robustness],
  ['Bonus', bonus],
];

export interface Grade {
  readonly groups: readonly { readonly heading: string; readonly results: readonly Result[] }[];
  /** Functions that the norm forbids and the solution calls. */
  readonly forbidden: readonly string[];
  /** Points of the table, 0 to 100. */
  readonly score: number;
  /** Enough points, and nothing else wrong: memory and safety block, as spec.json wants it. */
  readonly passed: boolean;
}

/** Tries all checks on the reference with a solution's functions in place of its own. A solution with forbidden functions is not run. */
export function grade(solution: Solution, forbidden: readonly string[] = forbiddenInSolution(solution)): Grade {
  const results = forbidden.length > 0 ? [] : groups.map(([heading, checks]) => ({ heading, results: checks.map((check) => tryOut(check, solution)) }));
  const all = results.flatMap((group) => group.results);
  const score = all.reduce((sum, { check, fault }) => sum + (fault === undefined ? check.points ?? 0 : 0), 0);
  return { groups: results, forbidden, score, passed: score >= spec.passing_score && all.every(({ fault }) => fault === undefined) };
}
