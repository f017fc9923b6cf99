import fs from 'node:fs';
import path from 'node:path';
import type { RootSource } from '../../containers/container.ts';
import type { Places } from '../../containers/places.ts';
import { askedDriver, chooseDriver } from '../../images/driver.ts';
import { openStore } from '../../images/store.ts';
import { DelosError } from '../../lib/errors.ts';
import type { Config } from '../../oci/config/types.ts';
import type { Digest } from '../../registry/digest.ts';
import { readConfig } from '../../runtime/prepare.ts';
import { readInside } from '../../sys/read-inside.ts';
import type { ImageDefaults } from '../../everyday/facts.ts';
import type { ImageWishes } from './stored-image.ts';

/** What a container is made from. */
export interface Image {
  /** `host`, an absolute folder, or the name of an image in the store. */
  readonly reference: string;
  readonly root: RootSource;
  /** The folders whose files the container finds first, the uppermost first. */
  readonly folders: readonly string[];
  /** An OCI bundle's configuration: what no flag says is as it says. */
  readonly bundle?: Config;
  /** Of an image in the store: its manifest, and what it says about its containers. */
  readonly stored?: { readonly manifest: Digest; readonly defaults: Omit<ImageDefaults, 'rootfs' | 'passwd' | 'group'>; readonly volumes: readonly string[]; readonly exposedPorts: readonly string[] };
}

/**
 * `host` is this machine's root file system; a path is a folder that is a root file system, or an OCI bundle; all else is the name of an
 * image, which is pulled when it is not here. But of a bundle, the container gets a copy-on-write view: to change the folder itself,
 * mount it with `-v` or make it a bundle.
 * @throws DelosError not-found for a folder that is none; what pulling throws
 */
export async function openImage(reference: string, places: Places, wishes: ImageWishes): Promise<Image> {
  // The layer cannot lie inside the folder it is a layer over, so what is written to the host's root goes to a tmpfs.
  if (reference === 'host') return { reference, root: { kind: 'overlay', lowers: ['/'], kept: false }, folders: ['/'] };
  if (/^(\/|\.\.?(\/|$))/.test(reference)) return folderImage(realFolder(reference), places);
  const { openStoredImage } = await import('./stored-image.ts');
  return openStoredImage(reference, places, wishes);
}

async function folderImage(folder: string, { data }: Places): Promise<Image> {
  if (fs.existsSync(path.join(folder, 'config.json'))) {
    const bundle = readConfig(folder);
    return { reference: folder, root: { kind: 'folder' }, folders: [path.resolve(folder, bundle.root?.path ?? '')], bundle };
  }
  const kept = !`${data}/`.startsWith(`${folder === '/' ? '' : folder}/`);
  if (kept && (askedDriver() ?? await chooseDriver(openStore(data).root)).driver === 'vfs') {
    return { reference: folder, root: { kind: 'copy', lowers: [folder] }, folders: [folder] };
  }
  return { reference: folder, root: { kind: 'overlay', lowers: [folder], kept }, folders: [folder] };
}

function realFolder(reference: string): string {
  try {
    const folder = fs.realpathSync(reference);
    if (fs.statSync(folder).isDirectory()) return folder;
  } catch (cause) {
    throw new DelosError('not-found', `${reference}: expected a folder with a root file system or an OCI bundle: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
  throw new DelosError('not-found', `${reference}: expected a folder with a root file system or an OCI bundle, found a file`);
}

/** What the image says about its containers. @param rootfs where the container's root is going to be */
export function imageDefaults({ folders, bundle, stored }: Image, rootfs: string): ImageDefaults {
  const files = { passwd: readUppermost(folders, 'etc/passwd'), group: readUppermost(folders, 'etc/group') };
  if (stored !== undefined) return { rootfs, ...files, ...stored.defaults };
  const process = bundle?.process;
  if (process === undefined) return { rootfs, cmd: ['/bin/sh'], ...files };
  const { uid = 0, gid = 0 } = process.user ?? {};
  return {
    rootfs, ...files,
    ...(process.args !== undefined && { cmd: process.args }),
    ...(process.env !== undefined && { env: process.env }),
    workingDir: process.cwd,
    user: `${uid}:${gid}`,
  };
}

/** A file as the stack of folders shows it; empty when there is none. A character device 0:0 says that it was deleted, overlayfs(5). */
function readUppermost(folders: readonly string[], name: string): string {
  for (const folder of folders) {
    const text = readInside(folder, name);
    if (text !== '') return text;
    const found = fs.lstatSync(path.join(folder, name), { throwIfNoEntry: false });
    if (found?.isCharacterDevice() === true && found.rdev === 0) return '';
  }
  return '';
}
