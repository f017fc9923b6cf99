import { settle } from '../../containers/end.ts';
import { readContainer } from '../../containers/catalogue.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { placesOf, type globalFlags } from './context.ts';

/** What the monitor of a detached container runs when it has ended. Nobody reads what it would say. */
export async function run({ globals, positional: [id = ''] }: Invocation<readonly [], typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  const container = readContainer(places, id);
  if (container !== undefined) await settle(places, container);
  return 0;
}
