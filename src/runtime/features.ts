import * as capability from '../abi/capability.ts';
import * as policy from '../abi/process.ts';
import { order } from '../oci/order.ts';
import { actions } from '../seccomp/action.ts';
import { flags } from '../seccomp/compile.ts';
import { operators } from '../seccomp/condition.ts';

/** What this runtime can do, whatever the host can: features.md of the runtime specification. Lists are sorted. */
export interface Features {
  readonly ociVersionMin: string;
  readonly ociVersionMax: string;
  readonly hooks: readonly string[];
  readonly mountOptions: readonly string[];
  readonly linux: LinuxFeatures;
  readonly annotations: Readonly<Record<string, string>>;
  /** Annotations of config.json that change what the runtime does. There are none. */
  readonly potentiallyUnsafeConfigAnnotations: readonly string[];
}

interface Enabled {
  readonly enabled: boolean;
}

export interface LinuxFeatures {
  readonly namespaces: readonly string[];
  readonly capabilities: readonly string[];
  readonly cgroup: Readonly<Record<'v1' | 'v2' | 'systemd' | 'systemdUser' | 'rdma', boolean>>;
  readonly seccomp: Enabled & Readonly<Record<'actions' | 'operators' | 'archs' | 'knownFlags' | 'supportedFlags', readonly string[]>>;
  readonly apparmor: Enabled;
  readonly selinux: Enabled;
  readonly intelRdt: Enabled;
  readonly memoryPolicy: { readonly modes: readonly string[]; readonly flags: readonly string[] };
  readonly mountExtensions: { readonly idmap: Enabled };
  readonly netDevices: Enabled;
}

/** @param version of this program */
export function features(version: string): Features {
  return {
    ociVersionMin: '1.0.0',
    ociVersionMax: '1.3.0',
    hooks: ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'],
    mountOptions: mountOptions.toSorted(),
    linux: linuxFeatures(),
    annotations: { 'org.delos.version': version, 'org.opencontainers.runc.checkpoint.enabled': 'false' },
    potentiallyUnsafeConfigAnnotations: [],
  };
}

function linuxFeatures(): LinuxFeatures {
  const flagNames = Object.keys(flags).toSorted();
  return {
    namespaces: ['cgroup', 'ipc', 'mount', 'network', 'pid', 'time', 'user', 'uts'],
    capabilities: Object.keys(capability).filter((name) => name.startsWith('CAP_')),
    // --systemd-cgroup names cgroups as systemd would, but nobody asks systemd for a unit.
    cgroup: { v1: true, v2: true, systemd: false, systemdUser: false, rdma: true },
    seccomp: {
      enabled: isDone('/linux/seccomp'),
      actions: Object.keys(actions).toSorted(),
      operators: operators.toSorted(),
      // Others are understood in a profile, but no system call can come from them here.
      archs: ['SCMP_ARCH_X32', 'SCMP_ARCH_X86', 'SCMP_ARCH_X86_64'],
      knownFlags: flagNames,
      supportedFlags: flagNames,
    },
    apparmor: { enabled: isDone('/process/apparmorProfile') },
    selinux: { enabled: isDone('/process/selinuxLabel') },
    intelRdt: { enabled: isDone('/linux/intelRdt') },
    memoryPolicy: isDone('/linux/memoryPolicy') ? { modes: constants(/^MPOL_(?!F_)/), flags: constants(/^MPOL_F_/) } : { modes: [], flags: [] },
    mountExtensions: { idmap: { enabled: true } },
    netDevices: { enabled: isDone('/linux/netDevices') },
  };
}

/** Whether the plan has a field for this property. */
function isDone(pointer: string): boolean {
  return order.some(({ at, support }) => at.includes(pointer) && !(typeof support === 'object' && 'refused' in support));
}

function constants(name: RegExp): string[] {
  return Object.keys(policy).filter((constant) => name.test(constant)).toSorted();
}

const attributes = [
  'ro', 'rw', 'nosuid', 'suid', 'nodev', 'dev', 'noexec', 'exec', 'nodiratime', 'diratime', 'nosymfollow', 'symfollow',
  'relatime', 'norelatime', 'noatime', 'atime', 'strictatime', 'nostrictatime',
];

/** The options that are not handed to the file system. src/oci/mount/options.ts */
const mountOptions: readonly string[] = [
  ...attributes, ...attributes.map((name) => `r${name}`),
  'shared', 'rshared', 'slave', 'rslave', 'private', 'rprivate', 'unbindable', 'runbindable',
  'bind', 'rbind', 'remount', 'tmpcopyup', 'idmap', 'ridmap', 'defaults',
  'sync', 'async', 'dirsync', 'lazytime', 'nolazytime', 'mand', 'nomand', 'iversion', 'noiversion', 'silent', 'loud',
];
