import fs from 'node:fs';
import path from 'node:path';
import { errnoOf } from '../cgroup/control-file.ts';
import { writeAtomically } from '../lib/atomic-file.ts';
import { DelosError } from '../lib/errors.ts';
import { volumeEvent } from './events.ts';
import { volumesFolder, type Places } from './places.ts';
import { removeTree } from './remove-tree.ts';
import { beingMade, usersNow, volumeUsers, type VolumeUsers } from './volume-users.ts';

/** A folder that outlives the containers that mount it. One that `-v NAME:/path` has made is no other than one of `volume create`. */
export interface Volume {
  /** Letters, digits, `_`, `.` and `-`, two at least. */
  readonly name: string;
  /** The folder that containers see. Absolute. */
  readonly mountpoint: string;
  /** ISO 8601. */
  readonly created: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Nobody named it. */
  readonly anonymous: boolean;
}

/** `volume.json` beside the volume's `_data`. Those that `run` makes have none. */
interface VolumeFile {
  readonly created: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly anonymous?: boolean;
}

/** How volumes are called that containers make for themselves: by the container's id and their place among its mounts. */
const anonymousName = /^[0-9a-f]{64}-\d+$/;

function folderOf(places: Places, name: string): string {
  return path.join(volumesFolder(places), name);
}

/** A volume's name is also that of a folder. @throws DelosError bad-usage */
export function checkVolumeName(name: string): void {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,254}$/.test(name)) return;
  throw new DelosError('bad-usage', `a volume's name has two letters at least, digits, '_', '.' or '-' among them, and begins with a letter or a digit: ${JSON.stringify(name)}`);
}

/** How a volume is to be. */
export interface VolumeWish {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Nobody named it. */
  readonly anonymous: boolean;
}

/** Makes a volume. One that is there stays as it is: so docker has it. @throws DelosError bad-usage, io */
export function makeVolume(places: Places, { name, labels, anonymous }: VolumeWish): Volume {
  checkVolumeName(name);
  const folder = folderOf(places, name);
  const isNew = !fs.existsSync(path.join(folder, '_data'));
  try {
    fs.mkdirSync(path.join(folder, '_data'), { recursive: true, mode: 0o755 });
    const file: VolumeFile = { created: new Date().toISOString(), labels, ...(anonymous && { anonymous }) };
    if (isNew) writeAtomically(path.join(folder, 'volume.json'), `${JSON.stringify(file)}\n`);
  } catch (cause) {
    throw new DelosError('io', `volume ${name}: ${folder} cannot be made: ${errnoOf(cause) ?? String(cause)}`, { cause });
  }
  if (isNew) volumeEvent(places, 'create', name);
  return findVolume(places, name);
}

/** @throws DelosError no-volume, bad-usage */
export function findVolume(places: Places, name: string): Volume {
  checkVolumeName(name);
  const volume = readVolume(places, name);
  if (volume === undefined) throw new DelosError('no-volume', `there is no volume ${name}`);
  return volume;
}

/** All volumes, by name. */
export function listVolumes(places: Places): Volume[] {
  const names = fs.existsSync(volumesFolder(places)) ? fs.readdirSync(volumesFolder(places)).toSorted() : [];
  return names.map((name) => readVolume(places, name)).filter((volume) => volume !== undefined);
}

function readVolume(places: Places, name: string): Volume | undefined {
  const folder = folderOf(places, name);
  const mountpoint = path.join(folder, '_data');
  const stat = fs.statSync(mountpoint, { throwIfNoEntry: false });
  if (stat === undefined || name.startsWith('.')) return undefined;
  const file = readFile(path.join(folder, 'volume.json'));
  return { name, mountpoint, created: file?.created ?? stat.birthtime.toISOString(), labels: file?.labels ?? {}, anonymous: file?.anonymous ?? anonymousName.test(name) };
}

/** One that was cut off by the machine's end counts for none. */
function readFile(file: string): VolumeFile | undefined {
  try {
    const parsed = JSON.parse(fs.readFileSync(file, 'utf8')) as Partial<VolumeFile>;
    return typeof parsed.created === 'string' && typeof parsed.labels === 'object' ? (parsed as VolumeFile) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Where a volume is while it is looked whether somebody uses it. No volume is called so. */
function asideOf(places: Places, name: string): string {
  return folderOf(places, `.removed-${name}`);
}

/**
 * Removes a volume that no container uses. It is put aside first, and put back when somebody has begun to make a container in that moment.
 * @throws DelosError no-volume, volume-in-use, bad-usage, io
 */
export async function removeVolume(places: Places, name: string): Promise<void> {
  findVolume(places, name);
  const [folder, aside] = [folderOf(places, name), asideOf(places, name)];
  await finishRemoval(places, name);
  for (let isAside = false; !isAside; isAside = putAside(places, folder, aside)) refuseUsed(await volumeUsers(places), name);
  await removeTree(aside);
  volumeEvent(places, 'destroy', name);
}

/** False when somebody is making a container, who may want it. */
function putAside(places: Places, folder: string, aside: string): boolean {
  if (beingMade(places).length > 0) return false;
  try {
    fs.renameSync(folder, aside);
  } catch (cause) {
    const name = path.basename(folder);
    if (errnoOf(cause) === 'ENOENT') throw new DelosError('no-volume', `there is no volume ${name}`, { cause });
    throw new DelosError('io', `volume ${name}: ${folder} cannot be removed: ${errnoOf(cause) ?? String(cause)}`, { cause });
  }
  if (beingMade(places).length === 0 && !usersNow(places).has(path.basename(folder))) return true;
  fs.renameSync(aside, folder);
  return false;
}

function refuseUsed(users: VolumeUsers, name: string): void {
  const [user] = users.get(name) ?? [];
  if (user !== undefined) throw new DelosError('volume-in-use', `volume ${name} is used by container ${user}: remove that first`);
}

/** Removes what a removal that was killed has put aside, or puts it back. @throws DelosError io */
async function finishRemoval(places: Places, name: string): Promise<void> {
  const [folder, aside] = [folderOf(places, name), asideOf(places, name)];
  if (!fs.existsSync(aside)) return;
  if ((await volumeUsers(places)).has(name) && !fs.existsSync(folder)) fs.renameSync(aside, folder);
  else await removeTree(aside);
}

/**
 * Removes volumes that no container uses, and what a removal that was killed has left.
 * @param accept which of them
 * @returns those that are gone
 */
export async function pruneVolumes(places: Places, accept: (volume: Volume) => boolean): Promise<Volume[]> {
  await finishRemovals(places);
  const users = await volumeUsers(places);
  const removed: Volume[] = [];
  for (const volume of listVolumes(places).filter((one) => accept(one) && !users.has(one.name))) {
    try {
      await removeVolume(places, volume.name);
      removed.push(volume);
    } catch (error) {
      // Somebody uses it now, or has removed it.
      if (!(error instanceof DelosError) || (error.code !== 'volume-in-use' && error.code !== 'no-volume')) throw error;
    }
  }
  return removed;
}

async function finishRemovals(places: Places): Promise<void> {
  const names = fs.existsSync(volumesFolder(places)) ? fs.readdirSync(volumesFolder(places)) : [];
  for (const name of names.flatMap((file) => /^\.removed-(.*)$/.exec(file)?.[1] ?? [])) await finishRemoval(places, name);
}
