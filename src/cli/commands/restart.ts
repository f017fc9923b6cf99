import { stopContainer } from '../../containers/end.ts';
import { containerEvent } from '../../containers/events.ts';
import { readContainer } from '../../containers/catalogue.ts';
import { DelosError } from '../../lib/errors.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { parseSignal } from '../../vocabulary/signal.ts';
import { forEach, placesOf, type globalFlags } from './context.ts';
import type { stopFlags } from './flags.ts';
import { startDetached } from './running.ts';

/** `delos restart`: stop and start. */
export async function run({ flags, globals, positional }: Invocation<typeof stopFlags, typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  const signal = flags.signal === undefined ? undefined : parseSignal(flags.signal).number;
  return forEach(places, positional, async (container) => {
    await stopContainer(places, container, signal ?? container.stopSignal, flags.time ?? container.stopTimeoutSeconds);
    if (readContainer(places, container.id) === undefined) throw new DelosError('wrong-state', `container ${container.name} was removed when it ended (--rm)`);
    await startDetached(places, container);
    containerEvent(places, container, 'restart');
  });
}
