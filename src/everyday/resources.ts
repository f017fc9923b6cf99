import { DelosError } from '../lib/errors.ts';
import type { BlockIoResources, CpuResources, MemoryResources, Resources, ThrottleDevice } from '../oci/config/types.ts';
import { parseDeviceRate } from '../vocabulary/device-flag.ts';
import { binarySize } from '../vocabulary/units.ts';
import type { HostFacts } from './facts.ts';
import type { CreateFlags } from './flags.ts';
import { badFlag, badFlags } from './refusal.ts';

/** Below this even the runtime's own part of a start does not fit; docker's limit. */
const LEAST_MEMORY = 6 * 1024 * 1024;
const CPU_PERIOD_US = 100_000;

/** The flags that need a controller, by its name in cgroup v2. `memory-swap` needs also that swap can be limited. */
const limitFlags = {
  memory: ['memory', 'memory-swap', 'memory-reservation', 'memory-swappiness', 'oom-kill-disable'],
  cpu: ['cpus', 'cpu-shares', 'cpu-period', 'cpu-quota'],
  cpuset: ['cpuset-cpus', 'cpuset-mems'],
  pids: ['pids-limit'],
  io: ['blkio-weight', 'blkio-weight-device', 'device-read-bps', 'device-write-bps', 'device-read-iops', 'device-write-iops'],
} as const satisfies Readonly<Record<string, readonly (keyof CreateFlags)[]>>;

type Controller = keyof typeof limitFlags;

function has(host: HostFacts, controller: Controller): boolean {
  const name = controller === 'io' && host.cgroup.version === 1 ? 'blkio' : controller;
  return host.cgroup.controllers.includes(name);
}

/** The limits of the cgroup, devices apart. Those the host cannot set are left out, and ignoredLimits() names them. Throws `bad-usage`. */
export function resourceLimits(flags: CreateFlags, host: HostFacts): Resources {
  // All are read, so that a bad value is refused wherever it is given.
  const memory = memoryLimits(flags, host);
  const [time, sets] = [cpuTime(flags, host), cpuSets(flags)];
  const cpu = { ...(has(host, 'cpu') ? time : {}), ...(has(host, 'cpuset') ? sets : {}) };
  const pids = pidsLimit(flags);
  const blockIO = blockLimits(flags, host);
  return {
    ...(isEmpty(memory) || !has(host, 'memory') ? {} : { memory }),
    ...(isEmpty(cpu) ? {} : { cpu }),
    ...(pids === undefined || !has(host, 'pids') ? {} : { pids: { limit: pids } }),
    ...(isEmpty(blockIO) || !has(host, 'io') ? {} : { blockIO }),
  };
}

function isEmpty(object: object): boolean {
  return Object.keys(object).length === 0;
}

/** The flags of limits that were given but cannot be had here, as `--name`. */
export function ignoredLimits(flags: CreateFlags, host: HostFacts): string[] {
  const ignored: string[] = [];
  for (const [controller, names] of Object.entries(limitFlags) as [Controller, readonly (keyof CreateFlags)[]][]) {
    if (!has(host, controller)) ignored.push(...names.filter((name) => isGiven(flags[name])));
  }
  if (flags['memory-swap'] !== undefined && has(host, 'memory') && !host.cgroup.swap) ignored.push('memory-swap');
  // cgroup v2 has neither.
  if (host.cgroup.version === 2 && has(host, 'memory')) {
    ignored.push(...(['memory-swappiness', 'oom-kill-disable'] as const).filter((name) => isGiven(flags[name])));
  }
  return ignored.map((name) => `--${name}`);
}

function isGiven(value: CreateFlags[keyof CreateFlags]): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
}

function memoryLimits(flags: CreateFlags, host: HostFacts): MemoryResources {
  const { memory: limit = 0, 'memory-swap': swap, 'memory-reservation': reservation = 0, 'memory-swappiness': swappiness = -1 } = flags;
  if (limit > 0 && limit < LEAST_MEMORY) throw badFlag('memory', binarySize(limit), 'the least is 6m');
  checkSwap(limit, swap);
  if (reservation > 0 && reservation < LEAST_MEMORY) throw badFlag('memory-reservation', binarySize(reservation), 'the least is 6m');
  if (limit > 0 && reservation > limit) throw badFlags('--memory-reservation is above --memory');
  if (swappiness < -1 || swappiness > 100) throw badFlag('memory-swappiness', swappiness, 'expected 0 to 100');
  const v1 = host.cgroup.version === 1;
  return {
    ...(limit > 0 ? { limit } : {}),
    ...(reservation > 0 ? { reservation } : {}),
    // As much swap as memory, unless it is said.
    ...(limit > 0 && host.cgroup.swap ? { swap: swap === undefined || swap === 0 ? 2 * limit : swap } : {}),
    ...(v1 && swappiness >= 0 ? { swappiness } : {}),
    ...(v1 && flags['oom-kill-disable'] ? { disableOOMKiller: true } : {}),
  };
}

