import { isAbsolute, posix, resolve } from 'node:path';
import type { Mount, RootfsPropagation } from '../oci/config/types.ts';
import type { MountFlag } from '../vocabulary/mount-flag.ts';
import { parseMount, parseTmpfs, parseVolume } from '../vocabulary/mount-flag.ts';
import type { HostFacts } from './facts.ts';
import type { RunOptions } from './flags.ts';
import type { NamespaceModes } from './namespaces.ts';
import { badFlags } from './refusal.ts';
import type { Mappings } from './user-namespace.ts';
import { isMapped } from './user-namespace.ts';

const SHM_SIZE = 64 * 1024 * 1024;
const TTY_GID = 5;

/** What the standard mounts depend on. */
interface Surroundings {
  readonly options: RunOptions;
  readonly host: HostFacts;
  readonly modes: NamespaceModes;
  readonly mappings: Mappings | undefined;
}

/** The whole of `mounts`: docker's standard ones first, without those the user replaces, then the user's, parents before children, then the files of /etc. */
export function mountList(surroundings: Surroundings): Mount[] {
  const asked = userMounts(surroundings);
  const taken = (destination: string): boolean => asked.some((mount) =>
    mount.destination === destination || (mount.destination === '/dev' && destination.startsWith('/dev/')));
  const standard = standardMounts(surroundings).filter((mount) => !taken(mount.destination));
  const generated = Object.entries(surroundings.host.etcFiles)
    .map(([destination, source]): Mount => ({ destination, type: 'bind', source, options: ['rbind', 'rprivate'] }))
    .filter((mount) => !taken(mount.destination));
  // A volume at /etc must not hide them.
  return [...standard, ...initMount(surroundings), ...asked, ...generated];
}

/** Where `--init` finds our init inside. /dev is a tmpfs of ours, so the image need not have the file. */
export const initPath = '/dev/init';

function initMount({ options, host }: Surroundings): Mount[] {
  return options.init && host.init !== undefined
    ? [{ destination: initPath, type: 'bind', source: host.init, options: ['bind', 'ro'] }]
    : [];
}

function standardMounts(surroundings: Surroundings): Mount[] {
  const { options, modes, mappings } = surroundings;
  const access = options.privileged ? 'rw' : 'ro';
  const gid = isMapped(TTY_GID, mappings?.gids) ? [`gid=${TTY_GID}`] : [];
  return [
    procMount(surroundings),
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'] },
    { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', ...gid] },
    // A user namespace may mount a sysfs only of a network namespace it owns.
    mappings !== undefined && modes.network.kind !== 'private'
      ? bound('/sys', access)
      : { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', access] },
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: [access, 'nosuid', 'noexec', 'nodev'] },
    ...ipcMounts(surroundings),
  ];
}

function bound(path: string, access: string): Mount {
  return { destination: path, type: 'bind', source: path, options: ['rbind', 'nosuid', 'noexec', 'nodev', access] };
}

/** A proc shows the PID namespace it was mounted in, and only the owner of that namespace may mount one. */
function procMount({ modes, mappings }: Surroundings): Mount {
  if (mappings !== undefined && modes.pid.kind !== 'private') return bound('/proc', 'rw');
  return { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] };
}

/** POSIX queues belong to the IPC namespace; shared memory is files, so it is shared by sharing the mount. */
function ipcMounts({ options, modes }: Surroundings): Mount[] {
  const mqueue: Mount = { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] };
  if (options.ipc === 'none') return [mqueue];
  if (modes.ipc.kind === 'host') return [bound('/dev/mqueue', 'rw'), bound('/dev/shm', 'rw')];
  const size = options['shm-size'] ?? SHM_SIZE;
  const own: Mount = { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: ['nosuid', 'noexec', 'nodev', 'mode=1777', `size=${size}`] };
  const theirs = modes.ipc.kind === 'joined' ? modes.ipc.container.shm : undefined;
  return [mqueue, theirs === undefined ? own : { ...bound('/dev/shm', 'rw'), source: theirs }];
}

/** A named or anonymous volume to make before the container, unless it is there. */
export interface Volume {
  readonly name: string;
  /** Directory on the host. */
  readonly path: string;
  /** Path inside the container. */
  readonly target: string;
  /** Nobody named it: it goes with the container. */
  readonly anonymous: boolean;
  /** A new one begins with what the image has at its place. */
  readonly copies: boolean;
}

