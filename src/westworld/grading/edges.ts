/** The edge cases and the fuzzing of the document's spec.json (section 4.9). */

import { KVM_EXIT_HLT } from '../hypervisor-sim.ts';
import type { Solution } from '../hypervisor-sim.ts';
import { hlt } from '../narratives.ts';
import type { Check } from './check.ts';
import { spec, type Expected } from './spec.ts';
import { Stage, need } from './stage.ts';

/** Makes a host and retires it. @returns whether there was one; nothing may be left either way */
function comesAndGoes(solution: Solution, memory_mb: number): boolean {
  const { program, ledger } = new Stage(solution);
  const host = program.ford_creates_host(memory_mb);
  program.ford_retires_host(host);
  need(ledger.leaks.length === 0, `nothing to be left of a host of ${memory_mb} MB, not ${ledger.leaks.join(', ')}`);
  return host !== null;
}

/** What each `expected` of spec.json asks for. */
const expectations: Readonly<Record<Expected, (solution: Solution, memory_mb: number) => void>> = {
  non_null: (solution, memory_mb) => need(comesAndGoes(solution, memory_mb), `a host of ${memory_mb} MB`),
  null: (solution, memory_mb) => need(!comesAndGoes(solution, memory_mb), `no host of ${memory_mb} MB`),
  no_memory_leak: (solution, memory_mb) => void comesAndGoes(solution, memory_mb),
  exit_hlt: (solution) => {
    const { host, result } = new Stage(solution).lived(hlt);
    need(result === 0 && host.brain?.kvm_run.exit_reason === KVM_EXIT_HLT && !host.conscious, 'a halt');
  },
};

export const edges: readonly Check[] = spec.driver.edge_cases.map(({ name, args: [memory_mb], expected, is_trap }) => ({
  name, trap: is_trap, run: (solution) => expectations[expected](solution, memory_mb),
}));

const { iterations, generators: [{ params: { min, max } }] } = spec.driver.fuzzing;

/** Sizes that look random and are always the same, with both ends among them (a linear congruential generator, Numerical Recipes' constants). */
function* sizes(): Generator<number> {
  yield* [min, max];
  let state = 1;
  for (let count = 2; count < iterations; count++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield min + ((state >>> 8) % (max - min + 1));
  }
}

export const fuzzing: Check = {
  name: `${iterations} sizes from ${min} to ${max} MB`,
  run: (solution) => {
    for (const size of sizes()) expectations[size > 0 ? 'non_null' : 'null'](solution, size);
  },
};
