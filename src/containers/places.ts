import os from 'node:os';
import path from 'node:path';
import { defaultRoot } from '../runtime/store.ts';

/** Where everything about containers is kept. */
export interface Places {
  /** What lasts: a folder for each container, their names, volumes. Absolute. */
  readonly data: string;
  /** What runs: the folder of src/runtime/store.ts. Gone after a reboot. Absolute. */
  readonly run: string;
}

/** /var/lib/delos and /run/delos for root, folders of their own for other users (XDG base directories). */
export function defaultPlaces(): Places {
  const isRoot = (process.geteuid?.() ?? 0) === 0;
  const home = process.env['XDG_DATA_HOME'] || path.join(os.homedir(), '.local/share');
  return { data: isRoot ? '/var/lib/delos' : path.join(home, 'delos'), run: defaultRoot() };
}

/** The folder that holds the containers' folders. */
export function containersFolder({ data }: Places): string {
  return path.join(data, 'containers');
}

/** The folder of the names: a symbolic link each, from the name to the id. */
export function namesFolder({ data }: Places): string {
  return path.join(data, 'names');
}

export function volumesFolder({ data }: Places): string {
  return path.join(data, 'volumes');
}

/**
 * The files of one container's folder, which is its OCI bundle too.
 *
 * - `container.json`: {@link Container}
 * - `config.json`: the OCI configuration it was created with
 * - `rootfs`: an empty folder that the root is mounted over
 * - `layer`: `upper` and `work` of its overlay, if what it writes is kept
 * - `etc`: files bound over those of the image
 * - `log`, `attach`, `exit`: native/monitor.c
 */
export function fileOf(places: Places, id: string, ...names: readonly string[]): string {
  return path.join(containersFolder(places), id, ...names);
}
