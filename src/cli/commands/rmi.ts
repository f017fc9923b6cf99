import { imageEvent } from '../../containers/events.ts';
import { removeImage } from '../../images/catalogue.ts';
import { readImageConfig } from '../../images/image.ts';
import { chainIds } from '../../images/layers.ts';
import { requireImage, type ImageRecord } from '../../images/records.ts';
import { openStore, type ImageStore } from '../../images/store.ts';
import { DelosError } from '../../lib/errors.ts';
import type { Digest } from '../../registry/digest.ts';
import { familiarReference, parseReference } from '../../registry/reference.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { placesOf, warn, type globalFlags } from './context.ts';
import type { rmiFlags } from './image-flags.ts';

/** `delos rmi`. One that cannot be removed does not keep the others from it. */
export async function run({ flags, globals, positional }: Invocation<typeof rmiFlags, typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  const store = openStore(places.data);
  let code = 0;
  for (const name of positional) {
    try {
      const image = requireImage(store, name);
      const known = knownIds(store, image);
      const { untagged, removed } = await removeImage(store, name, { force: flags.force });
      for (const tag of untagged) imageEvent(places, 'untag', image.id, familiarReference(parseReference(tag)));
      if (removed.includes(image.id)) imageEvent(places, 'delete', image.id);
      process.stdout.write(removalLines(untagged, removed.filter((digest) => known.has(digest))));
    } catch (error) {
      if (!(error instanceof DelosError)) throw error;
      warn(error.message);
      code = 1;
    }
  }
  return code;
}

/** By what people know an image and its layers: its ID and the chain IDs. */
export function knownIds(store: ImageStore, image: ImageRecord): Set<Digest> {
  try {
    return new Set([image.id, ...chainIds(readImageConfig(store, image).diffIds)]);
  } catch (error) {
    // It is removed all the same.
    if (error instanceof DelosError && error.code === 'no-image') return new Set([image.id]);
    throw error;
  }
}

/** Docker's lines. */
export function removalLines(untagged: readonly string[], deleted: readonly Digest[]): string {
  return [
    ...untagged.map((name) => `Untagged: ${familiarReference(parseReference(name))}\n`), ...deleted.map((digest) => `Deleted: ${digest}\n`),
  ].join('');
}
