import type { Cpuset } from '../cgroup/ancestors.ts';
import type { CgroupHost } from '../cgroup/hierarchy.ts';
import type { HostDevice } from './net-devices.ts';

/** What a plan needs to know of the host. It is gathered once, before planning; `plan` itself looks at nothing. */
export interface Facts {
  readonly kernel: { readonly release: string; readonly major: number; readonly minor: number };
  /** Effective ids of the runtime. */
  readonly uid: number;
  readonly gid: number;
  /** Number of the last capability this kernel knows, /proc/sys/kernel/cap_last_cap. */
  readonly lastCapability: number;
  readonly apparmor: boolean;
  readonly selinux: boolean;
  readonly cgroup: CgroupHost;
  /** v2: what the cgroup.subtree_control of each ancestor of the container's cgroup holds now, by its absolute path. */
  readonly subtree: Readonly<Record<string, readonly string[]>>;
  /** v1: the directories on the way to the container's cpuset that are missing or empty, and what the one above them holds. */
  readonly cpuset: { readonly empty: readonly string[]; readonly parent: Cpuset };
  /** What the source of each bind mount is, by its absolute path. A missing one is not in the map. */
  readonly sources: Readonly<Record<string, 'directory' | 'file'>>;
  /** The devices linux.netDevices names, by their name here; a missing one is not in the map. */
  readonly netDevices: Readonly<Record<string, HostDevice>>;
  /** Home of process.user in the image's /etc/passwd; `/` when it is not there. */
  readonly home: string;
  /** Whether the user namespace that the configuration names by a path is the runtime's own. */
  readonly sharesUser: boolean;
  /** newuidmap and newgidmap, where they are needed and installed. */
  readonly idMapTools?: { readonly uid: string; readonly gid: string };
}
