import { CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWTIME, CLONE_NEWUSER, CLONE_NEWUTS } from '../abi/clone.ts';
import { AT_FDCWD, O_CLOEXEC, O_RDONLY } from '../abi/fcntl.ts';
import { call, type Item } from '../plan/step.ts';
import type { NamespaceType } from './config/types.ts';
import { hasNew, namespaceOf, type Build, type Field } from './field.ts';

/** Each type's flag for clone3, unshare and setns, and its name in /proc/PID/ns. namespaces(7) */
export const namespaceTypes: Readonly<Record<NamespaceType, { readonly flag: number; readonly proc: string }>> = {
  user: { flag: CLONE_NEWUSER, proc: 'user' },
  mount: { flag: CLONE_NEWNS, proc: 'mnt' },
  pid: { flag: CLONE_NEWPID, proc: 'pid' },
  network: { flag: CLONE_NEWNET, proc: 'net' },
  uts: { flag: CLONE_NEWUTS, proc: 'uts' },
  ipc: { flag: CLONE_NEWIPC, proc: 'ipc' },
  cgroup: { flag: CLONE_NEWCGROUP, proc: 'cgroup' },
  time: { flag: CLONE_NEWTIME, proc: 'time' },
};

/** Made by clone3 together with init. The cgroup namespace waits until init is in its cgroup, the time namespace for its offsets. */
const withClone = ['user', 'mount', 'pid', 'network', 'uts', 'ipc'] as const;

/** Joined by init itself; a pid namespace only takes in children, and a user namespace comes first of all. */
const joinedByInit = ['network', 'ipc', 'uts', 'mount', 'cgroup', 'time'] as const;

/** The flags of clone3 for the namespaces that are new. */
export function cloneFlags(build: Build): number {
  return withClone.filter((type) => hasNew(build.config, type)).reduce((flags, type) => flags | namespaceTypes[type].flag, 0);
}

/** setns(2) to the namespace a path names; the kernel refuses one of another type. */
function join(build: Build, type: NamespaceType): Item[] {
  const found = namespaceOf(build.config, type);
  if (found?.path === undefined) return [];
  const why = `${found.pointer}/path`;
  const { file } = build.cells;
  return [
    call('openat', [AT_FDCWD, found.path, O_RDONLY | O_CLOEXEC, 0], why, { out: file }),
    call('setns', [file, namespaceTypes[type].flag], why),
    call('close', [file], why),
  ];
}

/** linux.namespaces, config-linux.md "Namespaces". */
export const joinPidNamespace: Field = {
  at: [],
  support: 'full',
  before: (build) => {
    const steps = join(build, 'pid');
    return steps.length === 0 ? [] : [openOwnPidNamespace(build), ...steps];
  },
};

export function openOwnPidNamespace({ cells }: Build): Item {
  return call('openat', [AT_FDCWD, '/proc/self/ns/pid', O_RDONLY | O_CLOEXEC, 0], 'to come back to', { out: cells.ownPidNamespace });
}

/** A process whose children would be in another pid namespace can have no threads, so no Node could tell of a refusal. */
export function leavePidNamespace({ cells }: Build): Item {
  return call('setns', [cells.ownPidNamespace, CLONE_NEWPID], 'back in its own pid namespace', { accept: { any: 'next' } });
}

export const joinNamespaces: Field = {
  at: ['/linux/namespaces'],
  support: { partial: 'all eight can be made, and all but a user namespace joined by path' },
  init: (build) => joinedByInit.flatMap((type) => join(build, type)),
};
