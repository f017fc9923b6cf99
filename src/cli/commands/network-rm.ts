import { listContainers } from '../../containers/catalogue.ts';
import { networkEvent } from '../../containers/events.ts';
import { networksFolder } from '../../containers/places.ts';
import { DelosError } from '../../lib/errors.ts';
import { removeNetwork } from '../../network/create.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { placesOf, warn, type globalFlags } from './context.ts';

/** `delos network rm`. Prints the names of those that are gone. */
export async function run({ globals, positional }: Invocation<readonly [], typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  let code = 0;
  for (const name of positional) {
    try {
      const user = listContainers(places).find(({ networks }) => networks.some(({ network }) => network === name));
      if (user !== undefined) throw new DelosError('network-in-use', `network ${name} is used by container ${user.name}: remove or disconnect that first`);
      await removeNetwork(networksFolder(places), name);
      networkEvent(places, 'destroy', name);
      process.stdout.write(`${name}\n`);
    } catch (error) {
      if (!(error instanceof DelosError)) throw error;
      warn(error.message);
      code = 1;
    }
  }
  return code;
}
