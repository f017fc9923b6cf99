import { DelosError } from '../lib/errors.ts';
import type { Digest } from '../registry/digest.ts';
import { Foreign } from '../registry/foreign.ts';
import { platformOf } from '../registry/manifest.ts';
import { formatPlatform, platformMatch, type Platform } from '../registry/platform.ts';

/** How to see whether a container is well. Times are in nanoseconds, as in the image; what is absent is up to who runs it. */
export interface Healthcheck {
  /** `['NONE']`, `['CMD', program, ...]` or `['CMD-SHELL', line]`; empty: inherited. */
  readonly test: readonly string[];
  readonly interval?: number;
  readonly timeout?: number;
  readonly startPeriod?: number;
  readonly startInterval?: number;
  readonly retries?: number;
}

/** What an image wants to be run with: `config` of the OCI image configuration, and docker's additions. */
export interface ImageDefaults {
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  /** `NAME=value`. */
  readonly env: readonly string[];
  /** `user`, `uid`, `user:group`, `uid:gid`; empty: root. */
  readonly user: string;
  /** Empty: the root folder. */
  readonly workingDir: string;
  /** Absolute paths. */
  readonly volumes: readonly string[];
  /** `80/tcp`. */
  readonly exposedPorts: readonly string[];
  readonly stopSignal?: string;
  readonly healthcheck?: Healthcheck;
  readonly labels: Readonly<Record<string, string>>;
  /** For lines of a Dockerfile. */
  readonly shell?: readonly string[];
  readonly onBuild: readonly string[];
}

export interface HistoryEntry {
  readonly created?: string;
  readonly createdBy?: string;
  readonly author?: string;
  readonly comment?: string;
  /** It made no layer. */
  readonly emptyLayer: boolean;
}

/** An image's configuration: the OCI image specification's config.md. */
export interface ImageConfig {
  readonly platform: Platform;
  /** RFC 3339. */
  readonly created?: string;
  readonly author?: string;
  readonly defaults: ImageDefaults;
  /** The digests of the unpacked layers, the lowest first. */
  readonly diffIds: readonly Digest[];
  readonly history: readonly HistoryEntry[];
}

// Far above what images have, far below what would hurt.
const mostItems = 10_000;

/**
 * Reads an image's configuration.
 * @param document what it is, for messages
 * @throws DelosError bad-image that names the place
 */
export function parseImageConfig(bytes: Uint8Array, document: string): ImageConfig {
  const json = Foreign.parse(bytes, document);
  const rootfs = json.get('rootfs');
  if (rootfs.get('type').optionalString() !== 'layers') throw rootfs.get('type').wrong('"layers"');
  return {
    platform: platformOf(json), ...texts(json, { created: 'created', author: 'author' }), defaults: defaultsOf(json.get('config')),
    diffIds: rootfs.get('diff_ids').list(mostItems).map((item) => item.digest()),
    history: json.get('history').list(mostItems).map(historyEntry),
  };
}

/** @throws DelosError bad-image for an image that was made for another platform */
export function checkPlatform({ platform }: ImageConfig, wanted: Platform, document: string): void {
  const named = platform.os !== '' && platform.architecture !== '';
  if (named && platformMatch(platform, wanted) === 0) {
    throw new DelosError('bad-image', `${document} was made for ${formatPlatform(platform)}, not for ${formatPlatform(wanted)}`);
  }
}

function defaultsOf(json: Foreign): ImageDefaults {
  if (!json.present) return { env: [], user: '', workingDir: '', volumes: [], exposedPorts: [], labels: {}, onBuild: [] };
  const [entrypoint, cmd, shell, health] = [strings(json.get('Entrypoint')), strings(json.get('Cmd')), strings(json.get('Shell')), json.get('Healthcheck')];
  const stopSignal = json.get('StopSignal').optionalString();
  return {
    ...(entrypoint !== undefined && { entrypoint }), ...(cmd !== undefined && { cmd }), env: environment(json.get('Env')),
    user: text(json.get('User')), workingDir: text(json.get('WorkingDir')),
    volumes: json.get('Volumes').entries(mostItems).map(([name, value]) => absolute(name, value)),
    exposedPorts: json.get('ExposedPorts').entries(mostItems).map(([name, value]) => port(name, value)),
    ...(stopSignal !== undefined && stopSignal !== '' && { stopSignal: signal(stopSignal, json.get('StopSignal')) }),
    ...(health.present && { healthcheck: healthcheck(health) }),
    labels: Object.fromEntries(json.get('Labels').entries(mostItems).map(([name, value]) => [name, value.string()])),
    ...(shell !== undefined && { shell }), onBuild: strings(json.get('OnBuild')) ?? [],
  };
}

function strings(json: Foreign): string[] | undefined {
  return json.present ? json.list(mostItems).map((item) => item.cString()) : undefined;
}

function text(json: Foreign): string {
  return json.present ? json.cString() : '';
}

function environment(json: Foreign): string[] {
  return json.list(mostItems).map((item) => {
    if (!/^[^=]+(=|$)/.test(item.cString())) throw item.wrong('NAME=value');
    return item.string();
  });
}

function absolute(name: string, value: Foreign): string {
  if (!name.startsWith('/') || name.includes('\0')) throw value.wrong('an absolute path for a name');
  return name;
}

function port(name: string, value: Foreign): string {
  const [, number = '', protocol] = /^(\d{1,5})(?:-\d{1,5})?(?:\/(tcp|udp|sctp))?$/.exec(name) ?? [];
  if (number === '' || Number(number) > 65535) throw value.wrong('a port for a name, such as 80/tcp');
  return protocol === undefined ? `${name}/tcp` : name;
}

function signal(name: string, place: Foreign): string {
  if (!/^[A-Za-z0-9+-]{1,20}$/.test(name)) throw place.wrong('the name or number of a signal');
  return name;
}

const healthTimes = { interval: 'Interval', timeout: 'Timeout', startPeriod: 'StartPeriod', startInterval: 'StartInterval', retries: 'Retries' } as const;

function healthcheck(json: Foreign): Healthcheck {
  const times = Object.entries(healthTimes).flatMap(([ours, theirs]) => (json.get(theirs).present ? [[ours, json.get(theirs).size()] as const] : []));
  return { test: strings(json.get('Test')) ?? [], ...Object.fromEntries(times) };
}

function historyEntry(json: Foreign): HistoryEntry {
  const empty = json.get('empty_layer');
  return {
    ...texts(json, { created: 'created', createdBy: 'created_by', author: 'author', comment: 'comment' }), emptyLayer: empty.present && empty.boolean(),
  };
}

/** Those of the strings that are there, under our names. */
function texts<Name extends string>(json: Foreign, names: Readonly<Record<Name, string>>): Partial<Record<Name, string>> {
  const found = Object.entries<string>(names).flatMap(([ours, theirs]) => {
    const value = json.get(theirs).optionalString();
    return value === undefined ? [] : [[ours, value] as const];
  });
  return Object.fromEntries(found) as Partial<Record<Name, string>>;
}
