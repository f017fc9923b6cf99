/** In what engines may differ from this silicon: what the manuals leave open, and what KVM makes of a fault before we see it. */

import type { Decoded } from '../../src/cpu/decode.ts';
import type { Outcome } from './emulated.ts';
import type { Generated } from './generate.ts';
import type { Result } from './silicon.ts';

/** Both sides of a difference, with the vectors of their exceptions. */
interface Sides {
  readonly generated: Generated;
  readonly decoded: Decoded;
  readonly real: Result;
  readonly ours: Outcome;
  readonly theirs: number | undefined;
  readonly own: number | undefined;
}

export interface Tolerance {
  readonly why: string;
  readonly holds: (sides: Sides) => boolean;
}

const memoryFaults: readonly (number | undefined)[] = [12, 13, 14];
const readOver: readonly number[] = [0x26, 0x2e, 0x36, 0x3e];

const hasReadOver = ({ case: { code } }: Generated): boolean => readOver.some((prefix) => code.includes(prefix));
const lastOfLowerHalf = 0x7ffffffffn;

export const tolerances: readonly Tolerance[] = [
  {
    why: 'it jumped into its own bytes, and silicon went on there',
    holds: ({ ours, generated: { case: { rip, code } } }) => ours.outcome === 'done' && ours.rip > BigInt(rip) && ours.rip < BigInt(rip + code.length),
  },
  {
    why: 'an access over the end of the canonical addresses is #GP or #SS; KVM, which tries again what has ended with #GP, sees its first page first',
    holds: ({ theirs, own, real }) => theirs === 14 && own === 13 && (real.exception?.cr2 ?? 0n) >> 12n === lastOfLowerHalf,
  },
  {
    why: '64-bit mode reads CS, DS, ES and SS over (SDM volume 1, 3.4.4), but this silicon decides by them between #SS and #GP',
    holds: ({ theirs, own, generated }) => ((theirs === 12 && own === 13) || (theirs === 13 && own === 12)) && hasReadOver(generated),
  },
  {
    why: 'KVM, trying again, takes a segment that is read over for the address',
    holds: ({ theirs, own, generated }) => theirs === 14 && own === 13 && hasReadOver(generated),
  },
  {
    why: 'MOVSXD with operands of 16 bits reads as many by the SDM, 32 by AMD\'s manual (volume 3)',
    holds: ({ decoded: { instruction: { name }, operandSize }, theirs }) => name === 'MOVSXD' && operandSize === 16 && theirs === 14,
  },
  {
    why: 'which element in a page a repeated instruction faults at is silicon\'s to choose: it moves several at once',
    holds: ({ decoded, real: { exception: real }, ours: { exception: own } }) => (
      decoded.repeat !== undefined && real?.vector === 14 && own?.vector === 14 && real.errorCode === own.errorCode && real.cr2 >> 12n === own.cr2 >> 12n
    ),
  },
  {
    why: 'of two faults the manuals do not say which one is told: of two operands in memory, of the stack and where a call leads',
    holds: ({ decoded: { instruction: { name, encoding }, operands }, theirs, own }) => {
      const besides = /^(?:PUSH|POP)/.test(name) && operands.some(({ kind }) => kind === 'memory');
      return (besides || /^(?:CALL|RET|CMPS|MOVS [AF])/.test(`${name} ${encoding}`)) && memoryFaults.includes(theirs) && memoryFaults.includes(own);
    },
  },
];

/** Whether a difference is one of these. */
export function isTolerated(generated: Generated, real: Result, ours: Outcome): boolean {
  const { decoded } = generated;
  if (decoded === undefined) return false;
  const sides = { generated, decoded, real, ours, theirs: real.exception?.vector, own: ours.exception?.vector };
  return tolerances.some(({ holds }) => holds(sides));
}
