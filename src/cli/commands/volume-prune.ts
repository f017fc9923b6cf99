import { listVolumes, pruneVolumes } from '../../containers/volumes.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { decimalSize } from '../../vocabulary/units.ts';
import { confirmed } from './confirmation.ts';
import { placesOf, type globalFlags } from './context.ts';
import { treeBytes } from './disk-usage.ts';
import { prunedSection } from './image-prune.ts';
import { pruneFilter } from './prune-filter.ts';
import type { volumePruneFlags } from './volume-flags.ts';

/** `delos volume prune`. */
export async function run({ flags: { all, filter, force }, globals }: Invocation<typeof volumePruneFlags, typeof globalFlags>): Promise<number> {
  const accept = pruneFilter(filter);
  if (!force && !(await confirmed([all ? 'all volumes that no container uses' : 'all volumes without a name that no container uses']))) return 0;
  const places = placesOf(globals);
  const meant = listVolumes(places).filter((volume) => (all || volume.anonymous) && accept(volume));
  const bytes = new Map(meant.map(({ name, mountpoint }) => [name, treeBytes(mountpoint)]));
  const removed = (await pruneVolumes(places, ({ name }) => bytes.has(name))).map(({ name }) => name);
  const sum = removed.reduce((total, name) => total + (bytes.get(name) ?? 0), 0);
  process.stdout.write(`${prunedSection('Volumes', removed)}Total reclaimed space: ${decimalSize(sum)}\n`);
  return 0;
}
