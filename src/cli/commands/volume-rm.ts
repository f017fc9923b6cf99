import { removeVolume } from '../../containers/volumes.ts';
import { DelosError } from '../../lib/errors.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { placesOf, warn, type globalFlags } from './context.ts';
import type { volumeRemoveFlags } from './volume-flags.ts';

/** `delos volume rm`. Prints the names of those that are gone. */
export async function run({ flags: { force }, globals, positional }: Invocation<typeof volumeRemoveFlags, typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  let code = 0;
  for (const name of positional) {
    try {
      await removeVolume(places, name);
    } catch (error) {
      if (!(error instanceof DelosError)) throw error;
      if (!force || error.code !== 'no-volume') {
        warn(error.message);
        code = 1;
        continue;
      }
    }
    process.stdout.write(`${name}\n`);
  }
  return code;
}
