import { tagImage } from '../../images/catalogue.ts';
import { openStore } from '../../images/store.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { placesOf, type globalFlags } from './context.ts';

/** `delos tag`. */
export async function run({ globals, positional: [name = '', newName = ''] }: Invocation<readonly [], typeof globalFlags>): Promise<number> {
  await tagImage(openStore(placesOf(globals).data), name, newName);
  return 0;
}
