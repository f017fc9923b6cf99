import { createFlags, type CreateFlags } from '../everyday/flags.ts';
import type { RunOptions as EverydayOptions } from '../everyday/flags.ts';
import type { Flag } from '../vocabulary/flags.ts';
import { parseSize } from '../vocabulary/units.ts';
import { DelosError } from '../lib/errors.ts';
import type { BindMount, ContainerOptions, VolumeMount } from './options.ts';

/** The flags of `delos run` when none is given. */
const none = Object.fromEntries(createFlags.map((flag: Flag) => [flag.name, flag.default ?? absent(flag)])) as CreateFlags;

function absent({ type }: Flag): false | readonly string[] | undefined {
  if (type === 'bool') return false;
  return type === 'list' ? [] : undefined;
}

/** The options in the words of `delos run`, so that both make the same container of the same wish. @throws DelosError bad-usage */
export function everydayOptions(options: ContainerOptions, id: string): EverydayOptions {
  const { user, cwd, cpus, pids, hostname, ip, ip6, macAddress } = options;
  return {
    ...none,
    id,
    command: options.command ?? [],
    env: Object.entries(options.env ?? {}).map(([name, value]) => variable(name, value)),
    mount: (options.mounts ?? []).map(mountText),
    tmpfs: [...(options.tmpfs ?? [])],
    'read-only': options.readonly ?? false,
    network: options.network ?? 'none',
    publish: [...(options.publish ?? [])],
    'network-alias': [...(options.networkAliases ?? [])],
    'add-host': Object.entries(options.addHosts ?? {}).map(([name, address]) => `${name}=${address}`),
    dns: [...(options.dns ?? [])],
    'dns-search': [...(options.dnsSearch ?? [])],
    'dns-option': [...(options.dnsOptions ?? [])],
    ...(ip !== undefined && { ip }),
    ...(ip6 !== undefined && { ip6 }),
    ...(macAddress !== undefined && { 'mac-address': macAddress }),
    'cap-add': [...(options.capAdd ?? [])],
    'cap-drop': [...(options.capDrop ?? [])],
    'security-opt': ['no-new-privileges', ...(options.seccomp === undefined || options.seccomp === 'default' ? [] : ['seccomp=unconfined'])],
    memory: bytesOf(options.memory),
    ...(user !== undefined && { user }),
    ...(cwd !== undefined && { workdir: cwd }),
    ...(cpus !== undefined && { cpus }),
    ...(pids !== undefined && { 'pids-limit': pids }),
    ...(hostname !== undefined && { hostname }),
  };
}

/** Bytes of `512m` or of a number. @throws DelosError bad-usage */
export function bytesOf(size: number | string | undefined): number | undefined {
  if (typeof size === 'string') return parseSize(size);
  if (size === undefined || (Number.isSafeInteger(size) && size >= 0)) return size;
  throw new DelosError('bad-usage', `memory: expected bytes or a text such as '512m', found ${size}`);
}

/** @throws DelosError bad-usage for a name that could not be one */
export function variable(name: string, value: string): string {
  if (name === '' || name.includes('=') || name.includes('\0') || value.includes('\0')) {
    throw new DelosError('bad-usage', `env: expected a name without '=' and a value, both without NUL, found ${JSON.stringify(name)}`);
  }
  return `${name}=${value}`;
}

/** A line of CSV, as `--mount` takes it. */
function mountText(mount: BindMount | VolumeMount): string {
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const [type, source] = 'volume' in mount ? ['volume', mount.volume] : ['bind', mount.source];
  return [`type=${type}`, quoted(`source=${source}`), quoted(`target=${mount.target}`), ...(mount.readonly ? ['readonly'] : [])].join(',');
}
