import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoOf } from '../cgroup/control-file.ts';
import { eventsFile, type EventRecord } from './events.ts';
import type { Places } from './places.ts';

/** An event as it was read, and the line it was read from. */
export interface ReadEvent {
  readonly record: EventRecord;
  readonly line: string;
}

const CHUNK = 65536;

/** One of the files, from where it was last read. */
class Tail implements Disposable {
  readonly inode: number;
  readonly #descriptor: number;
  #rest = Buffer.alloc(0) as Buffer;
  #offset: number;

  constructor(descriptor: number, offset = 0) {
    this.#descriptor = descriptor;
    this.#offset = offset;
    this.inode = fs.fstatSync(descriptor).ino;
  }

  /** All whole lines that have come since. One that is no event, as a crash may leave it, is passed over. */
  read(): ReadEvent[] {
    const events: ReadEvent[] = [];
    const chunk = Buffer.alloc(CHUNK);
    for (let length = -1; length !== 0;) {
      length = fs.readSync(this.#descriptor, chunk, 0, CHUNK, this.#offset);
      this.#offset += length;
      const bytes = Buffer.concat([this.#rest, chunk.subarray(0, length)]);
      const end = bytes.lastIndexOf(10) + 1;
      this.#rest = bytes.subarray(end);
      events.push(...bytes.toString('utf8', 0, end).split('\n').flatMap(parse));
    }
    return events;
  }

  [Symbol.dispose](): void {
    fs.closeSync(this.#descriptor);
  }
}

function parse(line: string): ReadEvent[] {
  try {
    const record = JSON.parse(line) as Partial<EventRecord>;
    const isEvent = typeof record.Type === 'string' && typeof record.Action === 'string' && typeof record.timeNano === 'number' && typeof record.Actor?.ID === 'string';
    return isEvent ? [{ record: record as EventRecord, line }] : [];
  } catch {
    return [];
  }
}

export interface ReadOptions {
  /** Those that are kept too, not only those to come. */
  readonly past: boolean;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/** The events that are kept, and those that happen until it is ended, in the order in which they were written. */
export async function* readEvents(places: Places, { past, signal }: ReadOptions): AsyncGenerator<ReadEvent> {
  const folder = path.dirname(eventsFile(places, 'current'));
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Watched before it is read: nothing falls between.
  using bell = new Bell(folder, signal);
  using tails = openTails(places, past);
  do {
    // What came before the end is still told.
    const isLast = signal.aborted;
    yield* tails.read();
    if (isLast) return;
  } while (await bell.rung());
  yield* tails.read();
}

/** The files that are read: the current one, and before it the former one, to which a slow writer may still add. */
class Tails implements Disposable {
  readonly #places: Places;
  #open: Tail[];

  constructor(places: Places, open: Tail[]) {
    this.#places = places;
    this.#open = open;
  }

  read(): ReadEvent[] {
    const events = this.#open.flatMap((tail) => tail.read());
    const current = openFile(eventsFile(this.#places, 'current'));
    if (current === undefined) return events;
    if (current.inode === this.#open.at(-1)?.inode) {
      current[Symbol.dispose]();
      return events;
    }
    return [...events, ...this.#moveOn(current)];
  }

  /** It was rotated, perhaps twice; and more was perhaps written to the last one before that. */
  #moveOn(current: Tail): ReadEvent[] {
    const last = this.#open.at(-1);
    const former = openFile(eventsFile(this.#places, 'former'));
    const isMissed = former !== undefined && former.inode !== last?.inode && last !== undefined;
    if (!isMissed) former?.[Symbol.dispose]();
    const events = [last, isMissed ? former : undefined, current].flatMap((tail) => tail?.read() ?? []);
    const kept = isMissed ? former : last;
    for (const tail of this.#open) if (tail !== kept) tail[Symbol.dispose]();
    this.#open = kept === undefined ? [current] : [kept, current];
    return events;
  }

  [Symbol.dispose](): void {
    for (const tail of this.#open) tail[Symbol.dispose]();
  }
}

function openTails(places: Places, past: boolean): Tails {
  for (;;) {
    const current = openFile(eventsFile(places, 'current'), !past);
    const former = past ? openFile(eventsFile(places, 'former')) : undefined;
    const files = [former, current].filter((tail) => tail !== undefined);
    if (former === undefined || former.inode !== current?.inode) return new Tails(places, files);
    // It was rotated between the two.
    for (const tail of files) tail[Symbol.dispose]();
  }
}

function openFile(file: string, atEnd = false): Tail | undefined {
  try {
    const descriptor = fs.openSync(file, 'r');
    return new Tail(descriptor, atEnd ? fs.fstatSync(descriptor).size : 0);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Where inotify cannot be had, or has lost something, it is looked after all the same. */
const POLL_MS = 1000;

/** Says when something in a folder has changed. inotify(7) */
class Bell implements Disposable {
  readonly #signal: AbortSignal;
  readonly #watcher: fs.FSWatcher | undefined;
  #hasRung = false;
  #ring: () => void = () => undefined;

  constructor(folder: string, signal: AbortSignal) {
    this.#signal = signal;
    this.#watcher = watcherOf(folder)?.on('change', () => {
      this.#hasRung = true;
      this.#ring();
    }).on('error', () => undefined);
  }

  /** Waits for a change since it was last asked. Gives false when it is all over. */
  async rung(): Promise<boolean> {
    if (this.#signal.aborted) return false;
    if (!this.#hasRung) {
      const changed = new Promise<void>((resolve) => (this.#ring = resolve));
      const stop = new AbortController();
      await Promise.race([changed, sleep(POLL_MS, undefined, { signal: AbortSignal.any([this.#signal, stop.signal]) }).catch(() => undefined)]);
      stop.abort();
    }
    this.#hasRung = false;
    return !this.#signal.aborted;
  }

  [Symbol.dispose](): void {
    this.#watcher?.close();
  }
}

/** A user's number of watches may be used up. */
function watcherOf(folder: string): fs.FSWatcher | undefined {
  try {
    return fs.watch(folder);
  } catch {
    return undefined;
  }
}
