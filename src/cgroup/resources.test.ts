import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blockIoWeightToIoWeight, sharesToWeight } from './conversion.ts';
import type { CgroupHost } from './hierarchy.ts';
import type { LinuxResources } from './linux-resources.ts';
import { hybridHost, legacyHost, recorded, unifiedHost } from './recorded-hosts.ts';
import { resourceWrites, unifiedControllersOf, type CurrentLimits } from './resources.ts';

const unified = recorded(unifiedHost);
const hybrid = recorded(hybridHost);
const legacy: CgroupHost = { ...recorded(legacyHost), hierarchies: [
  ...recorded(legacyHost).hierarchies,
  { controllers: ['cpuset', 'blkio', 'hugetlb', 'rdma'], mountPoint: '/sys/fs/cgroup/rest', version: 1, own: '/' },
] };

/** `file=value`, an optional one with a question mark. */
function texts(resources: LinuxResources, host: CgroupHost, current?: CurrentLimits): string[] {
  return resourceWrites(resources, host, current).map(({ file, value, optional }) => `${file}=${value}${optional === true ? '?' : ''}`);
}

interface Case {
  readonly resources: LinuxResources;
  /** What to write, or the message of the refusal. */
  readonly v1: readonly string[] | string;
  readonly v2: readonly string[] | string;
}

const noSuch = (field: string): string => `linux.resources.${field}: cgroup v2 has no such limit`;

