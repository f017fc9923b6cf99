import fs from 'node:fs';
import path from 'node:path';
import { CLONE_NEWNS, CLONE_NEWUSER } from '../abi/clone.ts';
import { AT_FDCWD, O_CLOEXEC, O_WRONLY } from '../abi/fcntl.ts';
import { MS_PRIVATE, MS_REC } from '../abi/mount.ts';
import { DelosError } from '../lib/errors.ts';
import { cell } from '../plan/block.ts';
import { encode } from '../plan/encode.ts';
import { call, type Item } from '../plan/step.ts';
import { spawned } from '../runtime/place.ts';
import { readIfThere, writeDurably } from './durable.ts';
import { lockNew } from './file-lock.ts';
import { removeFolder } from './remove-folder.ts';

/** How root file systems are made of layers: stacked by the kernel's overlayfs, or each a whole copy, known by podman's name. */
export type Driver = 'overlay' | 'vfs';

export const drivers: readonly Driver[] = ['overlay', 'vfs'];

/** What a store uses, and why. */
export interface DriverChoice {
  readonly driver: Driver;
  /** For a person. */
  readonly reason: string;
}

function choiceFile(root: string): string {
  return path.join(root, 'driver.json');
}

/** What was chosen for a store; nothing as long as no layer was unpacked there. @param root of the store */
export function knownDriver(root: string): DriverChoice | undefined {
  const text = readIfThere(choiceFile(root));
  if (text === undefined) return undefined;
  try {
    const { driver, reason = '' } = JSON.parse(text) as Partial<DriverChoice>;
    if (driver !== undefined && drivers.includes(driver)) return { driver, reason };
  } catch {
    // Told below.
  }
  throw new DelosError('io', `${choiceFile(root)}: expected the storage driver, overlay or vfs`);
}

/** The driver that the environment asks for, as podman's does. @throws DelosError bad-usage */
export function askedDriver(): DriverChoice | undefined {
  const asked = process.env['STORAGE_DRIVER'];
  if (asked === undefined || asked === '') return undefined;
  const driver = drivers.find((known) => known === asked);
  if (driver === undefined) throw new DelosError('bad-usage', `the storage driver ${JSON.stringify(asked)}: expected overlay or vfs`);
  return { driver, reason: 'it was asked for' };
}

/** Chooses for a store, once for all: overlay where it can be mounted over what lies there, and written to. */
export async function chooseDriver(root: string): Promise<DriverChoice> {
  const known = knownDriver(root);
  if (known !== undefined) return known;
  const refusal = await tryOverlay(root);
  const choice: DriverChoice = refusal === undefined
    ? { driver: 'overlay', reason: 'it can be mounted and written to here' }
    : { driver: 'vfs', reason: `an overlay cannot be used here (${refusal})` };
  writeDurably(choiceFile(root), `${JSON.stringify(choice)}\n`);
  return choice;
}

/**
 * Mounts an overlay of folders of this store in a namespace of its own, and hides a file in it.
 * @returns nothing when all went well, else the call that was refused, and its errno
 */
async function tryOverlay(root: string): Promise<string | undefined> {
  const { file, lock } = lockNew(path.join(root, 'unpacking', 'trial'), '.lock');
  const folder = file.replace(/\.lock$/, '');
  try {
    for (const name of ['lower', 'upper', 'work', 'root']) fs.mkdirSync(path.join(folder, name), { recursive: true });
    fs.writeFileSync(path.join(folder, 'lower/file'), '');
    await spawned.run(encode({ sections: [{ name: 'trial', items: trialSteps(folder) }] }), 0);
    return undefined;
  } catch (error) {
    if (!(error instanceof DelosError)) throw error;
    const { call: refused = '', errno } = error.detail;
    // Where no namespace can be made there are no containers, and nothing is known of overlays.
    return refused === 'mount' || refused === 'unlinkat' ? `${refused}: ${errno}` : undefined;
  } finally {
    // An overlay makes a folder that even its owner may not enter.
    await removeFolder(folder);
    fs.rmSync(file, { force: true });
    lock[Symbol.dispose]();
  }
}

function trialSteps(folder: string): Item[] {
  const why = 'trial';
  const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
  return [
    ...(uid === 0 ? [call('unshare', [CLONE_NEWNS], why)] : ownNamespace(uid, gid)),
    call('mount', [0, '/', 0, MS_REC | MS_PRIVATE, 0], why),
    call('chdir', [folder], why),
    call('mount', ['overlay', 'root', 'overlay', 0, `lowerdir=lower,upperdir=upper,workdir=work${uid === 0 ? '' : ',userxattr'}`], why),
    // Some file systems let it be mounted and then hold no whiteout.
    call('unlinkat', [AT_FDCWD, 'root/file', 0], why),
    call('exit_group', [0], why),
  ];
}

/** A user namespace in which an ordinary user is root, as his containers have it at least. */
function ownNamespace(uid: number, gid: number): Item[] {
  const file = cell('id map');
  const write = (name: string, text: string): Item[] => [
    call('openat', [AT_FDCWD, `/proc/self/${name}`, O_WRONLY | O_CLOEXEC, 0], 'trial', { out: file }),
    call('write', [file, text, text.length], 'trial'),
    call('close', [file], 'trial'),
  ];
  return [
    call('unshare', [CLONE_NEWUSER | CLONE_NEWNS], 'trial'),
    ...write('uid_map', `0 ${uid} 1`), ...write('setgroups', 'deny'), ...write('gid_map', `0 ${gid} 1`),
  ];
}
