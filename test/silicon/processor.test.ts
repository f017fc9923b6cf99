/** Every instruction that a program may use, on random states: what the software processor makes of it, by emitted code and by its meaning on bigints, and silicon. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
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
import { generator } from '../../fuzz/support/generator.ts';
import { whyNoSilicon } from './available.ts';
import { compare } from './compare.ts';
import { Emulated } from './emulated.ts';
import { Silicon } from './silicon.ts';

const families: Readonly<Record<string, readonly Instruction[]>> = { arith, move, shift, bit, branch, string, x87: [...fpuState, ...x87], vectors };

/** Of each form; `./dev fuzz cpu` runs millions. */
const cases = 24;

const skip = whyNoSilicon();

for (const [family, instructions] of Object.entries(families)) {
  test(`${family}: emitted code and oracle do what silicon does`, { skip }, () => {
    using silicon = new Silicon();
    const emulated = new Emulated();
    const random = generator(1);
    const faults = instructions.flatMap((instruction) => compare(instruction, cases, () => random(0x100000000), silicon, emulated));
    assert.deepEqual(faults.slice(0, 20), []);
  });
}