/** The volumes a container uses. Throws `bad-usage`. */
export function everydayVolumes(options: RunOptions, host: HostFacts): Volume[] {
  return mountFlags(options).flatMap((flag, position) => (flag.type === 'volume' ? [volume(flag, position, options, host)] : []));
}

function volume(flag: MountFlag, position: number, options: RunOptions, host: HostFacts): Volume {
  const name = flag.source ?? `${options.id}-${position}`;
  return { name, path: `${host.volumeRoot}/${name}/_data`, target: flag.target, anonymous: flag.source === undefined, copies: flag.nocopy !== true };
}

/** Source directories that `-v` makes when they are missing, absolute. Throws `bad-usage`. */
export function everydaySources(options: RunOptions, host: HostFacts): string[] {
  return mountFlags(options).flatMap((flag) => (flag.createSource === true ? [resolve(host.cwd, flag.source ?? '')] : []));
}

/** Where the flags mount something. Throws `bad-usage`. */
export function mountTargets(options: RunOptions): string[] {
  return mountFlags(options).map(({ target }) => cleanPath(target));
}

function mountFlags(options: RunOptions): MountFlag[] {
  const flags = [...options.volume.map(parseVolume), ...options.mount.map(parseMount), ...options.tmpfs.map(parseTmpfs)];
  const seen = new Set<string>();
  for (const { target } of flags) {
    const path = cleanPath(target);
    if (seen.has(path)) throw badFlags(`two mounts at ${path}`);
    seen.add(path);
  }
  return flags;
}

function cleanPath(path: string): string {
  const clean = posix.normalize(path);
  return clean.length > 1 && clean.endsWith('/') ? clean.slice(0, -1) : clean;
}

function userMounts({ options, host }: Surroundings): Mount[] {
  return mountFlags(options)
    .map((flag, position) => (flag.type === 'tmpfs' ? tmpfsMount(flag) : bindMount(flag, position, options, host)))
    .toSorted((a, b) => depth(a.destination) - depth(b.destination));
}

function depth(path: string): number {
  return path.split('/').length;
}

function bindMount(flag: MountFlag, position: number, options: RunOptions, host: HostFacts): Mount {
  const { source = '' } = flag;
  const path = flag.type === 'volume' ? volume(flag, position, options, host).path : isAbsolute(source) ? cleanPath(source) : resolve(host.cwd, source);
  const hasPropagation = flag.options.some((option) => propagationOf(option) !== undefined);
  return {
    destination: cleanPath(flag.target), type: 'bind', source: path,
    options: [
      flag.nonRecursive === true ? 'bind' : 'rbind',
      ...(hasPropagation ? [] : ['rprivate']),
      ...flag.options.filter((option) => option !== 'rro'),
      ...(flag.readonly ? readonlyOptions(flag, host) : []),
    ],
  };
}

/** Since Linux 5.12 (mount_setattr(2)) a read-only bind covers the mounts below it too, as docker does where it can. */
function readonlyOptions(flag: MountFlag, { kernel: { major, minor } }: HostFacts): string[] {
  const recursive = major > 5 || (major === 5 && minor >= 12);
  return flag.nonRecursive !== true && (recursive || flag.options.includes('rro')) ? ['ro', 'rro'] : ['ro'];
}

/** A tmpfs begins with noexec, nosuid and nodev; each is taken back by its opposite. */
function tmpfsMount(flag: MountFlag): Mount {
  const cautious = ['noexec', 'nosuid', 'nodev'].filter((option) => !flag.options.includes(option.slice(2)) && !flag.options.includes(option));
  return {
    destination: cleanPath(flag.target), type: 'tmpfs', source: 'tmpfs',
    options: [...cautious, ...flag.options, ...(flag.readonly ? ['ro'] : [])],
  };
}

function propagationOf(option: string): 'shared' | 'slave' | 'private' | undefined {
  const bare = option.startsWith('r') ? option.slice(1) : option;
  return bare === 'shared' || bare === 'slave' || bare === 'private' ? bare : undefined;
}

/** Mounts pass between host and a bind only if the root lets them through. */
export function rootPropagation(mounts: readonly Mount[]): RootfsPropagation | undefined {
  const wanted = new Set(mounts.flatMap((mount) => mount.options ?? []).map(propagationOf));
  return wanted.has('shared') ? 'shared' : wanted.has('slave') ? 'rslave' : undefined;
}
