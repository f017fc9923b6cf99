import type { StreamedEntry } from '../../tar/entries.ts';
import { tarEnd, tarHeader, tarPadding } from '../../tar/writer.ts';

/** Entries as an archive. An empty name is that of the folder around the others. */
export async function* archiveOf(entries: AsyncIterable<StreamedEntry>): AsyncGenerator<Uint8Array> {
  for await (const entry of entries) {
    yield tarHeader(entry.name === '' ? { ...entry, name: '.' } : entry);
    if (entry.type !== 'file') continue;
    yield* entry.data();
    yield tarPadding(entry.size);
  }
  yield tarEnd();
}
