import { DelosError } from '../../lib/errors.ts';
import { call, type Item } from '../../plan/step.ts';
import type { Mount } from '../config/types.ts';
import type { Build, Field } from '../field.ts';
import { openInRoot, openTarget, relative } from '../open.ts';
import { attach, finish, setAttributes } from './attach.ts';
import { bindMount } from './bind.ts';
import { cgroupMount } from './cgroup.ts';
import { fileSystemOf, newMount } from './filesystem.ts';
import { named, parseMountOptions, type MountOptions } from './options.ts';
import { copyUpMount } from './tmpcopyup.ts';

/** mounts, config.md "Mounts": in the order of the list, each placed through a descriptor below the container's root. */
export const mounts: Field = {
  at: ['/mounts', '/linux/mountLabel'],
  support: 'full',
  before: (build) => planned(build).flatMap(({ before }) => before),
  init: (build) => planned(build).flatMap(({ init }) => init),
};

interface PlannedMount {
  readonly before: Item[];
  readonly init: Item[];
}

const plans = new WeakMap<Build, PlannedMount[]>();

function planned(build: Build): PlannedMount[] {
  let found = plans.get(build);
  if (!found) plans.set(build, (found = (build.config.mounts ?? []).map((mount, index) => planMount(build, mount, `/mounts/${index}`))));
  return found;
}

function planMount(build: Build, mount: Mount, why: string): PlannedMount {
  const options = parseMountOptions(mount.options ?? []);
  refuseProc(mount, why);
  if (options.remount) return { before: [], init: remount(build, mount, options, why) };
  if (options.bind || mount.type === 'bind') return bindMount(build, mount, { bind: 'one', ...(mount.uidMappings && { idmap: 'one' as const }), ...options }, why);
  if (mount.type === undefined) throw new DelosError('bad-config', `${named(why)}.type: expected a type, or the option bind`, { field: `${why}/type` });
  if (mount.type === 'cgroup' || mount.type === 'cgroup2') return { before: [], init: cgroupMount(build, mount, options, why) };
  if (options.tmpcopyup && mount.type === 'tmpfs') return { before: [], init: copyUpMount(build, mount, options, why) };
  return { before: [], init: fileSystemMount(build, mount, mount.type, options, why) };
}

function fileSystemMount(build: Build, mount: Mount, type: string, options: MountOptions, why: string): Item[] {
  const { cells, config } = build;
  const system = fileSystemOf(type, mount.source, options, config.linux?.mountLabel);
  return [
    ...openTarget(build, mount.destination, 'directory', why, type !== 'proc' && type !== 'sysfs'),
    ...newMount(build, system, cells.mount, why),
    ...attach(build, cells.mount, why),
    ...finish(cells.mount, options, `${why}/options`),
    call('close', [cells.mount], why),
  ];
}

function remount(build: Build, mount: Mount, options: MountOptions, why: string): Item[] {
  const { cells } = build;
  return [
    openInRoot(build, mount.destination, cells.mount, why),
    setAttributes(cells.mount, options.attributes, `${why}/options`),
    ...finish(cells.mount, options, `${why}/options`),
    call('close', [cells.mount], why),
  ];
}

/** Files of /proc that tools such as lxcfs replace; nothing else may be mounted there, or the container could fake its own /proc. */
const replaceable = new Set([
  'proc/cpuinfo', 'proc/diskstats', 'proc/meminfo', 'proc/stat', 'proc/swaps', 'proc/uptime', 'proc/loadavg', 'proc/slabinfo',
  'proc/net/dev', 'proc/sys/kernel/ns_last_pid', 'proc/sys/crypto/fips_enabled',
]);

function refuseProc(mount: Mount, why: string): void {
  const destination = relative(mount.destination);
  const inside = destination.startsWith('proc/') && !replaceable.has(destination);
  const covers = destination === 'proc' && mount.type !== 'proc' && !isBindOfProc(mount);
  if (!inside && !covers) return;
  throw new DelosError('bad-config', `${named(why)}.destination: ${mount.destination} cannot be mounted over: it is in /proc`, { field: `${why}/destination` });
}

/** A container that shares the host's pid namespace may be given the host's /proc. */
function isBindOfProc(mount: Mount): boolean {
  return mount.source === '/proc' && (mount.options ?? []).some((option) => option === 'bind' || option === 'rbind');
}
