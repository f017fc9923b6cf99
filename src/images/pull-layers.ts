import type { Digest } from '../registry/digest.ts';
import type { Descriptor } from '../registry/manifest.ts';
import type { Repository } from '../registry/repository.ts';
import { shownUrl } from '../registry/shown.ts';
import { Arrival } from './arrival.ts';
import { ensureBlob } from './blobs.ts';
import { ensureLayer } from './layers.ts';
import { allOf, inParallel } from './parallel.ts';
import type { OnProgress, Phase } from './progress.ts';
import type { ImageStore } from './store.ts';

export interface FetchOptions {
  /** Is aborted at the first failure; `signal` follows it. */
  readonly stop: AbortController;
  readonly signal: AbortSignal;
  readonly atOnce: number;
  readonly onProgress: OnProgress | undefined;
}

/**
 * Fetches several layers at once, and unpacks each while it comes, as soon as those below it are there.
 * @param diffIds one for each layer
 * @returns whether anything had to be fetched or unpacked
 */
export async function fetchLayers(
  store: ImageStore, repository: Repository, layers: readonly Descriptor[], diffIds: readonly Digest[], { stop, signal, atOnce, onProgress }: FetchOptions,
): Promise<boolean> {
  const arrivals = layers.map((layer) => new Arrival(store, layer));
  let changed = false;
  const tell = ({ digest, size }: Descriptor, phase: Phase, current: number): void => onProgress?.({ layer: digest, phase, current, total: size });
  const fetching = inParallel(layers.map((layer, index) => ({ layer, arrival: arrivals[index] as Arrival })), atOnce, async ({ layer, arrival }) => {
    const how = await ensureBlob(store, layer, `GET ${shownUrl(repository.blobUrl(layer))}`, (start) => repository.stream(layer, start, true), {
      signal, onProgress: (current) => tell(layer, 'downloading', current), onWritten: (there) => arrival.wrote(there),
    });
    if (how === 'fetched') changed = true;
    arrival.finish();
  });
  const unpacking = (async () => {
    for (const [index, layer] of layers.entries()) {
      const arrival = arrivals[index] as Arrival;
      const onUnpacked = (current: number): void => {
        if (arrival.isWhole) tell(layer, 'unpacking', current);
      };
      const how = await ensureLayer(store, diffIds.slice(0, index + 1), layer.digest, { signal, arrival, onProgress: onUnpacked });
      await arrival.whole();
      if (how === 'unpacked') changed = true;
      tell(layer, how === 'exists' ? 'exists' : 'done', layer.size);
    }
  })();
  for (const layer of layers) tell(layer, 'waiting', 0);
  await allOf([fetching, unpacking], () => {
    stop.abort();
    for (const arrival of arrivals) arrival.fail(new Error('stopped'));
  });
  return changed;
}
