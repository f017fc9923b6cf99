import fs from 'node:fs';
import path from 'node:path';
import { hasBlob } from '../images/blobs.ts';
import { namesIn, readIfThere, writeDurably } from '../images/durable.ts';
import { tryLockFile } from '../images/file-lock.ts';
import type { Lease } from '../images/lease.ts';
import { chainIds, hasLayer } from '../images/layers.ts';
import type { ImageStore } from '../images/store.ts';
import { hexOf, type Digest } from '../registry/digest.ts';
import type { BuiltLayer } from './state.ts';

/** What a step came to before. */
export interface CachedStep {
  readonly version: 1;
  /** RFC 3339. */
  readonly created: string;
  /** Absent for a step that changed no file. */
  readonly layer?: BuiltLayer;
  /** Of the layer with all below it. */
  readonly chain?: Digest;
}

/**
 * The steps of earlier builds, by all that they depend on: `build/HEX` in the store's folder. A record holds nothing in the store: it is
 * worth something only as long as its layer is there.
 */
export class StepCache {
  readonly #store: ImageStore;
  readonly #lease: Lease;

  constructor(store: ImageStore, lease: Lease) {
    this.#store = store;
    this.#lease = lease;
    fs.mkdirSync(this.#folder(), { recursive: true, mode: 0o700 });
  }

  /** @param below the diffIDs of the layers below the step */
  async find(key: Digest, below: readonly Digest[]): Promise<CachedStep | undefined> {
    const found = recordOf(readIfThere(this.#file(key)));
    if (found === undefined) return undefined;
    const { layer } = found;
    if (layer === undefined) return found;
    const chain = chainIds([...below, layer.diffId]).at(-1) as Digest;
    // First held, then looked for: it may be on its way out.
    await this.#lease.add(layer.blob.digest, chain);
    return hasBlob(this.#store, layer.blob.digest) && hasLayer(this.#store, chain) ? found : undefined;
  }

  keep(key: Digest, step: Omit<CachedStep, 'version' | 'chain'>, below: readonly Digest[]): void {
    const chain = step.layer === undefined ? undefined : chainIds([...below, step.layer.diffId]).at(-1) as Digest;
    writeDurably(this.#file(key), `${JSON.stringify({ version: 1, ...step, ...(chain !== undefined && { chain }) } satisfies CachedStep)}\n`);
  }

  /** Removes records of layers that are there no more, and what killed builds have left. */
  sweep(): void {
    for (const name of namesIn(this.#folder())) {
      const file = path.join(this.#folder(), name);
      // A record on its way to its name is written in no time.
      if (name.startsWith('.')) removeIfOld(file);
      else if (/^[0-9a-f]{64}$/.test(name) && !this.#isWorth(readIfThere(file))) fs.rmSync(file, { force: true });
    }
  }

  #isWorth(text: string | undefined): boolean {
    const found = recordOf(text);
    return found !== undefined && (found.chain === undefined || hasLayer(this.#store, found.chain));
  }

  #folder(): string {
    return path.join(this.#store.root, 'build');
  }

  #file(key: Digest): string {
    return path.join(this.#folder(), hexOf(key));
  }
}

/** One that is damaged, or of another version, is none. */
function recordOf(text: string | undefined): CachedStep | undefined {
  if (text === undefined) return undefined;
  try {
    const found = JSON.parse(text) as Partial<CachedStep>;
    return found.version === 1 && typeof found.created === 'string' ? found as CachedStep : undefined;
  } catch {
    return undefined;
  }
}

const oldMs = 60_000;

function removeIfOld(file: string): void {
  const found = fs.statSync(file, { throwIfNoEntry: false });
  if (found === undefined || Date.now() - found.mtimeMs < oldMs) return;
  using lock = tryLockFile(file);
  if (lock !== undefined) fs.rmSync(file, { force: true });
}
