import { DelosError } from '../lib/errors.ts';
import type { Device, DeviceRule } from '../oci/config/types.ts';
import { parseDevice, parseDeviceRule } from '../vocabulary/device-flag.ts';
import type { DeviceFact, HostFacts } from './facts.ts';
import type { RunOptions } from './flags.ts';

/** What every container may use: mknod of anything, the standard devices, its terminals. */
const standardRules: readonly DeviceRule[] = [
  { allow: false, access: 'rwm' },
  { allow: true, type: 'c', access: 'm' },
  { allow: true, type: 'b', access: 'm' },
  ...[[1, 3], [1, 5], [1, 7], [1, 8], [1, 9], [5, 0], [5, 1], [5, 2]].map(([major = 0, minor = 0]): DeviceRule =>
    ({ allow: true, type: 'c', major, minor, access: 'rwm' })),
  // The slaves of the container's devpts, whatever their number.
  { allow: true, type: 'c', major: 136, minor: -1, access: 'rwm' },
];

/** Every container has these of its own, so even a privileged one does not get the host's. */
const ownDevices = /^\/dev\/(?:(?:console|full|null|ptmx|random|tty|urandom|zero)$|(?:fd|mqueue|pts|shm)\/)/;

export interface DeviceGrants {
  readonly devices: readonly Device[];
  readonly rules: readonly DeviceRule[];
}

/** Nodes for `--device` and `--privileged`, and the cgroup's rules. Throws `bad-usage`, or `unsupported` for a device the host has not. */
export function deviceGrants(options: RunOptions, host: HostFacts): DeviceGrants {
  if (options.privileged) {
    const found = hostDevices('/dev', '/dev', host.devices).filter(([path]) => !ownDevices.test(path));
    return { devices: found.map(([path, fact]) => node(path, fact)), rules: [{ allow: true, access: 'rwm' }] };
  }
  const granted = options.device.flatMap((text) => {
    const { source, target, access } = parseDevice(text);
    const found = hostDevices(source, target, host.devices);
    if (found.length === 0) throw new DelosError('unsupported', `--device ${text}: this host has no device ${source}`);
    return found.map(([path, fact]) => ({ device: node(path, fact), rule: rule(fact, access) }));
  });
  const numbered = options['device-cgroup-rule'].map(parseDeviceRule)
    .map(({ type, major, minor, access }): DeviceRule => ({ allow: true, type, major, minor, access }));
  return { devices: granted.map(({ device }) => device), rules: [...standardRules, ...granted.map((grant) => grant.rule), ...numbered] };
}

/** The device at `source`, or those below it; with their paths inside. */
function hostDevices(source: string, target: string, known: HostFacts['devices']): [path: string, fact: DeviceFact][] {
  const only = Object.hasOwn(known, source) ? known[source] : undefined;
  if (only !== undefined) return [[target, only]];
  return Object.entries(known)
    .filter(([path]) => path.startsWith(`${source}/`))
    .map(([path, fact]) => [target + path.slice(source.length), fact]);
}

function node(path: string, { type, major, minor, mode, uid, gid }: DeviceFact): Device {
  return { type, path, major, minor, fileMode: mode, uid, gid };
}

function rule({ type, major, minor }: DeviceFact, access: string): DeviceRule {
  return { allow: true, type, major, minor, access };
}
