import { DelosError } from '../lib/errors.ts';

/** What the kernel mounts for cgroups: many hierarchies of v1, one of v2, or both side by side. */
export type CgroupMode = 'unified' | 'legacy' | 'hybrid';

export interface CgroupHierarchy {
  /** Spelled as in /proc/self/cgroup; a named v1 hierarchy is `name=systemd`. For v2 those it controls here. */
  readonly controllers: readonly string[];
  /** Absolute. */
  readonly mountPoint: string;
  readonly version: 1 | 2;
  /** The cgroup of this process, relative to the mount point: `/` or `/a/b`. */
  readonly own: string;
}

/** What has to be known of a host to decide where a container's cgroups are and what to write to them. */
export interface CgroupHost {
  readonly mode: CgroupMode;
  /** v2 first where there is one. Empty where no cgroups are mounted. */
  readonly hierarchies: readonly CgroupHierarchy[];
  /** cgroup.controllers of the root of v2; empty where v2 is not mounted. */
  readonly unifiedControllers: readonly string[];
  /** The BFQ scheduler is there, and with it its own files of block I/O weights. */
  readonly bfq: boolean;
}

export interface CgroupMount {
  readonly version: 1 | 2;
  readonly mountPoint: string;
  /** Which cgroup the mount point shows; not `/` for a bind mount of a part. */
  readonly root: string;
  /** The super options: for v1 they name the controllers. */
  readonly options: readonly string[];
}

export interface CgroupMembership {
  /** Empty for v2. */
  readonly controllers: readonly string[];
  readonly path: string;
}

/** The cgroup mounts of a /proc/pid/mountinfo, proc_pid_mountinfo(5). @throws DelosError io for a line that is none. */
export function parseMountinfo(text: string): CgroupMount[] {
  const mounts: CgroupMount[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const fields = line.split(' ');
    const dash = fields.indexOf('-', 6);
    const [root, mountPoint, type, options] = [fields[3], fields[4], fields[dash + 1], fields[dash + 3]];
    if (dash < 0 || root === undefined || mountPoint === undefined || type === undefined || options === undefined) {
      throw new DelosError('io', `mountinfo: expected fields around " - ", found ${JSON.stringify(line)}`);
    }
    if (type !== 'cgroup' && type !== 'cgroup2') continue;
    mounts.push({
      version: type === 'cgroup2' ? 2 : 1,
      mountPoint: unescaped(mountPoint),
      root: unescaped(root),
      options: options.split(','),
    });
  }
  return mounts;
}

/** A /proc/pid/cgroup, cgroups(7). @throws DelosError io for a line that is none. */
export function parseSelfCgroup(text: string): CgroupMembership[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      // A path may hold a colon, a list of controllers cannot.
      const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
      if (controllers === undefined || path === undefined) {
        throw new DelosError('io', `/proc/self/cgroup: expected id:controllers:/path, found ${JSON.stringify(line)}`);
      }
      return { controllers: controllers === '' ? [] : controllers.split(','), path };
    });
}

/**
 * The host, from the texts of /proc/self/mountinfo, /proc/self/cgroup and cgroup.controllers of the v2 root ('' without v2).
 * A hierarchy mounted more than once is taken at the first place that shows this process's own cgroup.
 */
export function cgroupHost(mountinfo: string, selfCgroup: string, controllers: string, bfq: boolean): CgroupHost {
  const mounts = parseMountinfo(mountinfo);
  const unifiedControllers = controllers.split(/\s+/).filter((name) => name !== '');
  const found = parseSelfCgroup(selfCgroup).flatMap((membership) => {
    const hierarchy = hierarchyOf(membership, mounts, unifiedControllers);
    return hierarchy === undefined ? [] : [hierarchy];
  });
  const unified = found.filter(({ version }) => version === 2);
  const legacy = found.filter(({ version }) => version === 1);
  return {
    mode: unified.length === 0 ? 'legacy' : legacy.length === 0 ? 'unified' : 'hybrid',
    hierarchies: [...unified, ...legacy],
    unifiedControllers: unified.length === 0 ? [] : unifiedControllers,
    bfq,
  };
}

/** The host as another process in the same cgroup namespace sees it, from the text of its /proc/pid/cgroup. */
export function asSeenBy(host: CgroupHost, cgroup: string): CgroupHost {
  const memberships = parseSelfCgroup(cgroup);
  const hierarchies = host.hierarchies.map((hierarchy) => {
    const names = hierarchy.version === 2 ? '' : hierarchy.controllers.join(',');
    const found = memberships.find(({ controllers }) => controllers.join(',') === names);
    return found ? { ...hierarchy, own: found.path } : hierarchy;
  });
  return { ...host, hierarchies };
}

/** The v2 mount point of a mountinfo: where cgroup.controllers is to be read before {@link cgroupHost}. */
export function unifiedMountPoint(mountinfo: string): string | undefined {
  return parseMountinfo(mountinfo).find(({ version }) => version === 2)?.mountPoint;
}

/** The hierarchy a controller is in, v1 first: a controller bound to v1 is not to be had in v2. */
export function hierarchyOfController(host: CgroupHost, legacyName: string, unifiedName: string): CgroupHierarchy | undefined {
  const of = (version: 1 | 2, name: string): CgroupHierarchy | undefined =>
    host.hierarchies.find((hierarchy) => hierarchy.version === version && hierarchy.controllers.includes(name));
  return of(1, legacyName) ?? of(2, unifiedName);
}

function hierarchyOf(
  membership: CgroupMembership, mounts: readonly CgroupMount[], unifiedControllers: readonly string[],
): CgroupHierarchy | undefined {
  const version = membership.controllers.length === 0 ? 2 : 1;
  const candidates = mounts.filter((mount) => mount.version === version
    && membership.controllers.every((controller) => mount.options.includes(controller)));
  for (const { mountPoint, root } of candidates) {
    const own = below(membership.path, root);
    if (own === undefined) continue;
    return { controllers: version === 2 ? unifiedControllers : membership.controllers, mountPoint, version, own };
  }
  return undefined;
}

/** `path` seen from `root`, or nothing when it is outside. A path outside of a cgroup namespace starts with `/..`. */
function below(path: string, root: string): string | undefined {
  if (path.split('/').includes('..')) return undefined;
  if (root === '/') return path;
  if (path === root) return '/';
  return path.startsWith(`${root}/`) ? path.slice(root.length) : undefined;
}

/** mountinfo writes space, tab, newline and backslash as three octal digits. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
