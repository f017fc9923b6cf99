import fs from 'node:fs';
import path from 'node:path';
import { errnoOf } from '../cgroup/control-file.ts';
import { releaseImage } from '../images/holds.ts';
import { openStore } from '../images/store.ts';
import { DelosError } from '../lib/errors.ts';
import { lockContainer } from '../runtime/lock.ts';
import { removeIfAbandoned } from './abandoned.ts';
import { writeAtomically } from '../lib/atomic-file.ts';
import type { Container } from './container.ts';
import { nameTaken, releaseName, takeName } from './name-links.ts';
import { removeTree } from './remove-tree.ts';
import { containersFolder, fileOf, volumesFolder, type Places } from './places.ts';

/**
 * Makes the container's folder with its name, and hands both over to be filled. What `fill` throws undoes it all. The folder is locked
 * meanwhile, so that others see whether somebody still is at it.
 * @param name a function that proposes names for a container nobody named
 * @throws DelosError exists for a name in use
 */
export async function addContainer(
  places: Places, id: string, name: string | (() => string), fill: (name: string) => Promise<Container>,
): Promise<Container> {
  const folder = fileOf(places, id);
  // Others may pass through it, into the folders that let them.
  fs.mkdirSync(containersFolder(places), { recursive: true, mode: 0o711 });
  using _ = await makeLocked(places, id);
  let taken = typeof name === 'string' ? name : name();
  try {
    while (!(await takeName(places, taken, id))) {
      if (typeof name === 'string') throw nameTaken(places, name);
      taken = name();
    }
    const container = await fill(taken);
    writeContainer(places, container);
    return container;
  } catch (error) {
    releaseName(places, taken, id);
    await removeTree(folder);
    throw error;
  }
}

/** A listing that sees the folder in the moment before it is locked takes it for abandoned and removes it. Then there is another. */
async function makeLocked(places: Places, id: string): Promise<Disposable> {
  for (;;) {
    fs.mkdirSync(fileOf(places, id), { mode: 0o700 });
    try {
      return await lockContainer(containersFolder(places), id);
    } catch (error) {
      if (!(error instanceof DelosError && error.code === 'not-found')) throw error;
    }
  }
}

export function writeContainer(places: Places, container: Container): void {
  writeAtomically(fileOf(places, container.id, 'container.json'), `${JSON.stringify(container)}\n`);
}

/** A container by its whole id, or nothing. @throws DelosError io for a container.json that cannot be read */
export function readContainer(places: Places, id: string): Container | undefined {
  const file = fileOf(places, id, 'container.json');
  try {
    const container = JSON.parse(fs.readFileSync(file, 'utf8')) as Partial<Container>;
    if (container.version !== 1 || container.id !== id || typeof container.name !== 'string') throw new Error('it is no record of a container');
    return container as Container;
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'ENOTDIR') return undefined;
    throw new DelosError('io', `${file}: cannot be read: ${errnoOf(cause) ?? (cause as Error).message}`, { cause });
  }
}

/** All containers, the newest first. */
export function listContainers(places: Places): Container[] {
  const found = folderNames(containersFolder(places)).flatMap((id) => {
    const container = readContainer(places, id);
    // Nobody waits for it, and the next listing tries again.
    if (container === undefined) void removeIfAbandoned(places, id).catch(() => undefined);
    return container ?? [];
  });
  return found.toSorted((a, b) => (a.created < b.created ? 1 : -1));
}

/** Changes the record while no other command changes it. @throws DelosError not-found, wrong-state */
export async function changeContainer(places: Places, id: string, change: (container: Container) => Container): Promise<Container> {
  using _ = await lockContainer(containersFolder(places), id);
  const container = readContainer(places, id);
  if (container === undefined) throw new DelosError('not-found', `no such container: ${id}`);
  const changed = change(container);
  writeContainer(places, changed);
  return changed;
}

/** Removes all files of a container that does not run, its name last but one and its folder last. */
export async function removeFiles(places: Places, container: Container): Promise<void> {
  for (const volume of container.anonymousVolumes) fs.rmSync(path.join(volumesFolder(places), volume), { recursive: true, force: true });
  releaseName(places, container.name, container.id);
  if (container.manifest !== undefined) releaseImage(openStore(places.data), container.id);
  // First the record: what is left by a process killed here is removed by the next listing.
  fs.rmSync(fileOf(places, container.id, 'container.json'), { force: true });
  await removeTree(fileOf(places, container.id));
}

function folderNames(folder: string): string[] {
  try {
    return fs.readdirSync(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}
