import { stopContainer } from '../../containers/end.ts';
import { badFlag } from '../../everyday/refusal.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { parseSignal } from '../../vocabulary/signal.ts';
import { forEach, placesOf, type globalFlags } from './context.ts';
import type { stopFlags } from './flags.ts';

/** `delos stop`. */
export async function run({ flags, globals, positional }: Invocation<typeof stopFlags, typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  if (flags.time !== undefined && flags.time < -1) throw badFlag('time', flags.time, 'expected a number of seconds, or -1 to wait for ever');
  const signal = flags.signal === undefined ? undefined : parseSignal(flags.signal).number;
  return forEach(places, positional, (container) =>
    stopContainer(places, container, signal ?? container.stopSignal, flags.time ?? container.stopTimeoutSeconds));
}
