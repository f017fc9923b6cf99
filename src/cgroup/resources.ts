import { DelosError } from '../lib/errors.ts';
import { blockIoWeightToIoWeight, sharesToWeight, unlimitedAsMax } from './conversion.ts';
import { badValue, fieldName, INT64_MAX, integerOf, textOf, UINT32_MAX, unsupportedField } from './field-check.ts';
import type { CgroupHost } from './hierarchy.ts';
import type { LinuxResources, ThrottleDevice, WeightDevice } from './linux-resources.ts';
import {
  blockIoWeight, burstOf, deviceNumber, isSet, limitOf, numberList, optional, periodOf, quotaOf, swapOf, unlessEmpty, unlessZero,
} from './resource-values.ts';
import { row, type AnyRow, type CgroupWrite, type CurrentLimits, type Line, type RowContext } from './row.ts';

export type { CgroupWrite, CurrentLimits } from './row.ts';

/**
 * What to write for `linux.resources`, except for the devices (devices.ts), on this host. Pure.
 * With `current`, an update of a cgroup in use: some limits are then written twice or in another order, so that no step
 * in between is one the kernel refuses.
 * @throws DelosError bad-config for a value out of range; unsupported for a field this host cannot honour; wrong-state for a
 * limit below the present use when `memory.checkBeforeUpdate` is set.
 */
export function resourceWrites(resources: LinuxResources, host: CgroupHost, current?: CurrentLimits): CgroupWrite[] {
  return [...rows.flatMap((write) => write(resources, host, current)), ...unifiedWrites(resources, host)];
}

/** The v2 controllers a list of writes needs: a file's name begins with its controller. */
export function unifiedControllersOf(writes: readonly CgroupWrite[]): string[] {
  const names = writes.filter(({ controller }) => controller === '').map(({ file }) => controllerOfFile(file));
  return [...new Set(names)].filter((name) => name !== 'cgroup');
}

const cpu = ['cpu', 'cpu'] as const;
const cpuset = ['cpuset', 'cpuset'] as const;
const memory = ['memory', 'memory'] as const;
const pids = ['pids', 'pids'] as const;
const blockIo = ['blkio', 'io'] as const;
const hugetlb = ['hugetlb', 'hugetlb'] as const;
const rdma = ['rdma', 'rdma'] as const;

const noSuchLimit = (): undefined => undefined;
const nothing: readonly Line[] = [];

