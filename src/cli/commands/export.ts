import type { Container } from '../../containers/container.ts';
import { fileOf, type Places } from '../../containers/places.ts';
import { openRootView, type RootView } from '../../containers/root-view.ts';
import { packLayer } from '../../layers/pack.ts';
import { pathOfDescriptor } from '../../layers/xattrs.ts';
import { DelosError } from '../../lib/errors.ts';
import { readConfig } from '../../runtime/prepare.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { composedRoot } from './composed-root.ts';
import { find, placesOf, type globalFlags } from './context.ts';
import { ownersInside } from './id-mapping.ts';
import type { exportFlags } from './image-flags.ts';
import { writeArchive } from './output-file.ts';

/** `delos export`: the root file system alone, without volumes and what else is mounted in it. */
export async function run({ flags: { output }, globals, positional: [word = ''] }: Invocation<typeof exportFlags, typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  await writeArchive(output, archiveOfRoot(places, find(places, word)));
  return 0;
}

async function* archiveOfRoot(places: Places, container: Container): AsyncGenerator<Uint8Array> {
  const view = openIfPossible(places, container);
  if (view === undefined) return yield* composedRoot(places, container, container.manifest as NonNullable<Container['manifest']>);
  using opened = view;
  const owner = ownersInside(readConfig(fileOf(places, container.id)));
  return yield* packLayer(pathOfDescriptor(opened.fd), owner === undefined ? {} : { owner });
}

/** Nothing for a container whose root cannot be mounted here, but can be put together. */
function openIfPossible(places: Places, container: Container): RootView | undefined {
  try {
    return openRootView(places, container, { mounts: false });
  } catch (error) {
    const { manifest, root } = container;
    const canBeComposed = manifest !== undefined && root.kind === 'overlay' && root.kept;
    if (error instanceof DelosError && error.code === 'unsupported' && canBeComposed) return undefined;
    throw error;
  }
}
