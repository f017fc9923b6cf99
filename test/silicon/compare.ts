import type { Instruction } from '../../src/cpu/isa/instruction.ts';
import { differences } from './differences.ts';
import type { Emulated, Outcome } from './emulated.ts';
import { generate, type Generated } from './generate.ts';
import type { Result, Silicon } from './silicon.ts';
import { isTolerated } from './tolerances.ts';
import type { Next } from './values.ts';

/**
 * Forms that silicon's guest cannot judge: it has other selectors than ours; areas whose order of accesses is nobody's promise.
 */
const notJudged: ReadonlySet<string> = new Set([
  'FXSAVE', 'FXRSTOR', 'FLDENV', 'FNSTENV', 'FRSTOR', 'FNSAVE', 'MOV 8C /r reg', 'MOV 8C /r mem', 'MOV 8E /r', 'PUSH 0F A0', 'PUSH 0F A8', 'POP 0F A1', 'POP 0F A9',
]);

const formOf = ({ name, encoding }: Instruction): string => `${name} ${encoding}`;

/** Whether silicon can say what is right: of what 64-bit mode has. */
export const isJudged = (instruction: Instruction): boolean => instruction.mode !== 'legacy' && !notJudged.has(instruction.name) && !notJudged.has(formOf(instruction));

export interface Compared {
  /** Cases that silicon brought to an end, each on both engines. */
  readonly cases: number;
  /** Of those, how many ended with an exception. */
  readonly exceptions: number;
  /** The lines in which engines differ from silicon, each with the engine and the instruction's bytes; empty when they agree. */
  readonly faults: readonly string[];
}

/**
 * Runs `count` random cases of each form on silicon, in one go, and on both engines.
 * @param regions of so many cases one is done by a region too: each is a module to compile
 */
export function compare(instructions: readonly Instruction[], count: number, next: Next, silicon: Silicon, emulated: Emulated, regions: number): Compared {
  const generated = instructions.filter(isJudged).flatMap((each) => Array.from({ length: count }, () => generate(each, next)).filter((one) => one !== undefined));
  const results = silicon.run(generated.map((one) => one.case));
  const faults: string[] = [];
  let [cases, exceptions] = [0, 0];
  for (const [at, one] of generated.entries()) {
    const real = results[at] as Result;
    if (real.outcome === 'timeout' || real.outcome === 'lost') continue;
    cases++;
    if (real.outcome === 'exception') exceptions++;
    const engines = ['interpreter', 'oracle', ...at % regions === 0 ? ['regions'] as const : []] as const;
    for (const how of engines) faults.push(...disagreement(one, real, emulated.run(one.case, how), how));
  }
  return { cases, exceptions, faults };
}

function disagreement(generated: Generated, real: Result, ours: Outcome, how: string): string[] {
  const lines = differences(generated, real, ours);
  if (lines.length === 0 || isTolerated(generated, real, ours)) return [];
  const { code, rip } = generated.case;
  return lines.map((line) => `${how}: ${formOf(generated.instruction)}: ${Buffer.from(code).toString('hex')} at ${rip.toString(16)}: ${line}`);
}
