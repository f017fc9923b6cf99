import { listContainers } from '../../containers/catalogue.ts';
import { removeContainer } from '../../containers/end.ts';
import { fileOf, type Places } from '../../containers/places.ts';
import { standingOf } from '../../containers/standing.ts';
import { DelosError } from '../../lib/errors.ts';
import { treeBytes } from './disk-usage.ts';
import { pruneFilter } from './prune-filter.ts';
import type { Pruned } from './prune-images.ts';

/** Removes containers that do not run, as far as the filters let them through. */
export async function pruneStopped(places: Places, filters: readonly string[]): Promise<Pruned> {
  const accept = pruneFilter(filters);
  const lines: string[] = [];
  let bytes = 0;
  for (const container of listContainers(places).filter(accept)) {
    const { status } = standingOf(places, container);
    if (status === 'running' || status === 'paused') continue;
    const size = treeBytes(fileOf(places, container.id));
    try {
      await removeContainer(places, container, false);
    } catch (error) {
      // It was started meanwhile.
      if (error instanceof DelosError && error.code === 'wrong-state') continue;
      throw error;
    }
    lines.push(container.id);
    bytes += size;
  }
  return { lines, bytes };
}
