import { containerEvent } from '../../containers/events.ts';
import { resumeContainer } from '../../runtime/pause.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { forEach, placesOf, type globalFlags } from './context.ts';
import { asEveryday } from './named-error.ts';

/** `delos unpause`. */
export async function run({ globals, positional }: Invocation<readonly [], typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  return forEach(places, positional, (container) => asEveryday(container, async () => {
    await resumeContainer(places.run, container.id);
    containerEvent(places, container, 'unpause');
  }));
}
