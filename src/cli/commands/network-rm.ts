import { dropNetwork } from '../../containers/networks.ts';
import { DelosError } from '../../lib/errors.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { placesOf, warn, type globalFlags } from './context.ts';

/** `delos network rm`. Prints the names of those that are gone. */
export async function run({ globals, positional }: Invocation<readonly [], typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  let code = 0;
  for (const name of positional) {
    try {
      await dropNetwork(places, name);
      process.stdout.write(`${name}\n`);
    } catch (error) {
      if (!(error instanceof DelosError)) throw error;
      warn(error.message);
      code = 1;
    }
  }
  return code;
}
