import fs from 'node:fs';
import path from 'node:path';
import type { RootSource } from '../../containers/container.ts';
import { readInside } from '../../sys/read-inside.ts';
import { DelosError } from '../../lib/errors.ts';
import type { Config } from '../../oci/config/types.ts';
import { readConfig } from '../../runtime/prepare.ts';
import type { ImageDefaults } from '../../everyday/facts.ts';

/** What a container is made from. */
export interface Image {
  /** `host`, or an absolute folder. */
  readonly reference: string;
  readonly root: RootSource;
  /** The folder whose files the container finds first. */
  readonly folder: string;
  /** An OCI bundle's configuration: what no flag says is as it says. */
  readonly bundle?: Config;
}

/**
 * `host` is this machine's root file system; a path is a folder that is a root file system, or an OCI bundle. Of the first two the
 * container gets a copy-on-write view: to change the folder itself, mount it with `-v` or make it a bundle.
 * @throws DelosError unsupported for anything else, not-found for a folder that is none
 */
export function openImage(reference: string, data: string): Image {
  // The layer cannot lie inside the folder it is a layer over, so what is written to the host's root goes to a tmpfs.
  if (reference === 'host') return { reference, root: { kind: 'overlay', lowers: ['/'], kept: false }, folder: '/' };
  if (!/^(\/|\.\.?(\/|$))/.test(reference)) {
    throw new DelosError('unsupported', `there is no image '${reference}': an image is host, a root file system or an OCI bundle (a path such as ./rootfs); registries come with a later version`);
  }
  const folder = realFolder(reference);
  if (fs.existsSync(path.join(folder, 'config.json'))) {
    const bundle = readConfig(folder);
    return { reference: folder, root: { kind: 'folder' }, folder: path.resolve(folder, bundle.root?.path ?? ''), bundle };
  }
  return { reference: folder, root: { kind: 'overlay', lowers: [folder], kept: !`${data}/`.startsWith(`${folder === '/' ? '' : folder}/`) }, folder };
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
export function imageDefaults({ folder, bundle }: Image, rootfs: string): ImageDefaults {
  const files = { passwd: readInside(folder, 'etc/passwd'), group: readInside(folder, 'etc/group') };
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

