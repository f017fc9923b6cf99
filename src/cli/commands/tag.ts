import { imageEvent } from '../../containers/events.ts';
import { inspectImage, tagImage } from '../../images/catalogue.ts';
import { openStore } from '../../images/store.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { placesOf, type globalFlags } from './context.ts';

/** `delos tag`. */
export async function run({ globals, positional: [name = '', newName = ''] }: Invocation<readonly [], typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  const store = openStore(places.data);
  await tagImage(store, name, newName);
  imageEvent(places, 'tag', inspectImage(store, newName).record.id, newName);
  return 0;
}