/** Every row is one field. They are written from top to bottom. */
const rows: readonly AnyRow[] = [
  row({
    at: 'cpu/shares', controller: cpu,
    value: (resources, at) => unlessZero(resources.cpu?.shares, at, 0n),
    legacy: (shares, { at }) => [{ file: 'cpu.shares', value: integerOf(shares, at, 2n, 262144n) }],
    unified: (shares) => [{ file: 'cpu.weight', value: sharesToWeight(shares) }],
  }),
  row({
    at: 'cpu/period', controller: cpu,
    value: (resources, at) => unlessZero(resources.cpu?.period, at, 1000n, 1_000_000n),
    // The old quota over the new period may exceed what the parent has; after the new quota it is written again.
    legacy: (period, context) => [{ file: 'cpu.cfs_period_us', value: period, ...(isUpdateOf(context, 'quota') && { optional: true }) }],
    unified: (period, { resources }) => (isSet(resources.cpu?.quota) ? nothing : [{ file: 'cpu.max', value: `max ${period}` }]),
  }),
  row({
    at: 'cpu/burst', controller: cpu,
    value: burstOf,
    // Never above the quota, so a lower one has to go before a lower quota and a higher one after a higher quota.
    legacy: (burst, context) => (isUpdateOf(context, 'quota') ? [{ file: 'cpu.cfs_burst_us', value: burst, optional: true }] : nothing),
    unified: (burst, context) => (isUpdateOf(context, 'quota') ? [{ file: 'cpu.max.burst', value: burst, optional: true }] : nothing),
  }),
  row({
    at: 'cpu/quota', controller: cpu,
    value: quotaOf,
    legacy: (quota, context) => [{ file: 'cpu.cfs_quota_us', value: quota }, ...periodAgain(context)],
    unified: (quota, { resources }) => [{ file: 'cpu.max', value: `${unlimitedAsMax(quota)} ${periodOf(resources) ?? 100_000n}` }],
  }),
  row({
    at: 'cpu/burst', controller: cpu,
    value: burstOf,
    legacy: (burst) => [{ file: 'cpu.cfs_burst_us', value: burst }],
    unified: (burst) => [{ file: 'cpu.max.burst', value: burst }],
  }),
  row({
    at: 'cpu/realtimePeriod', controller: cpu,
    value: (resources, at) => unlessZero(resources.cpu?.realtimePeriod, at, 1n),
    legacy: (period) => [{ file: 'cpu.rt_period_us', value: period }],
    unified: noSuchLimit,
  }),
  row({
    at: 'cpu/realtimeRuntime', controller: cpu,
    value: (resources, at) => unlessZero(resources.cpu?.realtimeRuntime, at, -1n),
    legacy: (runtime) => [{ file: 'cpu.rt_runtime_us', value: runtime }],
    unified: noSuchLimit,
  }),
  row({
    at: 'cpu/idle', controller: cpu,
    value: (resources, at) => optional(resources.cpu?.idle, at, 0n, 1n),
    legacy: (idle) => [{ file: 'cpu.idle', value: idle }],
    unified: (idle) => [{ file: 'cpu.idle', value: idle }],
  }),
  row({
    at: 'cpu/cpus', controller: cpuset,
    value: (resources, at) => numberList(resources.cpu?.cpus, at),
    legacy: (cpus) => [{ file: 'cpuset.cpus', value: cpus }],
    unified: (cpus) => [{ file: 'cpuset.cpus', value: cpus }],
  }),
  row({
    at: 'cpu/mems', controller: cpuset,
    value: (resources, at) => numberList(resources.cpu?.mems, at),
    legacy: (mems) => [{ file: 'cpuset.mems', value: mems }],
    unified: (mems) => [{ file: 'cpuset.mems', value: mems }],
  }),
  row({
    at: 'memory/swap', controller: memory,
    value: swapOf,
    legacy: (swap, context) => (isSwapFirst(swap, context) ? swapLines(swap, context) : nothing),
    unified: unifiedSwap,
  }),
  row({
    at: 'memory/limit', controller: memory,
    value: limitOf,
    legacy: (limit, context) => [{ file: 'memory.limit_in_bytes', value: notBelowUse(limit, context) }],
    unified: (limit, context) => [{ file: 'memory.max', value: unlimitedAsMax(notBelowUse(limit, context)) }],
  }),
  row({
    at: 'memory/swap', controller: memory,
    value: swapOf,
    legacy: (swap, context) => (isSwapFirst(swap, context) ? nothing : swapLines(swap, context)),
    unified: () => nothing,
  }),
  row({
    at: 'memory/reservation', controller: memory,
    value: (resources, at) => unlessZero(resources.memory?.reservation, at, -1n),
    legacy: (reservation) => [{ file: 'memory.soft_limit_in_bytes', value: reservation }],
    unified: (reservation) => [{ file: 'memory.low', value: unlimitedAsMax(reservation) }],
  }),
  row({
    at: 'memory/kernel', controller: memory,
    value: (resources, at) => unlessZero(resources.memory?.kernel, at, -1n),
    // Kernels since 5.16 refuse it: kernel memory is part of the limit. The specification calls it deprecated.
    legacy: (kernel) => [{ file: 'memory.kmem.limit_in_bytes', value: kernel, optional: true }],
    unified: (kernel) => (kernel < 0n ? nothing : undefined),
  }),
  row({
    at: 'memory/kernelTCP', controller: memory,
    value: (resources, at) => unlessZero(resources.memory?.kernelTCP, at, -1n),
    legacy: (kernelTCP) => [{ file: 'memory.kmem.tcp.limit_in_bytes', value: kernelTCP }],
    unified: (kernelTCP) => (kernelTCP < 0n ? nothing : undefined),
  }),
  row({
    at: 'memory/swappiness', controller: memory,
    value: (resources, at) => optional(resources.memory?.swappiness, at, 0n, 100n),
    legacy: (swappiness) => [{ file: 'memory.swappiness', value: swappiness }],
    unified: noSuchLimit,
  }),
  row({
    at: 'memory/disableOOMKiller', controller: memory,
    value: (resources) => resources.memory?.disableOOMKiller,
    legacy: (disabled) => (disabled ? [{ file: 'memory.oom_control', value: '1' }] : nothing),
    unified: (disabled) => (disabled ? undefined : nothing),
  }),
  row({
    at: 'memory/useHierarchy', controller: memory,
    value: (resources) => resources.memory?.useHierarchy,
    // Always on since Linux 5.11, and in v2: to ask for it may be refused, not to want it cannot be had.
    legacy: (wanted) => [{ file: 'memory.use_hierarchy', value: wanted ? '1' : '0', ...(wanted && { optional: true }) }],
    unified: (wanted) => (wanted ? nothing : undefined),
  }),
  row({
    at: 'pids/limit', controller: pids,
    value: (resources, at) => optional(resources.pids?.limit, at, -1n, INT64_MAX),
    legacy: (limit) => [{ file: 'pids.max', value: limit === 0n ? 'max' : unlimitedAsMax(limit) }],
    unified: (limit) => [{ file: 'pids.max', value: limit === 0n ? 'max' : unlimitedAsMax(limit) }],
  }),
  row({
    at: 'blockIO/weight', controller: blockIo,
    value: (resources, at) => blockIoWeight(resources.blockIO?.weight, at),
    legacy: (weight, { host }) => [{ file: host.bfq ? 'blkio.bfq.weight' : 'blkio.weight', value: weight }],
    unified: (weight, { host }) => [host.bfq
      ? { file: 'io.bfq.weight', value: weight }
      : { file: 'io.weight', value: `default ${blockIoWeightToIoWeight(weight)}` }],
  }),
  row({
    at: 'blockIO/leafWeight', controller: blockIo,
    value: (resources, at) => blockIoWeight(resources.blockIO?.leafWeight, at),
    legacy: (weight) => [{ file: 'blkio.leaf_weight', value: weight }],
    unified: noSuchLimit,
  }),
  row({
    at: 'blockIO/weightDevice', controller: blockIo,
    value: (resources) => resources.blockIO?.weightDevice,
    legacy: (devices, { at, host }) => devices.flatMap((device, index) => legacyDeviceWeight(device, `${at}/${index}`, host.bfq)),
    unified: (devices, { at, host }) => devices.flatMap((device, index) => unifiedDeviceWeight(device, `${at}/${index}`, host.bfq)),
  }),
  throttle('throttleReadBpsDevice', 'read_bps_device', 'rbps'),
  throttle('throttleWriteBpsDevice', 'write_bps_device', 'wbps'),
  throttle('throttleReadIOPSDevice', 'read_iops_device', 'riops'),
  throttle('throttleWriteIOPSDevice', 'write_iops_device', 'wiops'),
  row({
    at: 'hugepageLimits', controller: hugetlb,
    value: (resources) => resources.hugepageLimits,
    legacy: (limits, { at }) => hugepageLines(limits, at, 'limit_in_bytes'),
    unified: (limits, { at }) => hugepageLines(limits, at, 'max'),
  }),
  row({
    at: 'network/classID', controller: ['net_cls', 'net_cls'],
    value: (resources, at) => unlessZero(resources.network?.classID, at, 0n, UINT32_MAX),
    legacy: (classID) => [{ file: 'net_cls.classid', value: classID }],
    unified: noSuchLimit,
  }),
  row({
    at: 'network/priorities', controller: ['net_prio', 'net_prio'],
    value: (resources) => unlessEmpty(resources.network?.priorities),
    legacy: (priorities, { at }) => priorities.map(({ name, priority }, index) => ({
      file: 'net_prio.ifpriomap',
      value: `${textOf(name, `${at}/${index}/name`, /^[^\s/]{1,15}$/, 'the name of a network interface')} ${
        integerOf(priority, `${at}/${index}/priority`, 0n, UINT32_MAX)}`,
      at: `${at}/${index}`,
    })),
    unified: noSuchLimit,
  }),
  row({
    at: 'rdma', controller: rdma,
    value: (resources) => resources.rdma,
    legacy: rdmaLines,
    unified: rdmaLines,
  }),
];