const cases: Record<string, Case> = {
  'nothing': { resources: {}, v1: [], v2: [] },
  'zeros are not set': {
    resources: { cpu: { shares: 0, quota: 0, period: 0, realtimeRuntime: 0, realtimePeriod: 0, cpus: '', mems: '' },
      memory: { limit: 0, swap: 0, reservation: 0, kernel: 0, kernelTCP: 0 }, blockIO: { weight: 0, leafWeight: 0, weightDevice: [] },
      network: { classID: 0, priorities: [] }, hugepageLimits: [], rdma: {} },
    v1: [], v2: [],
  },
  'shares': { resources: { cpu: { shares: 1024 } }, v1: ['cpu.shares=1024'], v2: ['cpu.weight=100'] },
  'quota and period': {
    resources: { cpu: { quota: 50_000, period: 100_000 } },
    v1: ['cpu.cfs_period_us=100000', 'cpu.cfs_quota_us=50000'], v2: ['cpu.max=50000 100000'],
  },
  'quota alone': { resources: { cpu: { quota: 20_000n } }, v1: ['cpu.cfs_quota_us=20000'], v2: ['cpu.max=20000 100000'] },
  'period alone': { resources: { cpu: { period: 50_000 } }, v1: ['cpu.cfs_period_us=50000'], v2: ['cpu.max=max 50000'] },
  'no quota': { resources: { cpu: { quota: -1, period: 50_000 } }, v1: ['cpu.cfs_period_us=50000', 'cpu.cfs_quota_us=-1'], v2: ['cpu.max=max 50000'] },
  'burst comes after the quota that holds it': {
    resources: { cpu: { quota: 50_000, burst: 10_000 } },
    v1: ['cpu.cfs_quota_us=50000', 'cpu.cfs_burst_us=10000'], v2: ['cpu.max=50000 100000', 'cpu.max.burst=10000'],
  },
  'real time': {
    resources: { cpu: { realtimeRuntime: 950_000, realtimePeriod: 1_000_000 } },
    v1: ['cpu.rt_period_us=1000000', 'cpu.rt_runtime_us=950000'], v2: noSuch('cpu.realtimePeriod'),
  },
  'idle 0 is set': { resources: { cpu: { idle: 0 } }, v1: ['cpu.idle=0'], v2: ['cpu.idle=0'] },
  'processors': { resources: { cpu: { cpus: '0-1,3', mems: '0' } }, v1: ['cpuset.cpus=0-1,3', 'cpuset.mems=0'], v2: ['cpuset.cpus=0-1,3', 'cpuset.mems=0'] },
  'memory and swap': {
    resources: { memory: { limit: 1000, swap: 1500, reservation: 500 } },
    v1: ['memory.limit_in_bytes=1000', 'memory.memsw.limit_in_bytes=1500', 'memory.soft_limit_in_bytes=500'],
    v2: ['memory.swap.max=500', 'memory.max=1000', 'memory.low=500'],
  },
  'no swap at all': {
    resources: { memory: { limit: 1000, swap: 1000 } },
    v1: ['memory.limit_in_bytes=1000', 'memory.memsw.limit_in_bytes=1000'], v2: ['memory.swap.max=0?', 'memory.max=1000'],
  },
  'any swap': {
    resources: { memory: { limit: 1000, swap: -1 } },
    v1: ['memory.limit_in_bytes=1000', 'memory.memsw.limit_in_bytes=-1'], v2: ['memory.swap.max=max?', 'memory.max=1000'],
  },
  'no limit of memory means none of swap': {
    resources: { memory: { limit: -1, reservation: -1 } },
    v1: ['memory.limit_in_bytes=-1', 'memory.memsw.limit_in_bytes=-1?', 'memory.soft_limit_in_bytes=-1'],
    v2: ['memory.swap.max=max?', 'memory.max=max', 'memory.low=max'],
  },
  'a limit beyond doubles': {
    resources: { memory: { limit: 9_223_372_036_854_771_712n } },
    v1: ['memory.limit_in_bytes=9223372036854771712'], v2: ['memory.max=9223372036854771712'],
  },
  'kernel memory': { resources: { memory: { kernel: 4096 } }, v1: ['memory.kmem.limit_in_bytes=4096?'], v2: noSuch('memory.kernel') },
  'kernel TCP memory': { resources: { memory: { kernelTCP: 4096 } }, v1: ['memory.kmem.tcp.limit_in_bytes=4096'], v2: noSuch('memory.kernelTCP') },
  'no limit of kernel memory': {
    resources: { memory: { kernel: -1, kernelTCP: -1 } },
    v1: ['memory.kmem.limit_in_bytes=-1?', 'memory.kmem.tcp.limit_in_bytes=-1'], v2: [],
  },
  'swappiness 0 is set': { resources: { memory: { swappiness: 0 } }, v1: ['memory.swappiness=0'], v2: noSuch('memory.swappiness') },
  'no OOM killer': { resources: { memory: { disableOOMKiller: true } }, v1: ['memory.oom_control=1'], v2: noSuch('memory.disableOOMKiller') },
  'an OOM killer, as engines write it': { resources: { memory: { disableOOMKiller: false } }, v1: [], v2: [] },
  'hierarchy': { resources: { memory: { useHierarchy: true } }, v1: ['memory.use_hierarchy=1?'], v2: [] },
  'no hierarchy': { resources: { memory: { useHierarchy: false } }, v1: ['memory.use_hierarchy=0'], v2: noSuch('memory.useHierarchy') },
  'pids': { resources: { pids: { limit: 100 } }, v1: ['pids.max=100'], v2: ['pids.max=100'] },
  'pids without limit': { resources: { pids: { limit: -1 } }, v1: ['pids.max=max'], v2: ['pids.max=max'] },
  'pids 0': { resources: { pids: { limit: 0 } }, v1: ['pids.max=max'], v2: ['pids.max=max'] },
  'block I/O weight': { resources: { blockIO: { weight: 500 } }, v1: ['blkio.weight=500'], v2: ['io.weight=default 4950'] },
  'block I/O leaf weight': { resources: { blockIO: { leafWeight: 500 } }, v1: ['blkio.leaf_weight=500'], v2: noSuch('blockIO.leafWeight') },
  'weight of a device': { resources: { blockIO: { weightDevice: [{ major: 8, minor: 0, weight: 10 }] } }, v1: ['blkio.weight_device=8:0 10'], v2: ['io.weight=8:0 1'] },
  'leaf weight of a device': {
    resources: { blockIO: { weightDevice: [{ major: 8, minor: 0, leafWeight: 10 }] } },
    v1: ['blkio.leaf_weight_device=8:0 10'], v2: noSuch('blockIO.weightDevice[0].leafWeight'),
  },
  'throttles': {
    resources: { blockIO: { throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1_048_576 }], throttleWriteBpsDevice: [{ major: 8, minor: 16, rate: 0 }],
      throttleReadIOPSDevice: [{ major: 8, minor: 0, rate: 2n ** 64n - 1n }], throttleWriteIOPSDevice: [{ major: 8, minor: 0, rate: 7 }] } },
    v1: ['blkio.throttle.read_bps_device=8:0 1048576', 'blkio.throttle.write_bps_device=8:16 0',
      'blkio.throttle.read_iops_device=8:0 18446744073709551615', 'blkio.throttle.write_iops_device=8:0 7'],
    v2: ['io.max=8:0 rbps=1048576', 'io.max=8:16 wbps=max', 'io.max=8:0 riops=18446744073709551615', 'io.max=8:0 wiops=7'],
  },
  'huge pages': {
    resources: { hugepageLimits: [{ pageSize: '2MB', limit: 0 }] },
    v1: ['hugetlb.2MB.limit_in_bytes=0', 'hugetlb.2MB.rsvd.limit_in_bytes=0?'], v2: ['hugetlb.2MB.max=0', 'hugetlb.2MB.rsvd.max=0?'],
  },
  'network class': { resources: { network: { classID: 0x100001 } }, v1: ['net_cls.classid=1048577'], v2: noSuch('network.classID') },
  'network priorities': {
    resources: { network: { priorities: [{ name: 'eth0', priority: 500 }, { name: 'lo', priority: 0 }] } },
    v1: ['net_prio.ifpriomap=eth0 500', 'net_prio.ifpriomap=lo 0'], v2: noSuch('network.priorities'),
  },
  'RDMA': {
    resources: { rdma: { mlx5_1: { hcaHandles: 3, hcaObjects: 10_000 }, mlx4_0: { hcaObjects: 1 } } },
    v1: ['rdma.max=mlx5_1 hca_handle=3 hca_object=10000', 'rdma.max=mlx4_0 hca_object=1'],
    v2: ['rdma.max=mlx5_1 hca_handle=3 hca_object=10000', 'rdma.max=mlx4_0 hca_object=1'],
  },
  'files of v2, a line each': {
    resources: { unified: { 'memory.high': '1000', 'io.max': '8:0 rbps=1\n8:16 wbps=2\n', 'cgroup.max.depth': '5' } },
    v1: 'linux.resources.unified.memory.high: this host has cgroup v1 only',
    v2: ['memory.high=1000', 'io.max=8:0 rbps=1', 'io.max=8:16 wbps=2', 'cgroup.max.depth=5'],
  },
};

