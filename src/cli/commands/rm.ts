import { removeContainer } from '../../containers/end.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { forEach, placesOf, type globalFlags } from './context.ts';
import type { rmFlags } from './flags.ts';

/** `delos rm`. */
export async function run({ flags, globals, positional }: Invocation<typeof rmFlags, typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  return forEach(places, positional, (container) => removeContainer(places, container, flags.force));
}
