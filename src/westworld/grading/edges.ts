/** The edge cases and the fuzzing of the document's spec.json (section 4.9). */

import { KVM_EXIT_HLT } from '../hypervisor-sim.ts';
import type { Solution } from '../hypervisor-sim.ts';
import { hlt } from '../narratives.ts';
import type { Check } from './check.ts';
import { Stage, need } from './stage.ts';

/** Makes a host and retires it. @returns whether there was one; nothing may be left either way */
function comesAndGoes(solution: Solution, memory_mb: number): boolean {
  const { program, ledger } = new Stage(solution);
  const host = program.ford_creates_host(memory_mb);
  program.ford_retires_host(host);
  need(ledger.leaks.length === 0, `nothing to be left of a host of ${memory_mb} MB, not ${ledger.leaks.join(', ')}`);
  return host !== null;
}

const exists = (memory_mb: number) => (solution: Solution): void => need(comesAndGoes(solution, memory_mb), `a host of ${memory_mb} MB`);

export const edges: readonly Check[] = [
  { name: 'create_1mb', run: exists(1) },
  { name: 'create_0mb', trap: true, run: (solution) => need(!comesAndGoes(solution, 0), 'no host without memory') },
  { name: 'create_large', run: exists(1024) },
  { name: 'lifecycle_test', trap: true, run: exists(1) },
  {
    name: 'hlt_instruction',
    run: (solution) => {
      const { host, result } = new Stage(solution).lived(hlt);
      need(result === 0 && host.brain?.kvm_run.exit_reason === KVM_EXIT_HLT && !host.conscious, 'a halt');
    },
  },
];

/** `fuzzing` of spec.json. */
const ITERATIONS = 100;
const MOST_MEGABYTES = 4096;

/** Sizes that look random and are always the same, with both ends among them (a linear congruential generator, Numerical Recipes' constants). */
function* sizes(): Generator<number> {
  yield* [0, MOST_MEGABYTES];
  let state = 1;
  for (let count = 2; count < ITERATIONS; count++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield (state >>> 8) % (MOST_MEGABYTES + 1);
  }
}

export const fuzzing: Check = {
  name: `${ITERATIONS} sizes from 0 to ${MOST_MEGABYTES} MB`,
  run: (solution) => {
    for (const size of sizes()) need(comesAndGoes(solution, size) === size > 0, size > 0 ? `a host of ${size} MB` : 'no host without memory');
  },
};
