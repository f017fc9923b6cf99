import fs from 'node:fs';
import path from 'node:path';
import type { ImageDefaults } from '../everyday/facts.ts';
import { DelosError } from '../lib/errors.ts';
import type { Overlay } from '../oci/field.ts';
import { readInside } from '../sys/read-inside.ts';

/** What `image` stands for. */
export type Image =
  | { readonly kind: 'root'; readonly defaults: ImageDefaults; readonly overlay?: Overlay }
  | { readonly kind: 'bundle'; readonly folder: string };

/** Looks an image up. @throws DelosError bad-usage when there is no such folder */
export function findImage(image: string): Image {
  if (image === 'host') return { kind: 'root', defaults: defaultsOf('/'), overlay: { lowers: ['/'] } };
  const folder = path.resolve(image);
  if (!fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new DelosError('bad-usage', `image ${JSON.stringify(image)}: expected 'host', a root file system or a bundle, there is no folder ${folder}`);
  }
  if (fs.existsSync(path.join(folder, 'config.json'))) return { kind: 'bundle', folder };
  return { kind: 'root', defaults: defaultsOf(folder) };
}

function defaultsOf(rootfs: string): ImageDefaults {
  return { rootfs, passwd: imageText(rootfs, 'etc/passwd'), group: imageText(rootfs, 'etc/group') };
}

interface Read {
  readonly version: string;
  readonly text: string;
}

const read = new Map<string, Read>();

/** A file of an image, '' when there is none or a symlink leads out of the image. It is read again when it has changed. */
function imageText(rootfs: string, name: string): string {
  const file = path.join(rootfs, name);
  const stat = fs.lstatSync(file, { throwIfNoEntry: false });
  if (stat === undefined || !(stat.isFile() || stat.isSymbolicLink())) return '';
  const version = `${stat.dev} ${stat.ino} ${stat.mtimeMs} ${stat.size}`;
  let known = read.get(file);
  if (known?.version !== version || stat.isSymbolicLink()) read.set(file, (known = { version, text: readInside(rootfs, name) }));
  return known.text;
}
