import { everydayConfig, everydayWarnings } from '../everyday/config.ts';
import { randomId } from '../vocabulary/names.ts';
import { DelosError } from '../lib/errors.ts';
import type { Config, Process } from '../oci/config/types.ts';
import { prepare, readConfig, type Prepared } from '../runtime/prepare.ts';
import type { CreateRequest } from '../runtime/requests.ts';
import { defaultRoot, requireFree } from '../runtime/store.ts';
import { bytesOf, everydayOptions, variable } from './flags.ts';
import { libraryHost } from './host.ts';
import { findImage, type Image } from './image.ts';
import type { ContainerOptions } from './options.ts';

/** A container as it was asked for, ready to be planned; nothing has been done yet. */
export interface Wanted {
  readonly request: CreateRequest;
  readonly prepared: Prepared;
}

/**
 * Turns options into a configuration and gathers the facts.
 * @param held it waits for start()
 * @throws DelosError bad-usage, bad-id, exists, bad-config, unsupported, io
 */
export function describe(options: ContainerOptions, held: boolean): Wanted {
  const { id = randomId(), root = defaultRoot() } = options;
  if (options.id !== undefined) requireFree(root, id);
  const image = findImage(options.image);
  const request: CreateRequest = {
    id, root, systemdCgroup: false, preserveFds: 0, noPivot: false, noNewKeyring: false,
    bundle: image.kind === 'bundle' ? image.folder : '/',
    ...(image.kind === 'root' && image.overlay && { overlay: image.overlay }),
    ...(held && { pidFile: readyFile(root, id) }),
  };
  return { request, prepared: prepare(request, held, configOf(options, image, id)) };
}

/** A fifo in the container's folder: the pid is written to it when the container is built. */
export function readyFile(root: string, id: string): string {
  return `${root}/${id}/ready`;
}

function configOf(options: ContainerOptions, image: Image, id: string): Config {
  if (image.kind === 'bundle') return bundleConfig(options, readConfig(image.folder));
  const host = libraryHost();
  const wanted = everydayOptions(options, id);
  const [warning] = everydayWarnings(wanted, host);
  if (warning !== undefined) throw new DelosError('unsupported', warning);
  const config = everydayConfig(wanted, image.defaults, host);
  return typeof options.seccomp === 'object' ? { ...config, linux: { ...config.linux, seccomp: options.seccomp } } : config;
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
