import { Crash } from './mapping.ts';

export interface Entry {
  readonly kind: 'made' | 'released';
  /** The structure or mapping by its name: `KvmVm`, `guest_memory`. */
  readonly what: string;
}

/** Everything a program allocates and releases, in order. It can also let one allocation fail. */
export class Ledger {
  readonly entries: Entry[] = [];
  readonly #live = new Map<object, { readonly what: string; readonly gone: () => void }>();
  readonly #failing: number;
  #attempts = 0;

  /** @param failing which allocation fails, the first being 0; none by default */
  constructor(failing = -1) {
    this.#failing = failing;
  }

  /** What was made and not released yet. */
  get leaks(): string[] {
    return [...this.#live.values()].map(({ what }) => what);
  }

  /** Whether the allocation that was to fail has been asked for. */
  get refused(): boolean {
    return this.#failing >= 0 && this.#attempts > this.#failing;
  }

  /** Asked before each allocation. */
  refuses(): boolean {
    return this.#attempts++ === this.#failing;
  }

  /** @param gone called when it is released */
  made(what: string, resource: object, gone: () => void): void {
    this.#live.set(resource, { what, gone });
    this.entries.push({ kind: 'made', what });
  }

  /** @throws Crash for what was never made, or is gone already */
  released(resource: object): void {
    const known = this.#live.get(resource);
    if (known === undefined) throw new Crash('release of what is not allocated');
    this.#live.delete(resource);
    this.entries.push({ kind: 'released', what: known.what });
    known.gone();
  }
}
