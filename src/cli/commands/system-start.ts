import { listContainers } from '../../containers/catalogue.ts';
import { startsAtBoot, supervisorOf } from '../../containers/restart.ts';
import { standingOf } from '../../containers/standing.ts';
import { DelosError } from '../../lib/errors.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { placesOf, warn, type globalFlags } from './context.ts';
import { startDetached } from './running.ts';

/**
 * `delos system start`: starts what a restart policy wants to run and nobody looks after, as after a reboot or when supervisors were
 * killed. Those that were made first go first; one that cannot be started does not keep the others from it.
 */
export async function run({ globals }: Invocation<readonly [], typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  let code = 0;
  for (const container of listContainers(places).toReversed()) {
    const { status, exitCode } = standingOf(places, container);
    if (status !== 'stopped' || supervisorOf(container) !== undefined || !startsAtBoot(container, exitCode)) continue;
    try {
      await startDetached(places, container);
      process.stdout.write(`${container.name}\n`);
    } catch (error) {
      if (!(error instanceof DelosError)) throw error;
      warn(`${container.name}: ${error.message}`);
      code = 1;
    }
  }
  return code;
}
