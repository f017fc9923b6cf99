import fs from 'node:fs';
import path from 'node:path';
import type { NetworkWish } from '../containers/network-wish.ts';
import { volumesFolder, type Places } from '../containers/places.ts';
import { makeVolume } from '../containers/volumes.ts';
import { everydayConfig, everydayWarnings } from '../everyday/config.ts';
import { everydayVolumes, type Volume } from '../everyday/mounts.ts';
import { randomId } from '../vocabulary/names.ts';
import { DelosError } from '../lib/errors.ts';
import type { Config, Process } from '../oci/config/types.ts';
import { call, type Item } from '../plan/step.ts';
import { prepare, readConfig, type Prepared } from '../runtime/prepare.ts';
import type { CreateRequest } from '../runtime/requests.ts';
import { defaultRoot, removeFolder, requireFree, reserve } from '../runtime/store.ts';
import { Connection, etcFilesOf } from './connection.ts';
import { bytesOf, everydayOptions, variable } from './flags.ts';
import { libraryHost } from './host.ts';
import { findImage, type Image } from './image.ts';
import { wishOf } from './network-options.ts';
import type { ContainerOptions } from './options.ts';
import { placesOf } from './places.ts';
import { readyFile } from './readiness.ts';

/** A container as it was asked for, ready to be planned; nothing has been done yet. */
export interface Wanted {
  readonly request: CreateRequest;
  readonly prepared: Prepared;
  readonly places: Places;
  readonly connection: Connection;
  /** The names of those it mounts; they may have to be made. */
  readonly volumes: readonly string[];
  /** It waits until it is told to start: for start(), or until it is connected. */
  readonly held: boolean;
}

/**
 * Turns options into a configuration and gathers the facts.
 * @param waits it waits for start()
 * @throws DelosError bad-usage, bad-id, exists, bad-config, unsupported, io
 */
export function describe(options: ContainerOptions, waits: boolean): Wanted {
  const { id = randomId(), root = defaultRoot() } = options;
  if (options.id !== undefined) requireFree(root, id);
  const image = findImage(options.image);
  const places = placesOf(options.store);
  const { config, wish, volumes = [] } = image.kind === 'bundle' ? { config: bundleConfig(options, readConfig(image.folder)) } : everyday(options, image, root, id);
  const held = waits || wish !== undefined;
  const request: CreateRequest = {
    id, root, systemdCgroup: false, preserveFds: 0, noPivot: false, noNewKeyring: false,
    bundle: image.kind === 'bundle' ? image.folder : '/',
    ...(image.kind === 'root' && image.overlay && { overlay: image.overlay }),
    ...(held && { pidFile: readyFile(root, id) }),
  };
  const prepared = prepare({ ...request, config }, held);
  // Mounted at `/` itself, it would have the root of this machine beside it in one place, where who joins the namespace comes out.
  const rootfs = request.overlay === undefined ? prepared.request.rootfs : path.join(root, id, 'rootfs');
  const sources = {
    ...prepared.facts.sources, ...(wish && Object.fromEntries(Object.values(etcFilesOf(root, id)).map((file) => [file, 'file' as const]))),
    ...Object.fromEntries(volumes.map((volume) => [volume.path, 'directory' as const])),
  };
  return {
    request, held, places, connection: new Connection(places, root, id, wish), volumes: volumes.map(({ name }) => name),
    // Not all of them are there yet.
    prepared: { ...prepared, request: { ...prepared.request, rootfs }, facts: { ...prepared.facts, sources } },
  };
}

/** Removes the folder of a copy-on-write root, so that who runs the plan finds the container's own empty. */
export function rootRemoval({ request, prepared }: Wanted): Item[] {
  if (request.overlay === undefined) return [];
  return [call('rmdir', [prepared.request.rootfs], 'nothing of the container is left', { accept: { any: 'next' } })];
}

/** Takes the container's id, with the folder that belongs to it and what has to be in there. @returns the folder @throws DelosError exists, io */
export function reserveFolder({ request, prepared, connection, places, volumes }: Wanted): string {
  const folder = reserve(request.root, prepared.record);
  try {
    if (request.overlay !== undefined) fs.mkdirSync(prepared.request.rootfs);
    connection.makeFiles();
    for (const name of volumes) makeVolume(places, { name, labels: {}, anonymous: false });
  } catch (error) {
    removeFolder(request.root, request.id);
    throw error;
  }
  return folder;
}

function everyday(options: ContainerOptions, image: Image & { readonly kind: 'root' }, root: string, id: string): { config: Config; wish?: NetworkWish; volumes: Volume[] } {
  const wanted = everydayOptions(options, id);
  const wish = wishOf(wanted);
  const host = { ...libraryHost(), volumeRoot: volumesFolder(placesOf(options.store)), etcFiles: wish === undefined ? {} : etcFilesOf(root, id) };
  const [warning] = everydayWarnings(wanted, host);
  if (warning !== undefined) throw new DelosError('unsupported', warning);
  const config = everydayConfig(wanted, image.defaults, host);
  return {
    config: typeof options.seccomp === 'object' ? { ...config, linux: { ...config.linux, seccomp: options.seccomp } } : config,
    ...(wish !== undefined && { wish }), volumes: everydayVolumes(wanted, host),
  };
}

/** What may be said beside a bundle, whose configuration says the rest. */
const besideBundle: ReadonlySet<string> = new Set<keyof ContainerOptions>(['image', 'id', 'root', 'command', 'env', 'cwd', 'memory', 'pids', 'readonly', 'hostname', 'seccomp']);
const processKeys: readonly string[] = ['stdin', 'stdout', 'stderr', 'timeoutMs', 'maxOutputBytes'];

function bundleConfig(options: ContainerOptions, config: Config): Config {
  const foreign = Object.keys(options).find((key) => !besideBundle.has(key) && !processKeys.includes(key));
  if (foreign !== undefined) throw new DelosError('bad-usage', `${foreign}: a bundle's config.json says it`);
  const { linux = {} } = config;
  const memory = bytesOf(options.memory);
  return {
    ...config,
    process: processBeside(config.process, options),
    ...(options.hostname !== undefined && { hostname: options.hostname }),
    ...(options.readonly !== undefined && config.root && { root: { ...config.root, readonly: options.readonly } }),
    linux: {
      ...linux,
      ...(typeof options.seccomp === 'object' && { seccomp: options.seccomp }),
      resources: {
        ...linux.resources,
        ...(memory !== undefined && { memory: { ...linux.resources?.memory, limit: memory } }),
        ...(options.pids !== undefined && { pids: { limit: options.pids } }),
      },
    },
  };
}

/** A process like another, with what is said otherwise. */
export function processBeside(process: Process | undefined, { command, env = {}, cwd }: Pick<ContainerOptions, 'command' | 'env' | 'cwd'>): Process {
  const named = Object.entries(env).map(([name, value]) => variable(name, value));
  const kept = (process?.env ?? []).filter((entry) => !Object.hasOwn(env, entry.slice(0, Math.max(entry.indexOf('='), 0))));
  return {
    cwd: '/', ...process, terminal: false,
    env: [...kept, ...named],
    ...(command !== undefined && { args: command }),
    ...(cwd !== undefined && { cwd }),
  };
}
