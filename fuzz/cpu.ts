// node fuzz/cpu.ts [--seconds N] [--seed N]: every user-mode instruction on random states, on this processor through KVM, by emitted code and by the oracle.
// Exits with 1 and the seed when they differ, and prints how many cases of each family were compared.
import { whyNotComparable } from '../test/silicon/available.ts';
import { compare } from '../test/silicon/compare.ts';
import { Emulated } from '../test/silicon/emulated.ts';
import { families } from '../test/silicon/families.ts';
import { Silicon } from '../test/silicon/silicon.ts';
import { campaign } from './support/campaign.ts';
import { generator } from './support/generator.ts';

/** Of each form, for a seed. */
const cases = 20;

const missing = whyNotComparable();
if (missing !== false) {
  console.log(`cpu: ${missing}`);
} else {
  const counts = new Map(Object.keys(families).map((family) => [family, 0]));
  using silicon = new Silicon();
  const emulated = new Emulated();
  await campaign('cpu', () => [...counts].map(([family, count]) => `${count} ${family}`).join(', '), (seed) => {
    const random = generator(seed);
    for (const [family, instructions] of Object.entries(families)) {
      for (const instruction of instructions) {
        const found = compare(instruction, cases, () => random(0x100000000), silicon, emulated);
        if (found.length > 0) throw new Error(found.slice(0, 5).join('\n'));
        counts.set(family, (counts.get(family) ?? 0) + cases);
      }
    }
  });
}
