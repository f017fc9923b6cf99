/** All instructions, family by family. */

import { arith } from './arith.ts';
import { branch } from './branch.ts';
import type { Instruction } from './instruction.ts';
import { move } from './move.ts';

export const instructions: readonly Instruction[] = [...arith, ...move, ...branch];
