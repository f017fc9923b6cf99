import { arith } from '../../src/cpu/isa/arith.ts';
import { bit } from '../../src/cpu/isa/bit.ts';
import { branch } from '../../src/cpu/isa/branch.ts';
import { fpuState } from '../../src/cpu/isa/fpu-state.ts';
import type { Instruction } from '../../src/cpu/isa/instruction.ts';
import { move } from '../../src/cpu/isa/move.ts';
import { shift } from '../../src/cpu/isa/shift.ts';
import { string } from '../../src/cpu/isa/string.ts';
import { vectors } from '../../src/cpu/isa/vectors.ts';
import { x87 } from '../../src/cpu/isa/x87.ts';

/** What a program may use, by family. */
export const families: Readonly<Record<string, readonly Instruction[]>> = { arith, move, shift, bit, branch, string, x87: [...fpuState, ...x87], vectors };
