import { settle } from '../../containers/end.ts';
import { awaitEnd } from '../../containers/watch.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { forEach, placesOf, type globalFlags } from './context.ts';

/** `delos wait`: the exit code of each, a line each. */
export async function run({ globals, positional }: Invocation<readonly [], typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  return forEach(places, positional, async (container) => {
    const code = await awaitEnd(places, container);
    await settle(places, container);
    return String(code);
  });
}
