/** config-linux.md, but for what `resources` and `seccomp` hold. */
import { array, boolean, integer, integer64, object, oneOf, optional, record, string, unlessEmpty } from '../shape.ts';
import type {
  Device, IntelRdt, Linux, MemoryPolicy, Namespace, NetDevice, Personality, TimeOffset, TimeOffsets,
} from '../types.ts';
import { resources } from './resources.ts';
import { seccomp } from './seccomp.ts';
import { absolutePath, idMapping, interfaceName, numberList, strings, uint32 } from './values.ts';

const namespace = object<Namespace>({
  type: oneOf('pid', 'network', 'mount', 'ipc', 'uts', 'user', 'cgroup', 'time'),
  path: unlessEmpty(absolutePath),
});

/** What the kernel takes in /proc/self/timens_offsets: seconds that still fit its 64 bits of nanoseconds (KTIME_SEC_MAX). */
const timeOffset = object<TimeOffset>({
  secs: optional(integer64(-9223372036n, 9223372036n)),
  nanosecs: optional(integer(0, 999_999_999)),
});

const timeOffsets = object<TimeOffsets>({
  monotonic: optional(timeOffset),
  boottime: optional(timeOffset),
});

/** Linux counts 12 bits of major and 20 bits of minor numbers: MINORBITS in <linux/kdev_t.h>. */
const device = object<Device>({
  type: oneOf('c', 'b', 'u', 'p'),
  path: absolutePath,
  major: optional(integer(0, 2 ** 12 - 1)),
  minor: optional(integer(0, 2 ** 20 - 1)),
  fileMode: optional(uint32),
  uid: optional(uint32),
  gid: optional(uint32),
});

const netDevice = object<NetDevice>({
  name: unlessEmpty(interfaceName),
});

const intelRdt = object<IntelRdt>({
  closID: unlessEmpty(string),
  schemata: optional(strings),
  l3CacheSchema: unlessEmpty(string),
  memBwSchema: unlessEmpty(string),
  enableMonitoring: optional(boolean),
});

const memoryPolicy = object<MemoryPolicy>({
  mode: oneOf(
    'MPOL_DEFAULT', 'MPOL_BIND', 'MPOL_INTERLEAVE', 'MPOL_WEIGHTED_INTERLEAVE', 'MPOL_PREFERRED', 'MPOL_PREFERRED_MANY', 'MPOL_LOCAL',
  ),
  nodes: unlessEmpty(numberList),
  flags: optional(array(oneOf('MPOL_F_NUMA_BALANCING', 'MPOL_F_RELATIVE_NODES', 'MPOL_F_STATIC_NODES'))),
});

const personality = object<Personality>({
  domain: oneOf('LINUX', 'LINUX32'),
  flags: optional(strings),
});

export const linux = object<Linux>({
  namespaces: optional(array(namespace)),
  uidMappings: optional(array(idMapping)),
  gidMappings: optional(array(idMapping)),
  timeOffsets: optional(timeOffsets),
  devices: optional(array(device)),
  netDevices: optional(record(interfaceName, netDevice)),
  cgroupsPath: unlessEmpty(string),
  resources: optional(resources),
  rootfsPropagation: unlessEmpty(oneOf(
    'shared', 'slave', 'private', 'unbindable', 'rshared', 'rslave', 'rprivate', 'runbindable',
  )),
  seccomp: optional(seccomp),
  sysctl: optional(record(string, string)),
  maskedPaths: optional(array(absolutePath)),
  readonlyPaths: optional(array(absolutePath)),
  mountLabel: unlessEmpty(string),
  intelRdt: optional(intelRdt),
  memoryPolicy: optional(memoryPolicy),
  personality: optional(personality),
});
