/** MMX and SSE, family by family. */

import type { Instruction } from './instruction.ts';
import { vectorFloat } from './vector-float.ts';
import { vectorInteger } from './vector-integer.ts';
import { vectorMove } from './vector-move.ts';
import { vectorShuffle } from './vector-shuffle.ts';
import { vectorSpecial } from './vector-special.ts';

export const vectors: readonly Instruction[] = [...vectorMove, ...vectorShuffle, ...vectorInteger, ...vectorFloat, ...vectorSpecial];
