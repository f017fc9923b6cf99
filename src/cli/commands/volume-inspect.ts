import { findVolume, type Volume } from '../../containers/volumes.ts';
import { DelosError } from '../../lib/errors.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { inspection } from '../../vocabulary/table.ts';
import { placesOf, warn, type globalFlags } from './context.ts';
import type { volumeInspectFlags } from './volume-flags.ts';

/** `delos volume inspect`. Those that are there are shown, whatever becomes of the others. */
export async function run({ flags, globals, positional }: Invocation<typeof volumeInspectFlags, typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  const found: unknown[] = [];
  let code = 0;
  for (const name of positional) {
    try {
      found.push(described(findVolume(places, name)));
    } catch (error) {
      if (!(error instanceof DelosError)) throw error;
      warn(error.message);
      code = 1;
    }
  }
  process.stdout.write(inspection(found, flags.format));
  return code;
}

/** A volume in docker's shape. */
function described({ name, mountpoint, created, labels }: Volume): unknown {
  return { CreatedAt: created, Driver: 'local', Labels: labels, Mountpoint: mountpoint, Name: name, Options: {}, Scope: 'local' };
}
