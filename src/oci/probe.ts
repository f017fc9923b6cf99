import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readCgroupHost } from '../cgroup/host.ts';
import type { CgroupHost } from '../cgroup/hierarchy.ts';
import type { CgroupDirectory } from '../cgroup/path.ts';
import { readInside } from '../sys/read-inside.ts';
import type { Config } from './config/types.ts';
import type { Facts } from './facts.ts';
import type { HostDevice } from './net-devices.ts';
import { parseMountOptions } from './mount/options.ts';

/** What does not change while this process lives. */
interface HostFacts {
  readonly kernel: Facts['kernel'];
  readonly uid: number;
  readonly gid: number;
  readonly lastCapability: number;
  readonly apparmor: boolean;
  readonly selinux: boolean;
  readonly cgroup: CgroupHost;
  readonly idMapTools?: NonNullable<Facts['idMapTools']>;
}

let host: HostFacts | undefined;

/** The facts of this host, read once a process. */
export function hostFacts(): HostFacts {
  host ??= readHost();
  return host;
}

/** The facts a plan for this configuration needs: those of the host, and what the configuration's paths are here. */
export function probe(config: Config, bundle: string, cgroup: readonly CgroupDirectory[]): Facts {
  return { ...hostFacts(), ...cgroupFacts(cgroup), sources: bindSources(config, bundle), netDevices: netDevices(config), home: homeOf(config, bundle), sharesUser: sharesUser(config) };
}

function readHost(): HostFacts {
  const release = os.release();
  const [major = 0, minor = 0] = release.split('.').map(Number);
  const tools = idMapTools();
  return {
    kernel: { release, major, minor },
    uid: process.geteuid?.() ?? 0,
    gid: process.getegid?.() ?? 0,
    lastCapability: Number(readOr('/proc/sys/kernel/cap_last_cap', '40')),
    apparmor: readOr('/sys/module/apparmor/parameters/enabled', '').startsWith('Y'),
    selinux: fs.existsSync('/sys/fs/selinux/enforce'),
    cgroup: readCgroupHost(),
    ...(tools && { idMapTools: tools }),
  };
}

function idMapTools(): Facts['idMapTools'] {
  const find = (name: string): string | undefined => ['/usr/bin', '/bin', '/usr/local/bin'].map((folder) => `${folder}/${name}`).find((file) => fs.existsSync(file));
  const uid = find('newuidmap');
  const gid = find('newgidmap');
  return uid && gid ? { uid, gid } : undefined;
}

function cgroupFacts(directories: readonly CgroupDirectory[]): Pick<Facts, 'subtree' | 'cpuset'> {
  const subtree: Record<string, string[]> = {};
  let cpuset: Facts['cpuset'] = { empty: [], parent: { cpus: '', mems: '' } };
  for (const { hierarchy, create } of directories) {
    if (hierarchy.version === 2) {
      for (const directory of create.map((child) => path.dirname(child))) {
        subtree[directory] = readOr(`${directory}/cgroup.subtree_control`, '').split(' ').filter(Boolean);
      }
    } else if (hierarchy.controllers.includes('cpuset')) {
      cpuset = cpusetFacts(create);
    }
  }
  return { subtree, cpuset };
}

function cpusetFacts(create: readonly string[]): Facts['cpuset'] {
  const empty = create.filter((directory) => !fs.existsSync(directory) || readOr(`${directory}/cpuset.cpus`, '') === '');
  const above = path.dirname(empty[0] ?? create[0] ?? '/');
  return { empty, parent: { cpus: readOr(`${above}/cpuset.cpus`, ''), mems: readOr(`${above}/cpuset.mems`, '') } };
}

function bindSources(config: Config, bundle: string): Record<string, 'directory' | 'file'> {
  const kinds: Record<string, 'directory' | 'file'> = {};
  for (const mount of config.mounts ?? []) {
    if (mount.source === undefined || !(mount.type === 'bind' || parseMountOptions(mount.options ?? []).bind)) continue;
    const source = path.resolve(bundle, mount.source);
    const found = fs.statSync(source, { throwIfNoEntry: false });
    if (found) kinds[source] = found.isDirectory() ? 'directory' : 'file';
  }
  return kinds;
}

function netDevices(config: Config): Facts['netDevices'] {
  const names = Object.keys(config.linux?.netDevices ?? {});
  if (names.length === 0) return {};
  const addresses = os.networkInterfaces();
  return Object.fromEntries(names.flatMap((name): [string, HostDevice][] => {
    const index = readOr(`/sys/class/net/${path.basename(name)}/ifindex`, '');
    if (index === '') return [];
    const up = (Number(readOr(`/sys/class/net/${path.basename(name)}/flags`, '0')) & 1) !== 0;
    const own = (addresses[name] ?? []).filter((entry) => !(entry.family === 'IPv6' && entry.scopeid !== 0));
    return [[name, { index: Number(index), up, addresses: own.map(({ family, address, cidr }) => ({
      family: family === 'IPv4' ? 4 as const : 6 as const, address: addressBytes(address), prefix: Number(cidr?.split('/')[1] ?? 32),
    })) }]];
  }));
}

/** A namespace is known by the device and inode of its file, namespaces(7). A path that cannot be looked at is refused when it is opened. */
export function isOwnNamespace(path: string, proc: string): boolean {
  try {
    const [found, own] = [fs.statSync(path), fs.statSync(`/proc/self/ns/${proc}`)];
    return found.dev === own.dev && found.ino === own.ino;
  } catch {
    return false;
  }
}

function sharesUser(config: Config): boolean {
  const path = config.linux?.namespaces?.find(({ type }) => type === 'user')?.path;
  return path !== undefined && isOwnNamespace(path, 'user');
}

/** The 4 or 16 bytes of an address as Node prints it. */
function addressBytes(text: string): Uint8Array {
  if (!text.includes(':')) return Uint8Array.from(text.split('.').map(Number));
  const [head = '', tail] = text.split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const before = groups(head);
  const after = groups(tail ?? '');
  const all = [...before, ...Array.from({ length: tail === undefined ? 0 : 8 - before.length - after.length }, () => '0'), ...after];
  return Uint8Array.from(all.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]));
}

/** Home in the image's passwd(5), of which nothing is taken for granted: it may be a fifo, a device, or the host's by a symlink. */
function homeOf(config: Config, bundle: string): string {
  if (config.process?.env?.some((entry) => entry.startsWith('HOME='))) return '/';
  const root = path.resolve(bundle, config.root?.path ?? 'rootfs');
  const uid = config.process?.user?.uid ?? 0;
  const line = readInside(root, 'etc/passwd').split('\n').find((entry) => entry.split(':')[2] === String(uid));
  return line?.split(':')[5] || '/';
}

function readOr(file: string, otherwise: string): string {
  try {
    return fs.readFileSync(file, 'utf8').trim();
  } catch {
    return otherwise;
  }
}
