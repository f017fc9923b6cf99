import type { Change } from '../../layers/changes.ts';
import { tarEntries, type StreamedEntry } from '../../tar/entries.ts';
import { archiveOf } from './entries-archive.ts';

/** What every container has mounted. Where its image has no place for them, empty ones are made, which are no change of the container's. */
const ownPlaces = new Set(['dev', 'proc', 'sys', 'etc/hostname', 'etc/hosts', 'etc/resolv.conf']);

/** The changes without those places, and without /etc where only they changed it. */
export function withoutMountPoints(changes: readonly Change[]): Change[] {
  const kept = changes.filter(({ kind, path }) => kind !== 'A' || !ownPlaces.has(path.slice(1)));
  const hasIn = (list: readonly Change[]): boolean => list.some(({ path }) => path.startsWith('/etc/'));
  return hasIn(changes) && !hasIn(kept) ? kept.filter(({ kind, path }) => kind !== 'C' || path !== '/etc') : kept;
}

/** The archive of a layer without them. */
export function layerWithoutMountPoints(layer: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  return archiveOf(withoutPlaces(tarEntries(layer)));
}

async function* withoutPlaces(entries: AsyncIterable<StreamedEntry>): AsyncGenerator<StreamedEntry> {
  for await (const entry of entries) if (!isPlace(entry)) yield entry;
}

function isPlace({ name, type, size }: StreamedEntry): boolean {
  return ownPlaces.has(name.replace(/\/$/, '')) && (type === 'directory' || (type === 'file' && size === 0));
}
