import fs from 'node:fs';
import path from 'node:path';
import { addContainer } from '../../containers/catalogue.ts';
import type { Container, RootSource } from '../../containers/container.ts';
import { containerEvent } from '../../containers/events.ts';
import { ownerOf } from '../../containers/name-links.ts';
import { fileOf, type Places } from '../../containers/places.ts';
import { holdImage } from '../../images/holds.ts';
import { openStore } from '../../images/store.ts';
import { usableUserModes } from '../../network/user-mode/program.ts';
import { DelosError } from '../../lib/errors.ts';
import type { Config } from '../../oci/config/types.ts';
import { jsonText } from '../../runtime/json-text.ts';
import { everydayConfig, everydayWarnings } from '../../everyday/config.ts';
import { everydayNeeds, type HostFacts } from '../../everyday/facts.ts';
import type { CreateFlags, RunOptions } from '../../everyday/flags.ts';
import { everydayLifecycle } from '../../everyday/lifecycle.ts';
import { checkNetworkRights, chooseNetwork, networkWish } from '../../everyday/network.ts';
import { everydayVolumes, mountTargets } from '../../everyday/mounts.ts';
import { randomId, randomName } from '../../vocabulary/names.ts';
import { bundleConfig } from './bundle-config.ts';
import { warn } from './context.ts';
import { giveLayers, makeFolders } from './container-folders.ts';
import { writeEtc } from './etc-files.ts';
import { gatherHostFacts } from './host-facts.ts';
import { hostRoot } from './host-root.ts';
import { imageDefaults, openImage, type Image } from './image.ts';

/**
 * Makes a container out of flags, an image and a command: its folder with everything in it, and nothing that runs.
 * @throws DelosError; nothing is left then
 */
export async function makeContainer(places: Places, flags: CreateFlags, [reference = '', ...command]: readonly string[]): Promise<Container> {
  const image = await openImage(reference, places, flags);
  const network = networkFor(flags, image);
  const options = withImageVolumes({ ...flags, network, id: randomId(), command }, image);
  // Read before anything is made, so that a mistake in a flag leaves no trace.
  const { id } = options;
  const lifecycle = everydayLifecycle(flags, imageDefaults(image, ''));
  const wish = networkWish(options, image.stored?.exposedPorts ?? []);
  checkNetworkRights(wish, process.geteuid?.() ?? 0);
  const name = lifecycle.name ?? (() => randomName((taken) => ownerOf(places, taken) !== undefined));
  const made = await addContainer(places, id, name, async (taken) => {
    const host = gatherHostFacts(places, everydayNeeds(options), writeEtc(places, options, image));
    if (!options.quiet) for (const line of everydayWarnings(options, host)) warn(line);
    const config = withHostRoot(places, configOf(places, options, image, host), image);
    await makeFolders(places, options, host, image, config);
    giveLayers(places, id, config);
    if (image.stored !== undefined) await holdImage(openStore(places.data), id, image.stored.manifest);
    fs.writeFileSync(fileOf(places, id, 'config.json'), jsonText(config, 2), { mode: 0o600 });
    writeCidfile(flags.cidfile, id);
    const { kept } = image.root.kind === 'overlay' ? image.root : { kept: false };
    return {
      version: 1, id, name: taken, image: image.reference, ...(image.stored !== undefined && { manifest: image.stored.manifest }), command: config.process?.args ?? [], created: new Date().toISOString(),
      root: rootOf(image, fileOf(places, id, 'skeleton'), kept && !lifecycle.autoRemove),
      networks: wish === undefined ? [] : [wish],
      labels: lifecycle.labels, autoRemove: lifecycle.autoRemove, tty: config.process?.terminal === true, openStdin: lifecycle.interactive,
      stopSignal: lifecycle.stopSignal.number, stopTimeoutSeconds: lifecycle.stopTimeoutSeconds,
      anonymousVolumes: everydayVolumes(options, host).filter(({ anonymous }) => anonymous).map((volume) => volume.name),
      flags: { ...flags, network }, starts: 0,
      ...(lifecycle.restart !== undefined && { restart: lifecycle.restart }), ...(lifecycle.health !== undefined && { health: lifecycle.health }),
    };
  });
  containerEvent(places, made, 'create');
  return made;
}

function networkFor({ network: asked, quiet }: CreateFlags, { stored }: Image): string {
  const uid = process.geteuid?.() ?? 0;
  const chosen = chooseNetwork({ asked, pulled: stored !== undefined, uid, userModes: uid === 0 ? [] : usableUserModes() });
  if (asked !== undefined && asked !== chosen && !quiet) warn(`--network ${asked}: it takes root to connect to a bridge; the container is connected by ${chosen}`);
  return chosen;
}

/** The folders for which the image wants volumes get anonymous ones, unless something else is mounted there. */
function withImageVolumes(options: RunOptions, { stored }: Image): RunOptions {
  const taken = new Set(mountTargets(options));
  const wanted = (stored?.volumes ?? []).filter((target) => !taken.has(target));
  return { ...options, volume: [...options.volume, ...wanted] };
}

/** A skeleton of the host's root takes the place of the root itself where there is one. */
function rootOf({ root }: Image, skeleton: string, kept: boolean): RootSource {
  if (root.kind !== 'overlay') return root;
  return { kind: 'overlay', lowers: fs.existsSync(skeleton) ? [skeleton] : root.lowers, kept };
}

function configOf(places: Places, options: RunOptions, image: Image, host: HostFacts): Config {
  const defaults = imageDefaults(image, fileOf(places, options.id, 'rootfs'));
  const everyday = everydayConfig(options, defaults, host);
  return image.bundle === undefined ? everyday : bundleConfig(image.bundle, image.reference, everyday, options);
}

/** The image `host` for a container with a user namespace of its own. */
function withHostRoot(places: Places, config: Config, { reference }: Image): Config {
  const isMapped = config.linux?.namespaces?.some(({ type }) => type === 'user') ?? false;
  if (reference !== 'host' || !isMapped) return config;
  const id = path.basename(path.dirname(config.root?.path ?? ''));
  const skeleton = fileOf(places, id, 'skeleton');
  const { links, mounts, folders } = hostRoot(fileOf(places, id, 'layer'));
  fs.mkdirSync(skeleton, { mode: 0o755 });
  for (const [name, target] of links) fs.symlinkSync(target, path.join(skeleton, name));
  for (const folder of folders) fs.mkdirSync(folder, { recursive: true, mode: 0o755 });
  return { ...config, mounts: [...mounts, ...(config.mounts ?? [])] };
}

/** `--cidfile`: refused when it is there, as it may belong to another container. */
function writeCidfile(file: string | undefined, id: string): void {
  if (file === undefined) return;
  try {
    fs.writeFileSync(file, id, { flag: 'wx' });
  } catch (cause) {
    throw new DelosError('io', `--cidfile ${file}: cannot be made: ${(cause as NodeJS.ErrnoException).code}`, { cause });
  }
}
