import { exitPlace, type ExitKind, type MachineExit } from './exit.ts';

/** Exits that are counted together. Times in nanoseconds. */
export interface ExitCount {
  readonly kind: ExitKind;
  /** `port 0x3f8`; '' for all places of a kind. */
  readonly place: string;
  /** What answers there. */
  readonly device: string | undefined;
  readonly count: number;
  readonly total: number;
  readonly least: number;
  readonly most: number;
}

/** More places than a person reads, and a guest may touch any number. */
const mostPlaces = 4096;

type Counting = { -readonly [K in keyof ExitCount]: ExitCount[K] };

/** Counts exits by their kind, and by the places that they are about. */
export class ExitTable {
  readonly #kinds = new Map<ExitKind, Counting>();
  readonly #places = new Map<string, Counting>();

  add(exit: MachineExit): void {
    const { kind, nanoseconds, device } = exit;
    count(this.#kinds, kind, { kind, place: '', device: undefined }, nanoseconds);
    const place = exitPlace(exit);
    if (place !== '' && (this.#places.size < mostPlaces || this.#places.has(`${kind} ${place}`))) count(this.#places, `${kind} ${place}`, { kind, place, device }, nanoseconds);
  }

  /** The most frequent first. */
  get kinds(): readonly ExitCount[] {
    return sorted(this.#kinds.values());
  }

  /** The most frequent first; of at most 4096 different ones. */
  get places(): readonly ExitCount[] {
    return sorted(this.#places.values());
  }
}

function count<K>(counts: Map<K, Counting>, key: K, what: Pick<ExitCount, 'kind' | 'place' | 'device'>, nanoseconds: number): void {
  const known = counts.get(key);
  if (known === undefined) {
    counts.set(key, { ...what, count: 1, total: nanoseconds, least: nanoseconds, most: nanoseconds });
    return;
  }
  known.count++;
  known.total += nanoseconds;
  known.least = Math.min(known.least, nanoseconds);
  known.most = Math.max(known.most, nanoseconds);
}

const sorted = (counts: Iterable<Counting>): readonly ExitCount[] => [...counts].sort((a, b) => b.count - a.count);
