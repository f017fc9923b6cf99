import fs from 'node:fs';
import path from 'node:path';
import { fillVolume } from '../../containers/fill-volume.ts';
import { fileOf, type Places } from '../../containers/places.ts';
import type { HostFacts } from '../../everyday/facts.ts';
import type { RunOptions } from '../../everyday/flags.ts';
import { everydaySources, everydayVolumes, type Volume } from '../../everyday/mounts.ts';
import { copyTree } from '../../layers/copy-tree.ts';
import { DelosError } from '../../lib/errors.ts';
import type { Config } from '../../oci/config/types.ts';
import { idOutside } from './id-mapping.ts';
import type { Image } from './image.ts';

/** Whom the container's root is outside; undefined when it is no other, or nothing can be given to it. */
function rootIds({ linux }: Config): [uid: number, gid: number] | undefined {
  const [uid, gid] = [linux?.uidMappings, linux?.gidMappings].map((mapped) => mapped?.find(({ containerID }) => containerID === 0)?.hostID);
  return process.geteuid?.() === 0 && uid !== undefined && gid !== undefined ? [uid, gid] : undefined;
}

/** A volume that is there stays as it is. A copy has the ids of the image, which are nobody's in a container with others. */
async function makeVolume({ path: folder, target, copies }: Volume, lowers: readonly string[] | string, scratch: string, ids: readonly [number, number] | undefined): Promise<void> {
  if (fs.existsSync(folder)) return;
  fs.mkdirSync(folder, { recursive: true, mode: 0o755 });
  if (ids !== undefined) return fs.chownSync(folder, ...ids);
  if (!copies || lowers.length === 0 || process.geteuid?.() !== 0) return;
  try {
    await fillVolume(lowers, target, folder, scratch);
  } catch (error) {
    fs.rmSync(folder, { recursive: true });
    throw error;
  }
}

/** What the container's root writes to must belong to it, whatever id it has outside. */
export function giveLayers(places: Places, id: string, config: Config): void {
  const layer = fileOf(places, id, 'layer');
  const ids = rootIds(config);
  if (ids === undefined) return;
  const [uid, gid] = ids;
  // It has to find its root.
  fs.chmodSync(fileOf(places, id), 0o711);
  if (!fs.existsSync(layer)) return;
  for (const name of fs.readdirSync(layer, { recursive: true, encoding: 'utf8' })) fs.chownSync(path.join(layer, name), uid, gid);
}

/** Folders that must be there before the container is: its root, its layer, volumes, and the sources that `-v` makes. */
export async function makeFolders(places: Places, options: RunOptions, host: HostFacts, { root, reference }: Image, config: Config): Promise<void> {
  if (root.kind === 'copy') await copyRoot(fileOf(places, options.id, 'rootfs'), root.lowers, config);
  if (root.kind === 'overlay') {
    const folders = root.kept ? ['rootfs', 'layer/upper', 'layer/work'] : ['rootfs'];
    for (const folder of folders) fs.mkdirSync(fileOf(places, options.id, folder), { recursive: true, mode: 0o755 });
  }
  const copied = root.kind === 'copy' ? fileOf(places, options.id, 'rootfs') : [];
  const lowers = root.kind === 'overlay' && reference !== 'host' ? root.lowers : copied;
  for (const volume of everydayVolumes(options, host)) await makeVolume(volume, lowers, fileOf(places, options.id, 'copy'), rootIds(config));
  for (const source of everydaySources(options, host)) makeSource(source);
}

/** The container's own root. In a user namespace it belongs to that, as nothing maps its ids. */
export async function copyRoot(rootfs: string, [lower]: readonly string[], { linux }: Config): Promise<void> {
  fs.mkdirSync(rootfs, { recursive: true, mode: 0o755 });
  const { uidMappings: uids = [], gidMappings: gids = [] } = linux ?? {};
  const owner = (uid: number, gid: number): readonly [number, number] => [idOutside(uids, uid), idOutside(gids, gid)];
  if (lower === undefined) fs.mkdirSync(path.join(path.dirname(rootfs), 'empty'), { mode: 0o755 });
  else await copyTree(lower, rootfs, process.geteuid?.() === 0 ? { owner } : {});
}

function makeSource(source: string): void {
  try {
    if (!fs.existsSync(source)) fs.mkdirSync(source, { recursive: true });
  } catch (cause) {
    throw new DelosError('io', `--volume ${source}: the folder cannot be made: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
}
