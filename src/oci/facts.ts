import type { CgroupHost } from '../cgroup/hierarchy.ts';

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
  /** cpuset.cpus and cpuset.mems of the cgroup above the container's; a v1 cpuset begins empty and must be given both. */
  readonly cpuset: { readonly cpus: string; readonly mems: string };
  /** What the source of each bind mount is, by its absolute path. A missing one is not in the map. */
  readonly sources: Readonly<Record<string, 'directory' | 'file'>>;
  /** newuidmap and newgidmap, where they are needed and installed. */
  readonly idMapTools?: { readonly uid: string; readonly gid: string };
}
