import type { Instruction } from '../../src/cpu/isa/instruction.ts';
import { differences } from './differences.ts';
import type { Emulated, Outcome } from './emulated.ts';
import { generate, type Generated } from './generate.ts';
import type { Result, Silicon } from './silicon.ts';
import type { Next } from './values.ts';

/**
 * Forms that silicon's guest cannot judge: it has other selectors than ours; areas whose order of accesses is nobody's promise.
 */
const notJudged: ReadonlySet<string> = new Set([
  'FXSAVE', 'FXRSTOR', 'FLDENV', 'FNSTENV', 'FRSTOR', 'FNSAVE', 'MOV 8C /r reg', 'MOV 8C /r mem', 'MOV 8E /r', 'PUSH 0F A0', 'PUSH 0F A8', 'POP 0F A1', 'POP 0F A9',
]);

/** Of so many cases one is done by a region too: each is a module to compile. */
const casesOfRegions = 12;

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

/** Runs `count` random cases of each form on silicon, in one go, and on both engines. */
export function compare(instructions: readonly Instruction[], count: number, next: Next, silicon: Silicon, emulated: Emulated): Compared {
  const generated = instructions.filter(isJudged).flatMap((each) => Array.from({ length: count }, () => generate(each, next)).filter((one) => one !== undefined));
  const results = silicon.run(generated.map((one) => one.case));
  const faults: string[] = [];
  let [cases, exceptions] = [0, 0];
  for (const [at, one] of generated.entries()) {
    const real = results[at] as Result;
    if (real.outcome === 'timeout' || real.outcome === 'lost') continue;
    cases++;
    if (real.outcome === 'exception') exceptions++;
    const engines = ['interpreter', 'oracle', ...at % casesOfRegions === 0 ? ['regions'] as const : []] as const;
    for (const how of engines) faults.push(...disagreement(one, real, emulated.run(one.case, how), how));
  }
  return { cases, exceptions, faults };
}

function disagreement(generated: Generated, real: Result, ours: Outcome, how: string): string[] {
  const lines = differences(generated, real, ours);
  if (lines.length === 0 || tolerated(generated, real, ours)) return [];
  const { code, rip } = generated.case;
  return lines.map((line) => `${how}: ${formOf(generated.instruction)}: ${Buffer.from(code).toString('hex')} at ${rip.toString(16)}: ${line}`);
}

/** A repeated store or move that faults says where its page is; which of its elements in it was the first is silicon's to choose, that moves several at once. */
function isOnSamePage({ exception: real }: Result, { exception: own }: Outcome): boolean {
  return real !== undefined && own !== undefined && real.errorCode === own.errorCode && real.cr2 >> 12n === own.cr2 >> 12n;
}

/** What the manuals leave open, or this silicon cannot show. */
function tolerated({ decoded, case: { rip, code } }: Generated, real: Result, ours: Outcome): boolean {
  // It jumped into its own bytes, and silicon went on there.
  if (ours.outcome === 'done' && ours.rip > BigInt(rip) && ours.rip < BigInt(rip + code.length)) return true;
  const [theirs, own] = [real.exception?.vector, ours.exception?.vector];
  if (theirs === undefined || own === undefined || decoded === undefined) return false;
  // Over the end of the canonical addresses: #GP, but KVM, which tries again what has ended with one, sees the first page first. #SS it leaves alone.
  if (theirs === 14 && own === 13 && (real.exception?.cr2 ?? 0n) >> 12n === 0x7ffffffffn) return true;
  // Segments that 64-bit mode reads over: silicon says #SS of SS all the same, and KVM, trying again, takes the last one for the address.
  if (theirs === 12 && own === 13 && code.includes(0x36)) return true;
  if (theirs === 14 && own === 13 && [0x26, 0x2e, 0x36, 0x3e].some((prefix) => code.includes(prefix))) return true;
  if (theirs === 14 && own === 14 && decoded.repeat !== undefined && isOnSamePage(real, ours)) return true;
  // Of two faults the manuals do not say which one is told: of two operands in memory, of the stack and where a call leads.
  const besides = decoded.operands.some(({ kind }) => kind === 'memory') && /^(?:PUSH|POP)/.test(decoded.instruction.name);
  return (besides || /^(?:CALL|RET|CMPS|MOVS [AF])/.test(formOf(decoded.instruction))) && [12, 13, 14].includes(theirs) && [12, 13, 14].includes(own);
}
