import { parseArgs } from 'node:util';

/**
 * Tries one seed after the other until the time is over or one fails: `[--seconds N] [--seed N]`, a seed alone is tried once. Prints what was
 * done; on a find the seed, the error and what it was about, and the process exits with 1.
 * @param tryOne throws when it has found something
 * @param about what is told beside an error, such as the text that was tried
 */
export async function campaign(name: string, done: (runs: string) => string, tryOne: (seed: number) => void | Promise<void>, about: () => string = () => ''): Promise<void> {
  const { values } = parseArgs({ options: { seconds: { type: 'string', default: '10' }, seed: { type: 'string' } } });
  const end = performance.now() + Number(values.seconds) * 1000;
  const first = values.seed === undefined ? (Date.now() >>> 0) : Number(values.seed);
  let seed = first;
  try {
    do {
      await tryOne(seed);
      seed++;
    } while (performance.now() < end && values.seed === undefined);
    console.log(`${name}: ${done(`${seed - first}`)} (from seed ${first})`);
  } catch (error) {
    console.error(`${name}: seed ${seed} (again with --seed ${seed}):`, error, about());
    process.exitCode = 1;
  }
}
