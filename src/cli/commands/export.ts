import { openRootView } from '../../containers/root-view.ts';
import { fileOf } from '../../containers/places.ts';
import { packLayer } from '../../layers/pack.ts';
import { pathOfDescriptor } from '../../layers/xattrs.ts';
import { readConfig } from '../../runtime/prepare.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { find, placesOf, type globalFlags } from './context.ts';
import { ownersInside } from './id-mapping.ts';
import type { exportFlags } from './image-flags.ts';
import { writeArchive } from './output-file.ts';

/** `delos export`: the root file system alone, without volumes and what else is mounted in it. */
export async function run({ flags: { output }, globals, positional: [word = ''] }: Invocation<typeof exportFlags, typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  const container = find(places, word);
  const owner = ownersInside(readConfig(fileOf(places, container.id)));
  using view = openRootView(places, container, { mounts: false });
  await writeArchive(output, packLayer(pathOfDescriptor(view.fd), owner === undefined ? {} : { owner }));
  return 0;
}