function checkSwap(limit: number, swap: number | undefined): void {
  if (swap === undefined || swap === 0) return;
  if (limit === 0) throw badFlags('--memory-swap needs --memory');
  if (swap !== -1 && swap < limit) throw badFlags('--memory-swap counts memory and swap together, so it cannot be below --memory');
}

function cpuTime(flags: CreateFlags, host: HostFacts): CpuResources {
  const { cpus = 0, 'cpu-shares': shares = 0, 'cpu-period': period = 0, 'cpu-quota': quota = 0 } = flags;
  if (shares < 0) throw badFlag('cpu-shares', shares, 'expected a positive number');
  if (period !== 0 && (period < 1000 || period > 1_000_000)) throw badFlag('cpu-period', period, 'expected 1000 to 1000000 microseconds');
  if (quota !== 0 && quota !== -1 && quota < 1000) throw badFlag('cpu-quota', quota, 'expected at least 1000 microseconds');
  if (cpus > 0) {
    if (period !== 0 || quota !== 0) throw badFlags('--cpus and --cpu-period or --cpu-quota');
    if (cpus < 0.01 || cpus > host.cpus) throw badFlag('cpus', cpus, `this host has ${host.cpus} CPUs: expected 0.01 to ${host.cpus}`);
  }
  return {
    ...(shares > 0 ? { shares } : {}),
    ...(cpus > 0 ? { quota: Math.round(cpus * CPU_PERIOD_US), period: CPU_PERIOD_US } : {}),
    ...(quota !== 0 ? { quota } : {}),
    ...(period !== 0 ? { period } : {}),
  };
}

function cpuSets(flags: CreateFlags): CpuResources {
  return {
    ...(flags['cpuset-cpus'] === undefined ? {} : { cpus: numberList('cpuset-cpus', flags['cpuset-cpus']) }),
    ...(flags['cpuset-mems'] === undefined ? {} : { mems: numberList('cpuset-mems', flags['cpuset-mems']) }),
  };
}

/** `0-3,7`, the kernel's list format. */
function numberList(flag: string, text: string): string {
  const ordered = text.split(',').every((part) => {
    const [first, last] = part.split('-').map(Number);
    return /^\d{1,5}(-\d{1,5})?$/.test(part) && (last === undefined || (first ?? 0) <= last);
  });
  if (!ordered) throw badFlag(flag, text, 'expected a list such as 0-3,7');
  return text;
}

function pidsLimit({ 'pids-limit': limit }: CreateFlags): number | undefined {
  if (limit === undefined) return undefined;
  if (limit < -1) throw badFlag('pids-limit', limit, 'expected a positive number, or -1 for no limit');
  return limit === 0 ? -1 : limit;
}

function blockLimits(flags: CreateFlags, host: HostFacts): BlockIoResources {
  const { 'blkio-weight': weight = 0 } = flags;
  checkWeight('blkio-weight', weight);
  const throttles = {
    throttleReadBpsDevice: rates('device-read-bps', flags, host),
    throttleWriteBpsDevice: rates('device-write-bps', flags, host),
    throttleReadIOPSDevice: rates('device-read-iops', flags, host),
    throttleWriteIOPSDevice: rates('device-write-iops', flags, host),
  };
  const weightDevice = rates('blkio-weight-device', flags, host).map(({ major, minor, rate }) => {
    checkWeight('blkio-weight-device', Number(rate));
    return { major, minor, weight: Number(rate) };
  });
  return {
    ...(weight > 0 ? { weight } : {}),
    ...(weightDevice.length > 0 ? { weightDevice } : {}),
    ...Object.fromEntries(Object.entries(throttles).filter(([, list]) => list.length > 0)),
  };
}

function checkWeight(flag: string, weight: number): void {
  if (weight !== 0 && (weight < 10 || weight > 1000)) throw badFlag(flag, weight, 'expected 10 to 1000');
}

type RateFlag = 'device-read-bps' | 'device-write-bps' | 'device-read-iops' | 'device-write-iops' | 'blkio-weight-device';

function rates(flag: RateFlag, flags: CreateFlags, host: HostFacts): ThrottleDevice[] {
  return flags[flag].map((text) => {
    const { path, rate } = parseDeviceRate(flag, text, flag.endsWith('bps') ? 'bytes' : 'number');
    const device = Object.hasOwn(host.devices, path) ? host.devices[path] : undefined;
    if (device === undefined) throw new DelosError('unsupported', `--${flag} ${text}: this host has no device ${path}`);
    return { major: device.major, minor: device.minor, rate };
  });
}
