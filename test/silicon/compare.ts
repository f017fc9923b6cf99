import type { Instruction } from '../../src/cpu/isa/instruction.ts';
import { differences } from './differences.ts';
import type { Emulated, Outcome } from './emulated.ts';
import { generate, type Generated } from './generate.ts';
import type { Result, Silicon } from './silicon.ts';

/**
 * Forms that silicon's guest cannot judge: it has other selectors than ours; areas whose order of accesses is nobody's promise.
 */
const notJudged: ReadonlySet<string> = new Set([
  'FXSAVE', 'FXRSTOR', 'FLDENV', 'FNSTENV', 'FRSTOR', 'FNSAVE', 'MOV 8C /r reg', 'MOV 8C /r mem', 'MOV 8E /r', 'PUSH 0F A0', 'PUSH 0F A8', 'POP 0F A1', 'POP 0F A9',
]);

/** Of so many cases one is done by a region too: each is a module to compile. */
const casesOfRegions = 12;

/** The lines in which engines differ from silicon, each with the engine and the instruction's bytes; empty when they agree. */
export function compare(instruction: Instruction, count: number, next: () => number, silicon: Silicon, emulated: Emulated): string[] {
  const form = `${instruction.name} ${instruction.encoding}`;
  if (instruction.mode === 'legacy' || notJudged.has(instruction.name) || notJudged.has(form)) return [];
  const generated = Array.from({ length: count }, () => generate(instruction, next)).filter((one) => one !== undefined);
  const results = silicon.run(generated.map((one) => one.case));
  return generated.flatMap((one, at) => {
    const real = results[at] as Result;
    if (real.outcome === 'timeout' || real.outcome === 'lost') return [];
    const engines = ['interpreter', 'oracle', ...at % casesOfRegions === 0 ? ['regions'] as const : []] as const;
    return engines.flatMap((how) => {
      const ours = emulated.run(one.case, how);
      if (tolerated(one, real, ours)) return [];
      const code = Array.from(one.case.code, (byte) => byte.toString(16).padStart(2, '0')).join('');
      return differences(one, real, ours).map((line) => `${how}: ${form}: ${code} at ${one.case.rip.toString(16)}: ${line}`);
    });
  });
}

/** What the manuals leave open, or this silicon cannot show. */
function tolerated({ decoded }: Generated, real: Result, ours: Outcome): boolean {
  const [theirs, own] = [real.exception?.vector, ours.exception?.vector];
  if (theirs === undefined || own === undefined) return false;
  // Of two faults the manuals do not say which one is told: of two operands in memory, of the stack and where a call leads.
  const besides = decoded.operands.some(({ kind }) => kind === 'memory') && /^(?:PUSH|POP)/.test(decoded.instruction.name);
  return (besides || /^(?:CALL|RET|CMPS|MOVS [AF])/.test(`${decoded.instruction.name} ${decoded.instruction.encoding}`)) && [12, 13, 14].includes(theirs) && [12, 13, 14].includes(own);
}
