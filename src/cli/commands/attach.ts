import { attachTo } from '../../containers/attach.ts';
import { standingOf } from '../../containers/standing.ts';
import { DelosError } from '../../lib/errors.ts';
import { parseDetachKeys } from '../../vocabulary/detach-keys.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { find, placesOf, type globalFlags } from './context.ts';
import type { attachFlags } from './flags.ts';
import { concludeAttached, proxySignals } from './running.ts';

/** `delos attach`. Gives the container's exit code, or 0 when the caller has detached. */
export async function run({ flags, globals, positional: [word = ''] }: Invocation<typeof attachFlags, typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  const container = find(places, word);
  const { status } = standingOf(places, container);
  if (status !== 'running') throw new DelosError('wrong-state', `you cannot attach to a container that is ${status}: ${container.name}`);
  if (container.direct) throw new DelosError('wrong-state', `container ${container.name} has the terminal it was started from: there is nothing to attach to`);
  const attachment = await attachTo(places, container, {
    input: container.openStdin && !flags['no-stdin'], detachKeys: parseDetachKeys(flags['detach-keys']),
  });
  using _ = flags['sig-proxy'] ? proxySignals(places, container) : undefined;
  return concludeAttached(places, container, await attachment.done);
}
