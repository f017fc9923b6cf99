/** config-linux.md "Control groups". Ranges are those of the specification's Go types; the cgroup files have their own, narrower ones. */
import { array, boolean, integer, integer64, object, oneOf, optional, record, string, stringWhere, unlessEmpty } from '../shape.ts';
import type {
  BlockIoLimits, CpuLimits, DeviceRule, LinuxResources, MemoryLimits, NetworkMarks, RdmaLimit, ThrottleDevice, WeightDevice,
} from '../../../cgroup/linux-resources.ts';
import { fileName, int64, interfaceName, limit, uint32, uint64 } from './values.ts';

type Element<List> = List extends readonly (infer Item)[] ? Item : never;

const deviceNumber = integer64(-1n, 2n ** 32n - 1n);

const deviceRule = object<DeviceRule>({
  allow: boolean,
  type: unlessEmpty(oneOf('a', 'c', 'b')),
  major: optional(deviceNumber),
  minor: optional(deviceNumber),
  access: unlessEmpty(stringWhere((value) => /^[rwm]{1,3}$/.test(value), 'letters out of "rwm"')),
});

const memory = object<MemoryLimits>({
  limit: optional(limit),
  reservation: optional(limit),
  swap: optional(limit),
  kernel: optional(limit),
  kernelTCP: optional(limit),
  swappiness: optional(integer(0, 100)),
  disableOOMKiller: optional(boolean),
  useHierarchy: optional(boolean),
  checkBeforeUpdate: optional(boolean),
});

const cpu = object<CpuLimits>({
  shares: optional(uint64),
  quota: optional(int64),
  burst: optional(uint64),
  period: optional(uint64),
  realtimeRuntime: optional(int64),
  realtimePeriod: optional(uint64),
  cpus: unlessEmpty(string),
  mems: unlessEmpty(string),
  idle: optional(integer64(0n, 1n)),
});

const pids = object<NonNullable<LinuxResources['pids']>>({
  limit: optional(int64),
});

/** 0 stands for "not set" with writers that always write it. */
const weight = integer(0, 1000);

const weightDevice = object<WeightDevice>({
  major: uint32,
  minor: uint32,
  weight: optional(weight),
  leafWeight: optional(weight),
});

const throttleDevice = object<ThrottleDevice>({
  major: uint32,
  minor: uint32,
  rate: uint64,
});

const blockIO = object<BlockIoLimits>({
  weight: optional(weight),
  leafWeight: optional(weight),
  weightDevice: optional(array(weightDevice)),
  throttleReadBpsDevice: optional(array(throttleDevice)),
  throttleWriteBpsDevice: optional(array(throttleDevice)),
  throttleReadIOPSDevice: optional(array(throttleDevice)),
  throttleWriteIOPSDevice: optional(array(throttleDevice)),
});

const hugepageLimit = object<Element<LinuxResources['hugepageLimits']>>({
  pageSize: stringWhere((value) => /^[1-9][0-9]*[KMG]B$/.test(value), 'a page size such as "2MB"'),
  limit: uint64,
});

const interfacePriority = object<Element<NetworkMarks['priorities']>>({
  name: interfaceName,
  priority: uint32,
});

const network = object<NetworkMarks>({
  classID: optional(uint32),
  priorities: optional(array(interfacePriority)),
});

const rdmaLimit = object<RdmaLimit>({
  hcaHandles: optional(uint32),
  hcaObjects: optional(uint32),
});

export const resources = object<LinuxResources>({
  devices: optional(array(deviceRule)),
  memory: optional(memory),
  cpu: optional(cpu),
  pids: optional(pids),
  blockIO: optional(blockIO),
  hugepageLimits: optional(array(hugepageLimit)),
  network: optional(network),
  rdma: optional(record(fileName, rdmaLimit)),
  unified: optional(record(fileName, string)),
});
