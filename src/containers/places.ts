import fs from 'node:fs';
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

/**
 * /var/lib/delos and /run/delos for root, folders of their own for other users (XDG base directories). A user who has no runtime
 * folder, as without a login session, gets one beside the data; what a reboot leaves in it is known by its start times.
 */
export function defaultPlaces(): Places {
  const run = defaultRoot();
  if ((process.geteuid?.() ?? 0) === 0) return { data: '/var/lib/delos', run };
  const data = path.join(process.env['XDG_DATA_HOME'] || path.join(os.homedir(), '.local/share'), 'delos');
  return { data, run: fs.existsSync(path.dirname(run)) ? run : path.join(data, 'run') };
}

/** The folder that holds the containers' folders. */
export function containersFolder({ data }: Places): string {
  return path.join(data, 'containers');
}

/** The folder of the names: a symbolic link each, from the name to the id. */
export function namesFolder({ data }: Places): string {
  return path.join(data, 'names');
}

/** The networks, with the leases of their containers: src/network/store.ts. */
export function networksFolder({ data }: Places): string {
  return path.join(data, 'networks');
}

export function volumesFolder({ data }: Places): string {
  return path.join(data, 'volumes');
}

/**
 * The files of one container's folder, which is its OCI bundle too.
 *
 * - `container.json`: {@link Container}
 * - `config.json`: the OCI configuration it was created with
 * - `rootfs`: an empty folder that the root is mounted over, or the root itself
 * - `layer`: `upper` and `work` of its overlay, if what it writes is kept
 * - `empty`: what a copied root without layers is compared with
 * - `etc`: files bound over those of the image
 * - `log`, `attach`, `exit`: native/monitor.c
 */
export function fileOf(places: Places, id: string, ...names: readonly string[]): string {
  return path.join(containersFolder(places), id, ...names);
}
