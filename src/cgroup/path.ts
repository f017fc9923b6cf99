import { dirname, join } from 'node:path/posix';
import { DelosError } from '../lib/errors.ts';
import type { CgroupHierarchy, CgroupHost } from './hierarchy.ts';

/** The absolute directories of one container's cgroup, by controller; the key of v2 is `''`. Stored in the container's state. */
export type CgroupPaths = Readonly<Record<string, string>>;

export interface CgroupDirectory {
  readonly hierarchy: CgroupHierarchy;
  /** The container's cgroup relative to the mount point, `/a/b`. */
  readonly path: string;
  /** The same, absolute. */
  readonly directory: string;
  /** Absolute, from below the mount point down to `directory`: what mkdir is called with, in this order. */
  readonly create: readonly string[];
}

export interface PathOptions {
  /** `linux.cgroupsPath` is read as `slice:prefix:name`. */
  readonly systemdCgroup?: boolean;
  /** A rootless container's default slice is the user's. */
  readonly rootless?: boolean;
}

const pointer = '/linux/cgroupsPath';

/**
 * Where the cgroup of container `id` is in every hierarchy of the host.
 *
 * An absolute `cgroupsPath` counts from the mount point. A relative one, or `id` when there is none, counts from the cgroup
 * of this process in v1, and from the parent of that in v2, where a cgroup with processes cannot hand controllers down.
 * @throws DelosError bad-config for a path that leaves its parent or names no cgroup.
 */
export function cgroupDirectories(
  host: CgroupHost, cgroupsPath: string | undefined, id: string, options: PathOptions = {},
): CgroupDirectory[] {
  const path = options.systemdCgroup === true
    ? systemdPath(cgroupsPath ?? '', id, options.rootless === true)
    : checkedPath(cgroupsPath === undefined || cgroupsPath === '' ? id : cgroupsPath);
  return host.hierarchies.map((hierarchy) => {
    const inside = path.startsWith('/') ? path : join(parentOf(hierarchy), path);
    return { hierarchy, path: inside, directory: join(hierarchy.mountPoint, inside), create: chain(hierarchy.mountPoint, inside) };
  });
}

/** The directories by controller, as the container's state keeps them. */
export function cgroupPaths(directories: readonly CgroupDirectory[]): CgroupPaths {
  return Object.fromEntries(directories.flatMap(({ hierarchy, directory }) =>
    (hierarchy.version === 2 ? [''] : hierarchy.controllers).map((controller) => [controller, directory] as const)));
}

/**
 * systemd's directory for the unit of `slice:prefix:name`: `/a.slice/a-b.slice/prefix-name.scope`, systemd.slice(5).
 * An absent text means the default slice, `delos` and the container's id.
 */
export function systemdPath(cgroupsPath: string, id: string, rootless: boolean): string {
  const parts = cgroupsPath === '' ? ['', '', ''] : cgroupsPath.split(':');
  const [slice, prefix, name] = parts;
  if (parts.length !== 3 || slice === undefined || prefix === undefined || name === undefined) {
    throw wrongPath(cgroupsPath, 'slice:prefix:name, as --systemd-cgroup asks for');
  }
  const unit = name === '' ? id : name;
  const words = [cgroupsPath === '' ? 'delos' : prefix, unit].filter((word) => word !== '');
  const scope = unit.endsWith('.slice') ? unit : `${words.join('-')}.scope`;
  if (scope.includes('/')) throw wrongPath(cgroupsPath, 'a unit name without "/"');
  return checkedPath(`/${sliceDirectories(slice === '' ? (rootless ? 'user.slice' : 'system.slice') : slice).join('/')}/${scope}`);
}

/** `a-b-c.slice` is inside `a-b.slice`, which is inside `a.slice`; `-.slice` is the root. */
function sliceDirectories(slice: string): string[] {
  if (slice === '-.slice') return [];
  const name = slice.slice(0, -'.slice'.length);
  if (!slice.endsWith('.slice') || slice.includes('/') || name.split('-').includes('')) throw wrongPath(slice, 'a slice such as user-1000.slice');
  const words = name.split('-');
  return words.map((_, at) => `${words.slice(0, at + 1).join('-')}.slice`);
}

/** Bytes. A mount point before it and a file's name behind it still make a path that the kernel takes. */
const LONGEST_PATH = 3072;

function checkedPath(path: string): string {
  // Found out by the kernel, it would be found out after half of it was made.
  if (Buffer.byteLength(path) > LONGEST_PATH) throw wrongPath(`${path.slice(0, 64)}...`, `a path of at most ${LONGEST_PATH} bytes`);
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  if (names.includes('..')) throw wrongPath(path, 'a path without ".."');
  if (names.length === 0) throw wrongPath(path, 'a cgroup below the root');
  for (const name of names) {
    if (/[\0\n]/.test(name) || Buffer.byteLength(name) > 255) throw wrongPath(path, 'names of at most 255 bytes without newline or NUL');
  }
  return (path.startsWith('/') ? '/' : '') + names.join('/');
}

function parentOf({ version, own }: CgroupHierarchy): string {
  return version === 2 ? dirname(own) : own;
}

function chain(mountPoint: string, path: string): string[] {
  const names = path.slice(1).split('/');
  return names.map((_, at) => join(mountPoint, ...names.slice(0, at + 1)));
}

function wrongPath(found: string, expected: string): DelosError {
  return new DelosError('bad-config', `linux.cgroupsPath: expected ${expected}, found ${JSON.stringify(found)}`, { field: pointer });
}
