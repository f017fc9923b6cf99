import { findVolume, listVolumes, makeVolume, pruneVolumes, removeVolume, type Volume } from '../containers/volumes.ts';
import { randomId } from '../vocabulary/names.ts';
import { placesOf } from './places.ts';

/** Where volumes are kept. */
export interface VolumeStoreOptions {
  /** Default: where the command keeps them, /var/lib/delos or `~/.local/share/delos`. */
  readonly store?: string;
}

/** How a volume is to be. */
export interface VolumeOptions extends VolumeStoreOptions {
  readonly labels?: Readonly<Record<string, string>>;
}

/** Folders that outlive the containers that mount them: `mounts: [{ volume: 'data', target: '/data' }]`. The command uses them too. */
export const volumes = {
  /** Makes one; one that is there stays as it is. @param name 64 hexadecimal digits if not said @throws DelosError bad-usage, io */
  async create(name?: string, { labels = {}, store }: VolumeOptions = {}): Promise<Volume> {
    return makeVolume(placesOf(store), { name: name ?? randomId(), labels, anonymous: name === undefined });
  },

  /** All volumes, by name. */
  async list({ store }: VolumeStoreOptions = {}): Promise<Volume[]> {
    return listVolumes(placesOf(store));
  },

  /** @throws DelosError no-volume, bad-usage */
  async inspect(name: string, { store }: VolumeStoreOptions = {}): Promise<Volume> {
    return findVolume(placesOf(store), name);
  },

  /** Removes one that no container mounts. @throws DelosError no-volume, volume-in-use, bad-usage, io */
  async remove(name: string, { store }: VolumeStoreOptions = {}): Promise<void> {
    await removeVolume(placesOf(store), name);
  },

  /** Removes those that no container mounts. @param options `all`: those with a name, too @returns what is gone @throws DelosError io */
  async prune({ all = false, store }: VolumeStoreOptions & { readonly all?: boolean } = {}): Promise<Volume[]> {
    return pruneVolumes(placesOf(store), ({ anonymous }) => all || anonymous);
  },
} as const;
