/** Every instruction that a program may use, on random states: what the software processor makes of it, by emitted code and by its meaning on bigints, and silicon. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generator } from '../../fuzz/support/generator.ts';
import { whyNotComparable } from './available.ts';
import { compare } from './compare.ts';
import { Emulated } from './emulated.ts';
import { families } from './families.ts';
import { Silicon } from './silicon.ts';

/** Of each form; `./dev fuzz cpu` runs millions. */
const cases = 24;
const casesOfRegions = 12;

const skip = whyNotComparable();

for (const [family, instructions] of Object.entries(families)) {
  test(`${family}: emitted code and oracle do what silicon does`, { skip }, () => {
    using silicon = new Silicon();
    const random = generator(1);
    const { faults } = compare(instructions, cases, () => random(0x100000000), silicon, new Emulated(), casesOfRegions);
    assert.deepEqual(faults.slice(0, 20), []);
  });
}
