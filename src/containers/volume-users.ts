import fs from 'node:fs';
import { DelosError } from '../lib/errors.ts';
import type { Config } from '../oci/config/types.ts';
import { lockContainer, tryLock } from '../runtime/lock.ts';
import { listRecords } from '../runtime/store.ts';
import { readContainer } from './catalogue.ts';
import { containersFolder, fileOf, volumesFolder, type Places } from './places.ts';

/** The names of the containers that mount each volume, by the volume's name; those that do not run count. */
export type VolumeUsers = ReadonlyMap<string, readonly string[]>;

/** As they are when all that are being made are there: what those mount is known then. */
export async function volumeUsers(places: Places): Promise<VolumeUsers> {
  for (const id of beingMade(places)) await whenMade(places, id);
  return usersNow(places);
}

/** Those of this moment. */
export function usersNow(places: Places): VolumeUsers {
  const users = new Map<string, string[]>();
  const note = (config: Pick<Config, 'mounts'>, user: string): void => {
    for (const volume of volumesIn(places, config)) users.set(volume, [...new Set([...(users.get(volume) ?? []), user])]);
  };
  for (const id of folderNames(containersFolder(places))) {
    const container = readContainer(places, id);
    if (container !== undefined) note(configOf(places, id), container.name);
  }
  // Those of the library have no folder there.
  for (const entry of listRecords(places.run)) if ('record' in entry && readContainer(places, entry.id) === undefined) note(entry.record.config, entry.id);
  return users;
}

/** The ids of containers that somebody is making: he holds the lock, and there is no record yet. */
export function beingMade(places: Places): string[] {
  return folderNames(containersFolder(places)).filter((id) => readContainer(places, id) === undefined && isLocked(fileOf(places, id)));
}

function isLocked(folder: string): boolean {
  let descriptor: number | undefined;
  try {
    descriptor = fs.openSync(folder, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
    return !tryLock(descriptor);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return false;
  } finally {
    if (descriptor !== undefined) fs.closeSync(descriptor);
  }
}

function volumesIn(places: Places, { mounts = [] }: Pick<Config, 'mounts'>): string[] {
  const folder = `${volumesFolder(places)}/`;
  return mounts.flatMap(({ source = '' }) => (source.startsWith(folder) ? source.slice(folder.length).split('/')[0] ?? [] : []));
}

/** Its config.json, of which nothing is needed but what Delos itself has written. */
function configOf(places: Places, id: string): Pick<Config, 'mounts'> {
  const file = fileOf(places, id, 'config.json');
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')) as Config;
  } catch (cause) {
    // It was removed a moment ago.
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new DelosError('io', `${file}: cannot be read: ${(cause as Error).message}`, { cause });
  }
}

/** Whoever makes it holds its lock. */
async function whenMade(places: Places, id: string): Promise<void> {
  try {
    using _ = await lockContainer(containersFolder(places), id);
  } catch (error) {
    if (!(error instanceof DelosError) || error.code !== 'not-found') throw error;
  }
}

function folderNames(folder: string): string[] {
  return fs.existsSync(folder) ? fs.readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name) : [];
}
