import type { Solution } from '../hypervisor-sim.ts';
import * as alternatives from './alternatives.ts';
import * as mutants from './mutants.ts';
import * as refused from './refused.ts';

export interface Entry {
  readonly name: string;
  readonly solution: Solution;
  /** Whether the checks have to let it pass: `expected_pass` and `expected_fail` of the document's deployment pack (section 9). */
  readonly passes: boolean;
  readonly about: string;
}

/** Every solution that the checks are themselves checked with. */
export const solutions: readonly Entry[] = [
  { name: 'reference', solution: {}, passes: true, about: 'the reference, bonus included' },
  { name: 'alternative-macro', solution: alternatives.macro, passes: true, about: 'one way out for all failures' },
  { name: 'alternative-inline', solution: alternatives.inline, passes: true, about: 'one block for four structures' },
  { name: 'alternative-patterns', solution: alternatives.patternTable, passes: true, about: 'the bonus as a table of patterns' },
  { name: 'mutant-a', solution: mutants.boundary, passes: false, about: 'boundary: rip <= memory_size' },
  { name: 'mutant-b', solution: mutants.safety, passes: false, about: 'safety: calloc is not asked whether it failed (and the first that is refused)' },
  { name: 'mutant-c', solution: mutants.resource, passes: false, about: 'resource: guest_memory is not given back' },
  { name: 'mutant-d', solution: mutants.logic, passes: false, about: 'logic: HLT does not end the loop' },
  { name: 'mutant-e', solution: mutants.always, passes: false, about: 'return: always success' },
  { name: 'refused-leak', solution: refused.leakyError, passes: false, about: 'the host is lost when kvm_open fails' },
  { name: 'refused-only-hlt', solution: refused.onlyHlt, passes: false, about: 'only HLT is emulated' },
  { name: 'refused-blind', solution: refused.blind, passes: false, about: 'bonus: never an attempt' },
  { name: 'refused-paranoid', solution: refused.paranoid, passes: false, about: 'bonus: always an attempt' },
  { name: 'refused-patterns', solution: refused.patternsAlone, passes: false, about: 'bonus: the document accepts it, and it is as paranoid' },
  { name: 'refused-open', solution: refused.realDevice, passes: false, about: 'calls a forbidden function' },
  { name: 'printed-creation', solution: refused.printedCreation, passes: false, about: "the document's reference leaks when a step fails" },
  { name: 'printed-bounds', solution: refused.printedBounds, passes: false, about: "the document's reference overflows" },
  { name: 'printed-emulator', solution: refused.printedEmulator, passes: false, about: "the document's reference reads behind memory" },
  { name: 'printed-maeve', solution: refused.printedMaeve, passes: false, about: "the document's bonus reads behind memory" },
];
