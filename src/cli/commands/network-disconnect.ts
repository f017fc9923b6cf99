import { leaveNetwork } from '../../containers/connection.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { find, placesOf, type globalFlags } from './context.ts';

/** `delos network disconnect`. */
export async function run({ globals, positional: [network = '', word = ''] }: Invocation<readonly [], typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  await leaveNetwork(places, find(places, word), network);
  return 0;
}
