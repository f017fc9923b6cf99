import type { Digest } from '../registry/digest.ts';
import type { Descriptor } from '../registry/manifest.ts';
import type { Repository } from '../registry/repository.ts';
import { shownUrl } from '../registry/shown.ts';
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
 * Fetches several layers at once and unpacks each as soon as it and those below it are there.
 * @param diffIds one for each layer
 * @returns whether anything had to be fetched or unpacked
 */
export async function fetchLayers(
  store: ImageStore, repository: Repository, layers: readonly Descriptor[], diffIds: readonly Digest[], { stop, signal, atOnce, onProgress }: FetchOptions,
): Promise<boolean> {
  const arrivals = layers.map(() => Promise.withResolvers<void>());
  const stopped = Promise.withResolvers<never>();
  // Nobody may be waiting when it is rejected.
  stopped.promise.catch(() => undefined);
  let changed = false;
  const tell = ({ digest, size }: Descriptor, phase: Phase, current: number): void => onProgress?.({ layer: digest, phase, current, total: size });
  const fetching = inParallel(layers, atOnce, async (layer, index) => {
    const how = await ensureBlob(store, layer, `GET ${shownUrl(repository.blobUrl(layer))}`, (start) => repository.stream(layer, start), {
      signal, onProgress: (current) => tell(layer, 'downloading', current),
    });
    if (how === 'fetched') changed = true;
    arrivals[index]?.resolve();
  });
  const unpacking = (async () => {
    for (const [index, layer] of layers.entries()) {
      await Promise.race([arrivals[index]?.promise, stopped.promise]);
      const how = await ensureLayer(store, diffIds.slice(0, index + 1), layer.digest, { signal, onProgress: (current) => tell(layer, 'unpacking', current) });
      if (how === 'unpacked') changed = true;
      tell(layer, how === 'exists' ? 'exists' : 'done', layer.size);
    }
  })();
  for (const layer of layers) tell(layer, 'waiting', 0);
  await allOf([fetching, unpacking], () => {
    stop.abort();
    stopped.reject(new Error('stopped'));
  });
  return changed;
}
