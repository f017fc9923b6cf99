import type { runFlags } from '../../everyday/flags.ts';
import { checkAttachment } from '../../everyday/lifecycle.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { placesOf, type globalFlags } from './context.ts';
import { explainTo } from './explaining.ts';
import { makeContainer } from './making.ts';
import { runForeground, startDetached } from './running.ts';

/** `delos run`. Gives the container's exit code. */
export async function run({ flags, globals, positional }: Invocation<typeof runFlags, typeof globalFlags>): Promise<number> {
  checkAttachment(flags);
  const places = placesOf(globals);
  if (flags.explain !== undefined) return explainTo(places, flags, positional);
  const container = await makeContainer(places, flags, positional);
  if (!flags.detach) {
    return runForeground(places, container, {
      sigProxy: flags['sig-proxy'], detachKeys: flags['detach-keys'], input: true, ...(flags.pidfile !== undefined && { pidFile: flags.pidfile }),
    });
  }
  await startDetached(places, container, flags.pidfile === undefined ? {} : { pidFile: flags.pidfile });
  process.stdout.write(`${container.id}\n`);
  return 0;
}
