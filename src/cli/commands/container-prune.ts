import type { Invocation } from '../../vocabulary/flags.ts';
import { decimalSize } from '../../vocabulary/units.ts';
import { confirmed } from './confirmation.ts';
import { placesOf, type globalFlags } from './context.ts';
import type { containerPruneFlags } from './image-flags.ts';
import { prunedSection } from './image-prune.ts';
import { pruneStopped } from './prune-containers.ts';

/** `delos container prune`. */
export async function run({ flags: { filter, force }, globals }: Invocation<typeof containerPruneFlags, typeof globalFlags>): Promise<number> {
  if (!force && !(await confirmed(['all containers that do not run']))) return 0;
  const { lines, bytes } = await pruneStopped(placesOf(globals), filter);
  process.stdout.write(`${prunedSection('Containers', lines)}Total reclaimed space: ${decimalSize(bytes)}\n`);
  return 0;
}