for (const [name, { resources, v1, v2 }] of Object.entries(cases)) {
  for (const [version, host, expected] of [['v1', legacy, v1], ['v2', unified, v2]] as const) {
    test(`${name}, ${version}`, () => {
      if (typeof expected === 'string') assert.throws(() => resourceWrites(resources, host), { code: 'unsupported', message: expected });
      else assert.deepEqual(texts(resources, host), expected);
    });
  }
}

const refusals: Record<string, LinuxResources> = {
  'cpu.period: expected 1000 to 1000000, found 5': { cpu: { period: 5 } },
  'cpu.quota: expected at least 1000, or -1 for no limit, found 999': { cpu: { quota: 999 } },
  'cpu.quota: expected a whole number from -1, found -2': { cpu: { quota: -2 } },
  'cpu.idle: expected 0 to 1, found 2': { cpu: { idle: 2 } },
  'cpu.cpus: expected a list such as 0-3,8, found "0-"': { cpu: { cpus: '0-' } },
  'cpu.mems: expected a list such as 0-3,8, found "0\\n1"': { cpu: { mems: '0\n1' } },
  'memory.limit: expected a whole number from -1, found -2': { memory: { limit: -2n } },
  'memory.limit: expected a whole number from -1, found 1.5': { memory: { limit: 1.5 } },
  'memory.limit: expected a whole number from -1, found 9223372036854775808': { memory: { limit: 2n ** 63n } },
  'memory.swap: expected at least the memory limit of 1000, which it includes, found 999': { memory: { limit: 1000, swap: 999 } },
  'memory.swap: expected a memory limit beside it, since cgroup v2 limits swap alone, found 999': { memory: { swap: 999 } },
  'memory.swappiness: expected 0 to 100, found 101': { memory: { swappiness: 101 } },
  'pids.limit: expected a whole number from -1, found -2': { pids: { limit: -2 } },
  'pids.limit: expected a whole number from -1, found "7"': { pids: { limit: '7' as unknown as number } },
  'blockIO.weight: expected 10 to 1000, found 9': { blockIO: { weight: 9 } },
  'blockIO.weightDevice[0].weight: expected 10 to 1000, found 1001': { blockIO: { weightDevice: [{ major: 8, minor: 0, weight: 1001 }] } },
  'blockIO.throttleReadBpsDevice[1].major: expected 0 to 4294967295, found -1': {
    blockIO: { throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1 }, { major: -1, minor: 0, rate: 1 }] },
  },
  'hugepageLimits[0].pageSize: expected a page size such as 2MB, found "../2MB"': { hugepageLimits: [{ pageSize: '../2MB', limit: 1 }] },
  'rdma.a b: expected the name of an RDMA device, found "a b"': { rdma: { 'a b': { hcaHandles: 1 } } },
  'rdma.a: expected hcaHandles or hcaObjects, found {}': { rdma: { a: {} } },
  'unified...~1memory.max: expected the name of a file such as memory.high, without \'/\', found "../memory.max"': { unified: { '../memory.max': '1' } },
};

