import type { TarEntry, TarLimits } from './entry.ts';
import { TarReader } from './reader.ts';

/** Zeros for holes, handed out again and again. */
const ZEROS = new Uint8Array(64 * 1024);

type Event = { readonly entry: TarEntry } | { readonly bytes: Uint8Array } | 'end';

/** An entry of {@link tarEntries} with its data. */
export interface StreamedEntry extends TarEntry {
  /** The file's bytes, holes as zeros. Once, and before the next entry is asked for; what is not read is passed over. */
  data(): AsyncGenerator<Uint8Array>;
}

/**
 * The entries of an archive, one by one, with their data as streams: for archives that are looked through. (A layer is unpacked by
 * {@link TarReader} itself.) Memory: a chunk of the source and the limits.
 * @throws DelosError bad-archive
 */
export async function* tarEntries(source: AsyncIterable<Uint8Array>, limits: Partial<TarLimits> = {}): AsyncGenerator<StreamedEntry> {
  const events = tarEvents(source, limits);
  try {
    for (;;) {
      const { value, done } = await events.next();
      if (done === true) return;
      if (typeof value === 'object' && 'entry' in value) yield Object.assign(value.entry, { data: () => dataOf(events) });
    }
  } finally {
    await events.return(undefined);
  }
}

async function* dataOf(events: AsyncGenerator<Event>): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { value, done } = await events.next();
    if (done === true || value === 'end') return;
    if ('bytes' in value) yield value.bytes;
  }
}

async function* tarEvents(source: AsyncIterable<Uint8Array>, limits: Partial<TarLimits>): AsyncGenerator<Event> {
  let queue: (Event | { readonly zeros: number })[] = [];
  let size = 0;
  let at = 0;
  const fill = (to: number): void => {
    if (to > at) queue.push({ zeros: to - at });
    at = to;
  };
  const reader = new TarReader({
    entry(entry) {
      queue.push({ entry });
      size = entry.size;
      at = 0;
    },
    data(bytes, offset) {
      fill(offset);
      queue.push({ bytes });
      at += bytes.length;
    },
    end() {
      fill(size);
      queue.push('end');
    },
  }, limits);
  for await (const chunk of source) {
    reader.push(chunk);
    for (const event of queue) {
      if (event === 'end' || !('zeros' in event)) yield event;
      else for (let left = event.zeros; left > 0; left -= ZEROS.length) yield { bytes: ZEROS.subarray(0, Math.min(left, ZEROS.length)) };
    }
    queue = [];
  }
  reader.finish();
}
