import { listImages, pruneImages, removeImage, type ImageDetails } from '../../images/catalogue.ts';
import { openStore, type ImageStore } from '../../images/store.ts';
import type { Places } from '../../containers/places.ts';
import type { Digest } from '../../registry/digest.ts';
import { familiarReference, parseReference } from '../../registry/reference.ts';
import { pruneFilter } from './prune-filter.ts';
import { knownIds } from './rmi.ts';

/** What was pruned: docker's lines, and how many bytes are free again. */
export interface Pruned {
  readonly lines: readonly string[];
  readonly bytes: number;
}

/** Removes images without a name that no container uses, or all that none uses, as far as the filters let them through. */
export async function pruneUnused(places: Places, all: boolean, filters: readonly string[]): Promise<Pruned> {
  const store = openStore(places.data);
  const accept = pruneFilter(filters);
  const candidates = listImages(store).filter(({ record, containers }) => containers.length === 0 && (all || record.tags.length === 0));
  const known = new Set(candidates.flatMap(({ record }) => [...knownIds(store, record)]));
  const wanted = candidates.filter(({ config: { created, defaults: { labels } } }) => accept({ created, labels }));
  const { untagged, removed, bytes } = filters.length === 0 ? await pruneImages(store, { all }) : await removeAll(store, wanted);
  return {
    lines: [
      ...untagged.map((name) => `untagged: ${familiarReference(parseReference(name))}`),
      ...removed.filter((digest) => known.has(digest)).map((digest) => `deleted: ${digest}`),
    ],
    bytes,
  };
}

async function removeAll(store: ImageStore, images: readonly ImageDetails[]): Promise<{ untagged: string[]; removed: Digest[]; bytes: number }> {
  const done = { untagged: [] as string[], removed: [] as Digest[], bytes: 0 };
  for (const { record } of images) {
    // Forced, as it goes with all its names. What a container holds by now stays for it.
    const { untagged, removed, bytes } = await removeImage(store, record.manifest, { force: true });
    done.untagged.push(...untagged);
    done.removed.push(...removed);
    done.bytes += bytes;
  }
  return done;
}