function throttle(
  field: 'throttleReadBpsDevice' | 'throttleWriteBpsDevice' | 'throttleReadIOPSDevice' | 'throttleWriteIOPSDevice',
  legacyFile: string, unifiedKey: string,
): AnyRow {
  const rateOf = (device: ThrottleDevice, at: string): bigint => integerOf(device.rate, `${at}/rate`, 0n, 2n ** 64n - 1n);
  return row({
    at: `blockIO/${field}`, controller: blockIo,
    value: (resources) => resources.blockIO?.[field],
    legacy: (devices, { at }) => devices.map((device, index) => ({
      file: `blkio.throttle.${legacyFile}`,
      value: `${deviceNumber(device, `${at}/${index}`)} ${rateOf(device, `${at}/${index}`)}`,
      at: `${at}/${index}`,
    })),
    // v1 takes 0 to remove a limit, v2 takes a word.
    unified: (devices, { at }) => devices.map((device, index) => ({
      file: 'io.max',
      value: `${deviceNumber(device, `${at}/${index}`)} ${unifiedKey}=${rateOf(device, `${at}/${index}`) || 'max'}`,
      at: `${at}/${index}`,
    })),
  });
}

/** The raw files of v2, a write for each line, since a file such as io.max takes one at a time. */
function unifiedWrites({ unified = {} }: LinuxResources, host: CgroupHost): CgroupWrite[] {
  return Object.entries(unified).flatMap(([file, text]) => {
    const why = `/linux/resources/unified/${file.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (host.hierarchies.every(({ version }) => version === 1)) throw unsupportedField(why, 'this host has cgroup v1 only');
    textOf(file, why, /^[A-Za-z0-9_]+\.[^/\s\0]+$/, "the name of a file such as memory.high, without '/'");
    const controller = controllerOfFile(file);
    if (controller !== 'cgroup' && !host.unifiedControllers.includes(controller)) {
      throw unsupportedField(why, `this host has no controller ${controller} in cgroup v2 (it has: ${host.unifiedControllers.join(' ') || 'none'})`);
    }
    const lines = textOf(text, why, /^[^\0]*$/, 'a text').split('\n').filter((line, index) => line !== '' || index === 0);
    return lines.map((value) => ({ controller: '', file, value, why }));
  });
}

function controllerOfFile(file: string): string {
  return file.slice(0, file.indexOf('.'));
}

function isUpdateOf({ current, resources }: RowContext, field: 'quota'): boolean {
  return current !== undefined && isSet(resources.cpu?.[field]);
}

function periodAgain({ resources, current }: RowContext): Line[] {
  const period = periodOf(resources);
  if (current === undefined || period === undefined) return [];
  return [{ file: 'cpu.cfs_period_us', value: period, at: '/linux/resources/cpu/period' }];
}

/** v1 keeps memory <= memory+swap at every moment, so when both grow the sum has to go first. */
function isSwapFirst(swap: bigint, { resources, current }: RowContext): boolean {
  if (current === undefined || !isSet(resources.memory?.limit)) return false;
  return swap === -1n || (current.memoryLimit ?? INT64_MAX) < swap;
}

function swapLines(swap: bigint, { resources }: RowContext): Line[] {
  // When it only follows from the memory limit, a kernel without swap accounting is no obstacle.
  return [{ file: 'memory.memsw.limit_in_bytes', value: swap, ...(!isSet(resources.memory?.swap) && { optional: true }) }];
}

/** v2 limits swap alone. A kernel without swap honours "none" and "any" without the file. */
function unifiedSwap(swap: bigint, { resources, at }: RowContext): Line[] {
  const limit = limitOf(resources, '/linux/resources/memory/limit') ?? 0n;
  if (swap >= 0n && limit <= 0n) throw badValue(at, 'a memory limit beside it, since cgroup v2 limits swap alone', swap);
  const alone = swap < 0n ? swap : swap - limit;
  return [{ file: 'memory.swap.max', value: unlimitedAsMax(alone), ...(alone <= 0n && { optional: true }) }];
}

function notBelowUse(limit: bigint, { resources, current, at }: RowContext): bigint {
  const use = current?.memoryUsage;
  if (resources.memory?.checkBeforeUpdate === true && use !== undefined && limit >= 0n && limit < use) {
    throw new DelosError('wrong-state', `${fieldName(at)}: expected at least the ${use} bytes in use, found ${limit}`, { field: at });
  }
  return limit;
}

function legacyDeviceWeight(device: WeightDevice, at: string, bfq: boolean): Line[] {
  const number = deviceNumber(device, at);
  const weight = blockIoWeight(device.weight, `${at}/weight`);
  const leafWeight = blockIoWeight(device.leafWeight, `${at}/leafWeight`);
  return [
    ...(weight === undefined ? [] : [{ file: bfq ? 'blkio.bfq.weight_device' : 'blkio.weight_device', value: `${number} ${weight}`, at }]),
    ...(leafWeight === undefined ? [] : [{ file: 'blkio.leaf_weight_device', value: `${number} ${leafWeight}`, at: `${at}/leafWeight` }]),
  ];
}

function unifiedDeviceWeight(device: WeightDevice, at: string, bfq: boolean): Line[] {
  const number = deviceNumber(device, at);
  if (isSet(device.leafWeight)) throw unsupportedField(`${at}/leafWeight`, 'cgroup v2 has no such limit');
  const weight = blockIoWeight(device.weight, `${at}/weight`);
  if (weight === undefined) return [];
  return [bfq
    ? { file: 'io.bfq.weight', value: `${number} ${weight}`, at }
    : { file: 'io.weight', value: `${number} ${blockIoWeightToIoWeight(weight)}`, at }];
}

/** Reservations are limited as well where the kernel can (since 5.7): a mapping reserves pages long before it uses them. */
function hugepageLines(limits: NonNullable<LinuxResources['hugepageLimits']>, at: string, suffix: string): Line[] {
  return limits.flatMap(({ pageSize, limit }, index) => {
    const size = textOf(pageSize, `${at}/${index}/pageSize`, /^[1-9]\d*[KMG]B$/, 'a page size such as 2MB');
    const value = integerOf(limit, `${at}/${index}/limit`, 0n, 2n ** 64n - 1n);
    return [
      { file: `hugetlb.${size}.${suffix}`, value, at: `${at}/${index}` },
      { file: `hugetlb.${size}.rsvd.${suffix}`, value, at: `${at}/${index}`, optional: true },
    ];
  });
}

function rdmaLines(limits: NonNullable<LinuxResources['rdma']>, { at }: RowContext): Line[] {
  return Object.entries(limits).map(([device, { hcaHandles, hcaObjects }]) => {
    const pointer = `${at}/${device}`;
    textOf(device, pointer, /^[^\s/=]+$/, 'the name of an RDMA device');
    const parts = [
      ...(hcaHandles === undefined ? [] : [`hca_handle=${integerOf(hcaHandles, `${pointer}/hcaHandles`, 0n, UINT32_MAX)}`]),
      ...(hcaObjects === undefined ? [] : [`hca_object=${integerOf(hcaObjects, `${pointer}/hcaObjects`, 0n, UINT32_MAX)}`]),
    ];
    if (parts.length === 0) throw badValue(pointer, 'hcaHandles or hcaObjects', limits[device]);
    return { file: 'rdma.max', value: `${device} ${parts.join(' ')}`, at: pointer };
  });
}
