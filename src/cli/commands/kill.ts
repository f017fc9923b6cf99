import { haltRestarts, markStopped } from '../../containers/end.ts';
import { containerEvent } from '../../containers/events.ts';
import { standingOf } from '../../containers/standing.ts';
import { awaitEnd } from '../../containers/watch.ts';
import { SIGKILL } from '../../abi/signal.ts';
import { DelosError } from '../../lib/errors.ts';
import { killContainer } from '../../runtime/kill.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { parseSignal } from '../../vocabulary/signal.ts';
import { forEach, placesOf, type globalFlags } from './context.ts';
import type { killFlags } from './flags.ts';

/** `delos kill`. After SIGKILL it waits until the container has ended. */
export async function run({ flags, globals, positional }: Invocation<typeof killFlags, typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  const { number } = parseSignal(flags.signal);
  return forEach(places, positional, async (container) => {
    const { status } = standingOf(places, container);
    if (status === 'restarting' && (await haltRestarts(places, container))) return;
    if (status !== 'running' && status !== 'paused') throw new DelosError('wrong-state', `container ${container.name} is not running`);
    // Any other signal may be one that the program lives on with.
    if (number === SIGKILL || number === container.stopSignal) await markStopped(places, container);
    containerEvent(places, container, 'kill', { signal: String(number) });
    await killContainer(places.run, container.id, number);
    if (number === SIGKILL) await awaitEnd(places, container);
  });
}
