import type { Invocation } from '../../vocabulary/flags.ts';
import { decimalSize } from '../../vocabulary/units.ts';
import { confirmed } from './confirmation.ts';
import { placesOf, type globalFlags } from './context.ts';
import type { systemPruneFlags } from './image-flags.ts';
import { prunedSection } from './image-prune.ts';
import { pruneStopped } from './prune-containers.ts';
import { pruneUnused } from './prune-images.ts';

/** `delos system prune`: containers first, as they hold images. */
export async function run({ flags: { all, filter, force }, globals }: Invocation<typeof systemPruneFlags, typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  if (!force && !(await confirmed(['all containers that do not run', all ? 'all images that no container uses' : 'all images without a name']))) return 0;
  const containers = await pruneStopped(places, filter);
  const images = await pruneUnused(places, all, filter);
  process.stdout.write(prunedSection('Containers', containers.lines) + prunedSection('Images', images.lines));
  process.stdout.write(`Total reclaimed space: ${decimalSize(containers.bytes + images.bytes)}\n`);
  return 0;
}
