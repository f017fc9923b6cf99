import { parseDeviceTable, parseIoStat, parseKeyed, parseNumberList, parsePressure, parseValue, UINT64_MAX } from './stats-text.ts';
import type { DeviceCount, Pressure } from './stats-text.ts';

/**
 * What a container uses, in the shape of runc's `events --stats`: names and nesting are theirs, and so is that a field marked
 * `?` is left out when it is 0. Times in nanoseconds, memory in bytes.
 */
export interface CgroupStats {
  readonly cpu: CpuStats;
  readonly cpuset: CpusetStats;
  readonly memory: MemoryStats;
  readonly pids: { readonly current?: bigint; readonly limit?: bigint };
  readonly blkio: BlkioStats;
  readonly hugetlb: Readonly<Record<string, { readonly usage?: bigint; readonly max?: bigint; readonly failcnt: bigint }>>;
  readonly intel_rdt: Readonly<Record<string, never>>;
  readonly network_interfaces: null;
}

export interface CpuStats {
  readonly usage: {
    readonly total?: bigint;
    readonly percpu?: readonly bigint[];
    readonly percpu_kernel?: readonly bigint[];
    readonly percpu_user?: readonly bigint[];
    readonly kernel: bigint;
    readonly user: bigint;
  };
  readonly throttling: { readonly periods?: bigint; readonly throttledPeriods?: bigint; readonly throttledTime?: bigint };
  readonly psi?: PressureStats;
}

export type CpusetStats = { readonly cpus?: readonly number[]; readonly mems?: readonly number[] } & Readonly<Record<CpusetFlag, bigint>>;

export interface MemoryStats {
  readonly cache?: bigint;
  readonly usage: MemoryEntry;
  /** Memory and swap together, for v2 as well. */
  readonly swap: MemoryEntry;
  readonly kernel: MemoryEntry;
  readonly kernelTCP: MemoryEntry;
  readonly raw?: Readonly<Record<string, bigint>>;
  readonly psi?: PressureStats;
}

/** The limit is 2^64-1 (v2) or 2^63 rounded down to a page (v1) where there is none. */
export interface MemoryEntry {
  readonly limit: bigint;
  readonly usage?: bigint;
  readonly max?: bigint;
  readonly failcnt: bigint;
}

export interface BlkioStats {
  readonly ioServiceBytesRecursive?: readonly DeviceCount[];
  readonly ioServicedRecursive?: readonly DeviceCount[];
  readonly psi?: PressureStats;
}

export interface PressureStats {
  readonly some?: Pressure;
  readonly full?: Pressure;
}

/** Gives the text of a file of the container's cgroup; `controller` as in CgroupPaths; nothing when there is no such file. */
export type ReadFile = (controller: string, file: string) => string | undefined;

/**
 * Statistics out of the files that `read` gives. What a host does not count is 0 or absent, as in runc.
 * @param controllers the keys of the container's CgroupPaths: those of v1 that are there, and '' for v2
 * @param hugePageSizes as in the names of files, `2MB`
 * @throws DelosError io for a file whose contents cannot be understood.
 */
export function cgroupStats(read: ReadFile, controllers: readonly string[], hugePageSizes: readonly string[]): CgroupStats {
  const has = (controller: string): boolean => controllers.includes(controller);
  return {
    cpu: has('cpu') || has('cpuacct') ? legacyCpu(read) : unifiedCpu(read),
    cpuset: cpusetStats(read),
    memory: has('memory') ? legacyMemory(read) : unifiedMemory(read),
    pids: pidsStats(read, has('pids') ? 'pids' : ''),
    blkio: has('blkio') ? legacyBlkio(read) : unifiedBlkio(read),
    hugetlb: hugetlbStats(read, has('hugetlb') ? 'hugetlb' : '', hugePageSizes),
    intel_rdt: {},
    network_interfaces: null,
  };
}

/** A line of `events`: `{"type":"stats","id":...,"data":...}`. Numbers keep all their digits. */
export function eventText(type: 'stats' | 'oom', id: string, data?: CgroupStats): string {
  return JSON.stringify({ type, id, data }, (_, value: unknown) => (typeof value === 'bigint' ? rawNumber(value) : value));
}

// The library types do not know it yet; V8 has had it since Node 21.
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

function rawNumber(value: bigint): unknown {
  return rawJSON(String(value));
}

