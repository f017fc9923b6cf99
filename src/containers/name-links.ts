import fs from 'node:fs';
import path from 'node:path';
import { errnoOf } from '../cgroup/control-file.ts';
import { DelosError } from '../lib/errors.ts';
import { removeIfAbandoned } from './abandoned.ts';
import { namesFolder, type Places } from './places.ts';

/** Takes a name for a container, whose folder must be there. Of several that try at once, one succeeds. Gives whether it did. */
export async function takeName(places: Places, name: string, id: string): Promise<boolean> {
  const folder = namesFolder(places);
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (;;) {
    try {
      fs.symlinkSync(id, path.join(folder, name));
      return true;
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
    const owner = ownerOf(places, name);
    if (owner === undefined) continue;
    if (!(await removeIfAbandoned(places, owner))) return false;
    // Left by a process that was killed while it made or removed a container.
    releaseName(places, name, owner);
  }
}

/** Gives the name up, if it is this container's. */
export function releaseName(places: Places, name: string, id: string): void {
  if (ownerOf(places, name) === id) fs.rmSync(path.join(namesFolder(places), name), { force: true });
}

/** The id of the container that has the name. */
export function ownerOf(places: Places, name: string): string | undefined {
  try {
    return fs.readlinkSync(path.join(namesFolder(places), name));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The refusal of a name that another container has. */
export function nameTaken(places: Places, name: string): DelosError {
  const owner = ownerOf(places, name)?.slice(0, 12) ?? 'another one';
  return new DelosError('exists', `the container name '${name}' is in use by container ${owner}: remove or rename that one first`);
}
