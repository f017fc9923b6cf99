import { CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWTIME, CLONE_NEWUSER, CLONE_NEWUTS } from '../abi/clone.ts';
import { cell } from '../plan/block.ts';
import type { Config, NamespaceType } from './config/types.ts';
import type { Facts } from './facts.ts';
import { hasNew, type Joined } from './field.ts';

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

/** The flags of clone3 for the namespaces that are new. */
export function cloneFlags(config: Config): number {
  return withClone.filter((type) => hasNew(config, type)).reduce((flags, type) => flags | namespaceTypes[type].flag, 0);
}

/** linux.namespaces with a path, config-linux.md "Namespaces". setns(2) refuses the user namespace that one is in, and need not be asked. */
export function joinedByPath(config: Config, facts: Facts): Joined[] {
  return (config.linux?.namespaces ?? []).flatMap(({ type, path }, index): Joined[] => {
    if (path === undefined || (type === 'user' && facts.sharesUser)) return [];
    return [toJoin(type, path, `/linux/namespaces/${index}/path`)];
  });
}

export function toJoin(type: NamespaceType, path: string, why: string): Joined {
  return { type, path, why, file: cell(`${type} namespace`, -1) };
}