const nanosecondsPerMicrosecond = 1000n;
/** cpuacct.stat counts in USER_HZ, which is 100 in every kernel's interface. */
const nanosecondsPerTick = 10_000_000n;

function legacyCpu(read: ReadFile): CpuStats {
  const ticks = keyed(read, 'cpuacct', 'cpuacct.stat');
  const perCpu = (read('cpuacct', 'cpuacct.usage_all') ?? '').split('\n').slice(1).filter((line) => line !== '')
    .map((line) => line.split(' ').slice(1).map((text) => parseValue(text, 'cpuacct.usage_all')));
  const total = (read('cpuacct', 'cpuacct.usage_percpu') ?? '').split(/\s+/).filter((text) => text !== '')
    .map((text) => parseValue(text, 'cpuacct.usage_percpu'));
  const throttled = keyed(read, 'cpu', 'cpu.stat');
  return {
    usage: {
      ...unlessZero('total', value(read, 'cpuacct', 'cpuacct.usage')),
      ...unlessEmpty('percpu', total),
      ...unlessEmpty('percpu_kernel', perCpu.map(([, kernel]) => kernel ?? 0n)),
      ...unlessEmpty('percpu_user', perCpu.map(([user]) => user ?? 0n)),
      kernel: (ticks.get('system') ?? 0n) * nanosecondsPerTick,
      user: (ticks.get('user') ?? 0n) * nanosecondsPerTick,
    },
    throttling: throttling(throttled, throttled.get('throttled_time')),
  };
}

function unifiedCpu(read: ReadFile): CpuStats {
  const stat = keyed(read, '', 'cpu.stat');
  const nanoseconds = (key: string): bigint => (stat.get(key) ?? 0n) * nanosecondsPerMicrosecond;
  return {
    usage: { ...unlessZero('total', nanoseconds('usage_usec')), kernel: nanoseconds('system_usec'), user: nanoseconds('user_usec') },
    throttling: throttling(stat, nanoseconds('throttled_usec')),
    ...pressure(read, 'cpu.pressure'),
  };
}

function throttling(stat: ReadonlyMap<string, bigint>, time: bigint | undefined): CpuStats['throttling'] {
  return {
    ...unlessZero('periods', stat.get('nr_periods')),
    ...unlessZero('throttledPeriods', stat.get('nr_throttled')),
    ...unlessZero('throttledTime', time),
  };
}

const cpusetFlags = [
  'cpu_exclusive', 'mem_hardwall', 'mem_exclusive', 'memory_migrate', 'memory_spread_page', 'memory_spread_slab',
  'memory_pressure', 'sched_load_balance', 'sched_relax_domain_level',
] as const;
type CpusetFlag = (typeof cpusetFlags)[number];

function cpusetStats(read: ReadFile): CpusetStats {
  const flags = cpusetFlags.map((flag) => [flag, value(read, 'cpuset', `cpuset.${flag}`)] as const);
  return {
    ...unlessEmpty('cpus', parseNumberList(read('cpuset', 'cpuset.cpus') ?? '', 'cpuset.cpus')),
    ...unlessEmpty('mems', parseNumberList(read('cpuset', 'cpuset.mems') ?? '', 'cpuset.mems')),
    ...(Object.fromEntries(flags) as Record<CpusetFlag, bigint>),
  };
}

function legacyMemory(read: ReadFile): MemoryStats {
  const raw = keyed(read, 'memory', 'memory.stat');
  const entry = (prefix: string): MemoryEntry => memoryEntry(
    value(read, 'memory', `${prefix}.limit_in_bytes`), value(read, 'memory', `${prefix}.usage_in_bytes`),
    value(read, 'memory', `${prefix}.max_usage_in_bytes`), value(read, 'memory', `${prefix}.failcnt`),
  );
  return {
    ...unlessZero('cache', raw.get('cache')),
    usage: entry('memory'), swap: entry('memory.memsw'), kernel: entry('memory.kmem'), kernelTCP: entry('memory.kmem.tcp'),
    ...rawStats(raw),
  };
}

