import { processTable } from '../../runtime/ps.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { find, placesOf, type globalFlags } from './context.ts';
import { asEveryday } from './named-error.ts';

/** `delos top`: ps(1) of the container's processes, with the words after it as ps's options. */
export async function run({ globals, positional: [word = '', ...options] }: Invocation<readonly [], typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  const container = find(places, word);
  process.stdout.write(await asEveryday(container, async () => processTable(places.run, container.id, options)));
  return 0;
}
