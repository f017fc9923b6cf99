import { DelosError } from '../../lib/errors.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { find, forEach, placesOf, type globalFlags } from './context.ts';
import type { startFlags } from './flags.ts';
import { runForeground, startDetached } from './running.ts';

/** `delos start`. Attached, it gives the container's exit code. */
export async function run({ flags, globals, positional }: Invocation<typeof startFlags, typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  const { attach, interactive, 'detach-keys': detachKeys } = flags;
  if (!attach && !interactive) return forEach(places, positional, (container) => startDetached(places, container));
  const [word = '', ...others] = positional;
  if (others.length > 0) throw new DelosError('bad-usage', 'you cannot start and attach several containers at once');
  return runForeground(places, find(places, word), { sigProxy: true, detachKeys, input: interactive });
}
