import fs from 'node:fs';
import path from 'node:path';
import { DelosError } from '../lib/errors.ts';

/** Those of the network namespace of who reads them. */
const folder = '/proc/sys/net';

/** The value of a setting, undefined when this kernel does not have it. @param parts its name, `ipv4`, `ip_forward` */
export function readSysctl(...parts: readonly string[]): string | undefined {
  try {
    return fs.readFileSync(path.join(folder, ...parts), 'utf8').trim();
  } catch {
    return undefined;
  }
}

/**
 * Sets it if it is something else.
 * @returns what was changed, for a person: `net.ipv4.ip_forward = 1 (was 0)`
 * @throws DelosError unsupported
 */
export function setSysctl(value: string, ...parts: readonly string[]): string | undefined {
  const before = readSysctl(...parts);
  if (before === value) return undefined;
  const name = ['net', ...parts].join('.');
  try {
    fs.writeFileSync(path.join(folder, ...parts), value);
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code ?? 'an error';
    throw new DelosError('unsupported', `containers of a bridge need ${name} = ${value} on the host, and it cannot be set: ${errno}`, { cause: error, errno });
  }
  return `${name} = ${value} (was ${before ?? 'not there'})`;
}

/** Lets the host pass packets on. Gives what was changed. */
export function enableForwarding(family: 4 | 6): string[] {
  if (family === 4) return [setSysctl('1', 'ipv4', 'ip_forward')].filter((one) => one !== undefined);
  if (readSysctl('ipv6', 'conf', 'all', 'forwarding') === '1') return [];
  return [...keepAdvertisements(), setSysctl('1', 'ipv6', 'conf', 'all', 'forwarding')].filter((one) => one !== undefined);
}

/**
 * A host that passes packets on no longer listens to routers, unless accept_ra is 2: it would lose its own default route.
 * Documentation/networking/ip-sysctl.rst
 */
function keepAdvertisements(): (string | undefined)[] {
  const devices = fs.readdirSync(path.join(folder, 'ipv6/conf')).filter((name) => name !== 'all' && name !== 'default' && name !== 'lo');
  return devices.filter((name) => readSysctl('ipv6', 'conf', name, 'accept_ra') === '1').map((name) => setSysctl('2', 'ipv6', 'conf', name, 'accept_ra'));
}
