import { cgroupHost, type CgroupHost } from './hierarchy.ts';

/** Texts recorded on three hosts, for tests. */
export interface RecordedHost {
  readonly mountinfo: string;
  readonly selfCgroup: string;
  readonly controllers: string;
}

/** systemd 252 on cgroup v2, in a login session. */
export const unifiedHost: RecordedHost = {
  mountinfo: `22 27 0:20 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
24 27 0:5 / /dev rw,nosuid,relatime shared:2 - devtmpfs udev rw,size=4006000k,nr_inodes=1001500,mode=755,inode64
27 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw,discard,errors=remount-ro
30 22 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot
31 22 0:27 / /sys/fs/pstore rw,nosuid,nodev,noexec,relatime shared:10 - pstore pstore rw
`,
  selfCgroup: '0::/user.slice/user-1000.slice/session-3.scope\n',
  controllers: 'cpuset cpu io memory hugetlb pids rdma misc\n',
};

/** A hybrid: ten v1 hierarchies, and v2 with what they left. */
export const hybridHost: RecordedHost = {
  mountinfo: `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
33 31 0:30 / /sys/fs/cgroup/cpuacct rw,relatime - cgroup cgroup rw,cpuacct
34 31 0:31 / /sys/fs/cgroup/cpuset rw,relatime - cgroup cgroup rw,cpuset
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
36 31 0:33 / /sys/fs/cgroup/devices rw,relatime - cgroup cgroup rw,devices
37 31 0:34 / /sys/fs/cgroup/freezer rw,relatime - cgroup cgroup rw,freezer
38 31 0:35 / /sys/fs/cgroup/blkio rw,relatime - cgroup cgroup rw,blkio
39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
`,
  selfCgroup: `9:name=systemd:/
8:pids:/
7:blkio:/
6:freezer:/
5:devices:/
4:memory:/process_api/0f78
3:cpuset:/
2:cpuacct:/
1:cpu:/
0::/
`,
  controllers: 'hugetlb\n',
};

/** v1 alone, inside of a Docker container that has no cgroup namespace: the mounts show a part. */
export const legacyHost: RecordedHost = {
  mountinfo: `770 769 0:62 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw,mode=755
771 770 0:32 /docker/4bc1 /sys/fs/cgroup/systemd ro,nosuid,nodev,noexec,relatime master:11 - cgroup cgroup rw,xattr,release_agent=/lib/systemd/systemd-cgroups-agent,name=systemd
772 770 0:35 /docker/4bc1 /sys/fs/cgroup/net_cls,net_prio ro,nosuid,nodev,noexec,relatime master:15 - cgroup cgroup rw,net_cls,net_prio
773 770 0:36 /docker/4bc1 /sys/fs/cgroup/memory ro,nosuid,nodev,noexec,relatime master:16 - cgroup cgroup rw,memory
774 770 0:37 /docker/4bc1 /sys/fs/cgroup/cpu,cpuacct ro,nosuid,nodev,noexec,relatime master:17 - cgroup cgroup rw,cpu,cpuacct
775 770 0:38 /docker/4bc1 /sys/fs/cgroup/with\\040space ro,relatime master:18 - cgroup cgroup rw,pids
`,
  selfCgroup: `11:net_cls,net_prio:/docker/4bc1
10:memory:/docker/4bc1
9:pids:/docker/4bc1/inner
8:perf_event:/docker/4bc1
4:cpu,cpuacct:/docker/4bc1
1:name=systemd:/docker/4bc1
`,
  controllers: '',
};

export function recorded({ mountinfo, selfCgroup, controllers }: RecordedHost, bfq = false): CgroupHost {
  return cgroupHost(mountinfo, selfCgroup, controllers, bfq);
}
