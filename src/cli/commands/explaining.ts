import { removeFiles } from '../../containers/catalogue.ts';
import type { Places } from '../../containers/places.ts';
import { requestOf } from '../../containers/start.ts';
import { explainContainer } from '../../runtime/explain.ts';
import type { CreateFlags } from '../../everyday/flags.ts';
import { badFlag } from '../../everyday/refusal.ts';
import { makeContainer } from './making.ts';

/** Prints the plan of the container that the flags ask for. Its folder is made, so that the paths are true ones, and removed again. */
export async function explainTo(places: Places, flags: CreateFlags, words: readonly string[]): Promise<number> {
  const { explain = 'text' } = flags;
  if (explain !== 'text' && explain !== 'json') throw badFlag('explain', explain, 'expected text or json');
  const container = await makeContainer(places, { ...flags, tty: false }, words);
  try {
    process.stdout.write(explainContainer(requestOf(places, container), explain));
  } finally {
    await removeFiles(places, container);
  }
  return 0;
}