for (const [message, resources] of Object.entries(refusals)) {
  test(`refused: ${message}`, () => {
    assert.throws(() => resourceWrites(resources, unified), { code: 'bad-config', message: `linux.resources.${message}` });
  });
}

test('what the kernel would bring into range without a word is refused in v1, where it is read back', () => {
  assert.throws(() => resourceWrites({ cpu: { shares: 1 } }, legacy), { message: 'linux.resources.cpu.shares: expected 2 to 262144, found 1' });
  assert.deepEqual(texts({ cpu: { shares: 1 } }, unified), ['cpu.weight=1']);
});

test('a controller the host does not have is named', () => {
  assert.throws(() => resourceWrites({ network: { classID: 1 } }, hybrid), {
    code: 'unsupported',
    message: 'linux.resources.network.classID: this host has no cgroup controller net_cls (it has: hugetlb name=systemd pids blkio freezer devices memory cpuset cpuacct cpu)',
  });
  const bare: CgroupHost = { mode: 'unified', hierarchies: [{ controllers: ['cpu'], mountPoint: '/c', version: 2, own: '/' }], unifiedControllers: ['cpu'], bfq: false };
  assert.throws(() => resourceWrites({ blockIO: { weight: 10 } }, bare), { message: 'linux.resources.blockIO.weight: this host has no cgroup controller io (it has: cpu)' });
  assert.throws(() => resourceWrites({ unified: { 'memory.high': '1' } }, bare), { message: 'linux.resources.unified.memory.high: this host has no controller memory in cgroup v2 (it has: cpu)' });
});

test('on a hybrid each controller is written where it is', () => {
  const writes = resourceWrites({ memory: { limit: 1000 }, hugepageLimits: [{ pageSize: '2MB', limit: 0 }], unified: { 'hugetlb.2MB.max': '4096' } }, hybrid);
  assert.deepEqual(writes.map(({ controller, file }) => [controller, file]), [
    ['memory', 'memory.limit_in_bytes'], ['', 'hugetlb.2MB.max'], ['', 'hugetlb.2MB.rsvd.max'], ['', 'hugetlb.2MB.max'],
  ]);
  assert.deepEqual(unifiedControllersOf(writes), ['hugetlb']);
});

