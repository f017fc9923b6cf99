/** All instructions, family by family. */

import { arith } from './arith.ts';
import { bit } from './bit.ts';
import { branch } from './branch.ts';
import { far } from './far.ts';
import { fpuState } from './fpu-state.ts';
import type { Instruction } from './instruction.ts';
import { io } from './io.ts';
import { move } from './move.ts';
import { segment } from './segment.ts';
import { string } from './string.ts';
import { system } from './system.ts';
import { shift } from './shift.ts';
import { vectors } from './vectors.ts';
import { x87 } from './x87.ts';

export const instructions: readonly Instruction[] = [...arith, ...move, ...shift, ...fpuState, ...x87, ...bit, ...branch, ...segment, ...far, ...string, ...io, ...system, ...vectors];
