import type { createFlags } from '../../everyday/flags.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { placesOf, type globalFlags } from './context.ts';
import { explainTo } from './explaining.ts';
import { makeContainer } from './making.ts';

/** `delos create`: everything but processes. Prints the id. */
export async function run({ flags, globals, positional }: Invocation<typeof createFlags, typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  if (flags.explain !== undefined) return explainTo(places, flags, positional);
  const container = await makeContainer(places, flags, positional);
  process.stdout.write(`${container.id}\n`);
  return 0;
}