function unifiedMemory(read: ReadFile): MemoryStats {
  const raw = keyed(read, '', 'memory.stat');
  const [limit, usage] = [value(read, '', 'memory.max'), value(read, '', 'memory.current')];
  const swapLimit = value(read, '', 'memory.swap.max');
  const sum = swapLimit === UINT64_MAX || limit === UINT64_MAX ? UINT64_MAX : limit + swapLimit;
  const none = memoryEntry(0n, 0n, 0n, 0n);
  return {
    ...unlessZero('cache', raw.get('file')),
    usage: memoryEntry(limit, usage, value(read, '', 'memory.peak'), 0n),
    // The peaks of both were not at the same moment, so there is none of the sum.
    swap: memoryEntry(sum, usage + value(read, '', 'memory.swap.current'), 0n, 0n),
    kernel: none, kernelTCP: none,
    ...rawStats(raw),
    ...pressure(read, 'memory.pressure'),
  };
}

function memoryEntry(limit: bigint, usage: bigint, max: bigint, failcnt: bigint): MemoryEntry {
  return { limit, ...unlessZero('usage', usage), ...unlessZero('max', max), failcnt };
}

function rawStats(raw: ReadonlyMap<string, bigint>): { raw?: Record<string, bigint> } {
  return raw.size === 0 ? {} : { raw: Object.fromEntries([...raw].toSorted(([a], [b]) => (a < b ? -1 : 1))) };
}

function pidsStats(read: ReadFile, controller: string): CgroupStats['pids'] {
  const limit = value(read, controller, 'pids.max');
  return { ...unlessZero('current', value(read, controller, 'pids.current')), ...unlessZero('limit', limit === UINT64_MAX ? 0n : limit) };
}

/** Whichever the scheduler in use counts: BFQ, the old CFQ, or else the throttling layer, which always does. */
function legacyBlkio(read: ReadFile): BlkioStats {
  const table = (name: string): DeviceCount[] => ['blkio.bfq.', 'blkio.', 'blkio.throttle.']
    .map((prefix) => parseDeviceTable(read('blkio', `${prefix}${name}`) ?? '', `${prefix}${name}`))
    .find((counts) => counts.length > 0) ?? [];
  return {
    ...unlessEmpty('ioServiceBytesRecursive', table('io_service_bytes_recursive')),
    ...unlessEmpty('ioServicedRecursive', table('io_serviced_recursive')),
  };
}

function unifiedBlkio(read: ReadFile): BlkioStats {
  const tables = parseIoStat(read('', 'io.stat') ?? '', 'io.stat');
  const both = (kind: string): DeviceCount[] => [...(tables.get(`r${kind}`) ?? []), ...(tables.get(`w${kind}`) ?? [])];
  return {
    ...unlessEmpty('ioServiceBytesRecursive', both('bytes')),
    ...unlessEmpty('ioServicedRecursive', both('ios')),
    ...pressure(read, 'io.pressure'),
  };
}

function hugetlbStats(read: ReadFile, controller: string, sizes: readonly string[]): CgroupStats['hugetlb'] {
  const [current, peak] = controller === '' ? ['current', undefined] : ['usage_in_bytes', 'max_usage_in_bytes'];
  const counted = sizes.filter((size) => read(controller, `hugetlb.${size}.${current}`) !== undefined);
  return Object.fromEntries(counted.map((size) => [size, {
    ...unlessZero('usage', value(read, controller, `hugetlb.${size}.${current}`)),
    ...unlessZero('max', peak === undefined ? 0n : value(read, controller, `hugetlb.${size}.${peak}`)),
    failcnt: controller === '' ? keyed(read, '', `hugetlb.${size}.events`).get('max') ?? 0n : value(read, controller, `hugetlb.${size}.failcnt`),
  }]));
}

function pressure(read: ReadFile, file: string): { psi?: PressureStats } {
  const text = read('', file);
  if (text === undefined) return {};
  const lines = parsePressure(text, file);
  return lines.size === 0 ? {} : { psi: Object.fromEntries(lines) };
}

function value(read: ReadFile, controller: string, file: string): bigint {
  const text = read(controller, file);
  return text === undefined ? 0n : parseValue(text, file);
}

function keyed(read: ReadFile, controller: string, file: string): Map<string, bigint> {
  return parseKeyed(read(controller, file) ?? '', file);
}

function unlessZero<Key extends string>(key: Key, number: bigint | undefined): { readonly [key in Key]?: bigint } {
  return number === undefined || number === 0n ? {} : { [key]: number } as { readonly [key in Key]?: bigint };
}

function unlessEmpty<Key extends string, Item>(key: Key, list: readonly Item[]): { readonly [key in Key]?: readonly Item[] } {
  return list.length === 0 ? {} : { [key]: list } as { readonly [key in Key]?: readonly Item[] };
}
