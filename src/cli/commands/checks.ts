import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWUSER, CLONE_NEWUTS } from '../../abi/clone.ts';
import { MS_PRIVATE, MS_REC } from '../../abi/mount.ts';
import type { Places } from '../../containers/places.ts';
import { askedDriver, knownDriver } from '../../images/driver.ts';
import { hostFacts } from '../../oci/probe.ts';
import { call } from '../../plan/step.ts';
import { capabilityNames } from './capability-mask.ts';
import { engineCheck } from './engine-check.ts';
import { trial } from './trial.ts';

/** What was found of one thing containers need. */
export interface Finding {
  /** `missing`: without it there are no containers. `limited`: some flags cannot be had. */
  readonly state: 'fine' | 'limited' | 'missing';
  readonly found: string;
  /** What to do about it. */
  readonly remedy?: string;
  /** What else a program may want to know, for --json. */
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface Check {
  readonly name: string;
  look(places: Places): Promise<Finding> | Finding;
}

const containerNamespaces = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;
const isRoot = (): boolean => hostFacts().uid === 0;

/** All that `delos doctor` looks at, in its order. */
export const checks: readonly Check[] = [
  { name: 'kernel', look: kernel },
  { name: 'user', look: user },
  { name: 'namespaces', look: namespaces },
  { name: 'user namespaces', look: userNamespaces },
  { name: 'subordinate ids', look: subordinateIds },
  { name: 'cgroups', look: cgroups },
  { name: 'overlay', look: overlay },
  { name: 'storage', look: storage },
  { name: 'seccomp', look: seccomp },
  { name: 'security modules', look: securityModules },
  { name: 'limits', look: limits },
  { name: 'machines', look: engineCheck },
];

/** mount_setattr(2) of 5.12 and the pidfds of 5.4 are used everywhere, MOUNT_ATTR_IDMAP of 5.12 and later fixes in parts. */
function kernel(): Finding {
  const { release, major, minor } = hostFacts().kernel;
  const found = `Linux ${release} on ${os.machine()}`;
  if (os.machine() !== 'x86_64') return { state: 'missing', found, remedy: 'Delos runs on x86-64 only' };
  if (major > 5 || (major === 5 && minor >= 15)) return { state: 'fine', found };
  const state = major === 5 && minor >= 12 ? 'limited' : 'missing';
  return { state, found, remedy: 'install a kernel of 5.15 or later' };
}

function user(): Finding {
  const { uid } = hostFacts();
  const mask = BigInt(`0x${/^CapEff:\t(\w+)$/m.exec(textOf('/proc/self/status'))?.[1] ?? '0'}`);
  if (uid !== 0) return { state: 'fine', found: `uid ${uid}: containers are made in a user namespace` };
  const held = capabilityNames(mask);
  const missing = ['CAP_SYS_ADMIN', 'CAP_SYS_RESOURCE', 'CAP_NET_ADMIN', 'CAP_MKNOD', 'CAP_SETUID', 'CAP_BPF'].filter((name) => !held.includes(name));
  if (missing.length === 0) return { state: 'fine', found: `root with ${held.length} capabilities` };
  return {
    state: missing.includes('CAP_SYS_ADMIN') ? 'missing' : 'limited', found: `root without ${missing.join(', ')}`,
    remedy: 'it was taken from this session: without CAP_SYS_RESOURCE, for one, no hard limit can be raised',
  };
}

async function namespaces(): Promise<Finding> {
  if (!isRoot()) return { state: 'fine', found: 'come with the user namespace' };
  const refused = await trial(call('unshare', [containerNamespaces], 'trial'));
  if (refused === undefined) return { state: 'fine', found: 'mount, pid, network, ipc, uts and cgroup can be made' };
  return { state: 'missing', found: `cannot be made (${refused})`, remedy: 'is this a container without CAP_SYS_ADMIN? see also /proc/sys/user/max_*_namespaces' };
}

async function userNamespaces(): Promise<Finding> {
  const refused = await trial(call('unshare', [CLONE_NEWUSER | containerNamespaces], 'trial'));
  if (refused === undefined) return { state: 'fine', found: 'can be made, and all others in them' };
  const switches: readonly (readonly [file: string, bad: string, remedy: string])[] = [
    ['kernel/unprivileged_userns_clone', '0', 'sysctl kernel.unprivileged_userns_clone=1'],
    ['kernel/apparmor_restrict_unprivileged_userns', '1', 'sysctl kernel.apparmor_restrict_unprivileged_userns=0'],
    ['user/max_user_namespaces', '0', 'sysctl user.max_user_namespaces=15000'],
  ];
  const cause = switches.find(([file, bad]) => textOf(`/proc/sys/${file}`).trim() === bad);
  return { state: isRoot() ? 'limited' : 'missing', found: `cannot be made (${refused})`, remedy: cause?.[2] ?? 'a kernel with CONFIG_USER_NS, and a container around this one that allows it' };
}

function subordinateIds(): Finding {
  if (isRoot()) return { state: 'fine', found: 'not needed by root' };
  const { username } = os.userInfo();
  const has = (file: string): boolean => textOf(file).split('\n').some((line) => line.startsWith(`${username}:`));
  const listed = has('/etc/subuid') && has('/etc/subgid');
  const tools = hostFacts().idMapTools !== undefined;
  if (listed && tools) return { state: 'fine', found: `newuidmap and ranges for ${username}` };
  return {
    state: 'limited', found: `${tools ? '' : 'no newuidmap; '}${listed ? '' : `no ranges for ${username} in /etc/subuid and /etc/subgid; `}containers have one id only`,
    remedy: tools ? `usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${username}` : 'install the package uidmap',
  };
}

function cgroups(): Finding {
  const { cgroup } = hostFacts();
  const names = [...new Set(cgroup.hierarchies.flatMap(({ controllers }) => controllers))].filter((name) => !name.startsWith('name='));
  if (cgroup.hierarchies.length === 0) return { state: 'limited', found: 'none mounted: no limits, no pause', remedy: 'mount -t cgroup2 none /sys/fs/cgroup' };
  const found = `${cgroup.mode}: ${names.join(' ')}`;
  const unwritable = cgroup.hierarchies.filter(({ mountPoint, own }) => !isWritable(isRoot() ? mountPoint : path.join(mountPoint, path.dirname(own))));
  if (unwritable.length === cgroup.hierarchies.length) {
    return {
      state: 'limited', found: `${found}; none that this user may write to, so no limits`,
      remedy: isRoot() ? 'mount them writable: mount -o remount,rw /sys/fs/cgroup' : 'start it from a session of systemd that delegates (systemd-run --user --scope -p Delegate=yes delos ...)',
    };
  }
  const wanted = ['memory', 'cpu', 'pids'].filter((name) => !names.includes(name));
  if (wanted.length > 0) return { state: 'limited', found: `${found}; without ${wanted.join(', ')}`, remedy: 'look for cgroup_disable= on the kernel command line' };
  return { state: 'fine', found };
}

async function overlay(): Promise<Finding> {
  const mount = call('mount', ['overlay', '/mnt', 'overlay', 0, 'lowerdir=/usr:/etc'], 'trial');
  const within = await trial(call('unshare', [CLONE_NEWUSER | CLONE_NEWNS], 'trial'), mount);
  const outside = isRoot() ? await trial(call('unshare', [CLONE_NEWNS], 'trial'), call('mount', [0, '/', 0, MS_PRIVATE | MS_REC, 0], 'trial'), mount) : within;
  if (outside !== undefined) return { state: 'limited', found: `cannot be mounted (${outside}): the image host needs it, others are copied`, remedy: 'modprobe overlay' };
  if (within === undefined) return { state: 'fine', found: 'can be mounted, in a user namespace too' };
  return { state: 'limited', found: `can be mounted, but not in a user namespace (${within})`, remedy: 'a kernel of 5.11 or later lets ordinary users mount it' };
}

/** What roots are made of in this store. Nothing is made for this: what is not decided yet is left so. */
function storage({ data }: Places): Finding {
  const choice = askedDriver() ?? knownDriver(data);
  if (choice === undefined) return { state: 'fine', found: `chosen when the first image comes to ${data}` };
  const found = `${choice.driver}: ${choice.reason}`;
  if (choice.driver === 'overlay') return { state: 'fine', found };
  return { state: 'limited', found: `${found}; each container begins as a copy of its image`, remedy: 'give --root a folder on ext4, xfs, btrfs or tmpfs' };
}

function seccomp(): Finding {
  const actions = textOf('/proc/sys/kernel/seccomp/actions_avail').trim();
  if (actions === '') return { state: 'limited', found: 'this kernel has no filters', remedy: 'a kernel with CONFIG_SECCOMP_FILTER; until then --security-opt seccomp=unconfined' };
  return { state: 'fine', found: actions };
}

function securityModules(): Finding {
  const { apparmor, selinux } = hostFacts();
  const active = [...(apparmor ? ['AppArmor'] : []), ...(selinux ? ['SELinux'] : [])];
  const listed = textOf('/sys/kernel/security/lsm').trim();
  const found = active.length > 0 ? active.join(' and ') : `neither AppArmor nor SELinux${listed === '' ? '' : ` (${listed})`}; namespaces, capabilities and seccomp hold the container`;
  return { state: 'fine', found };
}

function limits(): Finding {
  const files = /^Max open files\s+(\S+)\s+(\S+)/m.exec(textOf('/proc/self/limits'));
  const pids = textOf('/proc/sys/kernel/pid_max').trim();
  const open = Number(files?.[2] ?? 0);
  const found = `${files?.[2] ?? '?'} open files, ${pids} processes on this host`;
  return open > 0 && open < 1024 ? { state: 'limited', found, remedy: 'ulimit -Hn 4096, in the session that starts Delos' } : { state: 'fine', found };
}

function isWritable(file: string): boolean {
  try {
    fs.accessSync(file, fs.constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function textOf(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