test('where BFQ is, it has the weights, in its own range', () => {
  const weights: LinuxResources = { blockIO: { weight: 500, weightDevice: [{ major: 8, minor: 0, weight: 300 }] } };
  assert.deepEqual(texts(weights, { ...unified, bfq: true }), ['io.bfq.weight=500', 'io.bfq.weight=8:0 300']);
  assert.deepEqual(texts(weights, { ...legacy, bfq: true }), ['blkio.bfq.weight=500', 'blkio.bfq.weight_device=8:0 300']);
});

test('an update writes no step the kernel refuses: memory and swap', () => {
  const resources: LinuxResources = { memory: { limit: 1000, swap: 2000 } };
  assert.deepEqual(texts(resources, legacy, { memoryLimit: 500n }), ['memory.memsw.limit_in_bytes=2000', 'memory.limit_in_bytes=1000']);
  assert.deepEqual(texts(resources, legacy, { memoryLimit: 3000n }), ['memory.limit_in_bytes=1000', 'memory.memsw.limit_in_bytes=2000']);
  assert.deepEqual(texts({ memory: { limit: -1 } }, legacy, { memoryLimit: 500n }), ['memory.memsw.limit_in_bytes=-1?', 'memory.limit_in_bytes=-1']);
});

test('an update writes no step the kernel refuses: quota, period and burst', () => {
  const resources: LinuxResources = { cpu: { quota: 20_000, period: 50_000, burst: 5000 } };
  assert.deepEqual(texts(resources, legacy, {}), [
    'cpu.cfs_period_us=50000?', 'cpu.cfs_burst_us=5000?', 'cpu.cfs_quota_us=20000', 'cpu.cfs_period_us=50000', 'cpu.cfs_burst_us=5000',
  ]);
  assert.deepEqual(texts(resources, unified, {}), ['cpu.max.burst=5000?', 'cpu.max=20000 50000', 'cpu.max.burst=5000']);
  assert.deepEqual(texts({ cpu: { burst: 5000 } }, unified, {}), ['cpu.max.burst=5000']);
});

test('an update below what is in use is refused when asked', () => {
  const resources: LinuxResources = { memory: { limit: 1000, checkBeforeUpdate: true } };
  assert.throws(() => resourceWrites(resources, unified, { memoryUsage: 1001n }), {
    code: 'wrong-state', message: 'linux.resources.memory.limit: expected at least the 1001 bytes in use, found 1000',
  });
  assert.deepEqual(texts(resources, unified, { memoryUsage: 1000n }), ['memory.max=1000']);
  assert.deepEqual(texts({ memory: { limit: 1000 } }, unified, { memoryUsage: 1001n }), ['memory.max=1000']);
});

test('every write points to the field that asked for it', () => {
  const writes = resourceWrites({ cpu: { quota: 20_000, period: 50_000 }, hugepageLimits: [{ pageSize: '2MB', limit: 1 }] }, legacy, {});
  assert.deepEqual(writes.map(({ why }) => why.replace('/linux/resources/', '')), [
    'cpu/period', 'cpu/quota', 'cpu/period', 'hugepageLimits/0', 'hugepageLimits/0',
  ]);
});

test('shares become weights by a curve through both ends and the usual value', () => {
  const pairs = [[0, 1], [2, 1], [3, 2], [1024, 100], [2048, 174], [512, 59], [262_144, 10_000], [262_145, 10_000]] as const;
  for (const [shares, weight] of pairs) assert.equal(sharesToWeight(BigInt(shares)), BigInt(weight), String(shares));
  let last = 0n;
  for (let shares = 2n; shares <= 262_144n; shares += 97n) {
    const weight = sharesToWeight(shares);
    assert.ok(weight >= last && weight >= 1n && weight <= 10_000n);
    last = weight;
  }
});

test('block I/O weights become weights by a line', () => {
  assert.deepEqual([10n, 505n, 1000n].map(blockIoWeightToIoWeight), [1n, 5000n, 10_000n]);
});
