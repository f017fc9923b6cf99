import type { Config, Linux, Resources } from '../oci/config/types.ts';
import { shortId } from '../vocabulary/names.ts';
import { parseLabels, parseSysctls } from '../vocabulary/key-value.ts';
import { grantedCapabilities } from './capabilities.ts';
import { deviceGrants } from './devices.ts';
import type { HostFacts, ImageDefaults } from './facts.ts';
import type { RunOptions } from './flags.ts';
import { mountList, rootPropagation } from './mounts.ts';
import type { NamespaceModes } from './namespaces.ts';
import { namespacedSysctls, namespaceList, namespaceModes } from './namespaces.ts';
import { processOf } from './process.ts';
import { badFlag } from './refusal.ts';
import { ignoredLimits, resourceLimits } from './resources.ts';
import { maskedPaths, parseSecurityOptions, readonlyPaths, seccompFilter } from './security.ts';
import { userMappings } from './user-namespace.ts';

/**
 * The OCI configuration of a container as docker would make it of the same flags. Pure: all it knows of the host is in `host`, and
 * everydayNeeds() says what must be in there. Different from docker, no AppArmor profile is loaded.
 * Throws `bad-usage`, `not-found` (a container to join), `unsupported` (what this host has not), `bad-config` (a seccomp profile).
 */
export function everydayConfig(options: RunOptions, image: ImageDefaults, host: HostFacts): Config {
  const mappings = userMappings(options, host);
  const modes = namespaceModes(options, host);
  const security = parseSecurityOptions(options['security-opt']);
  const capabilities = grantedCapabilities(options, host.lastCapability);
  const hostname = hostnameOf(options, modes, host);
  const mounts = mountList({ options, host, modes, mappings });
  const seccomp = seccompFilter(security, options.privileged, capabilities, host);
  const unmasked = options.privileged || security.systemPathsUnconfined;
  const propagation = rootPropagation(mounts);
  const annotations = parseLabels('annotation', options.annotation);
  return {
    ociVersion: '1.3.0',
    root: { path: image.rootfs, readonly: options['read-only'] },
    ...(modes.uts.kind === 'private' ? { hostname, ...(options.domainname === undefined ? {} : { domainname: options.domainname }) } : {}),
    process: processOf({ options, image, host, mappings, security, capabilities, hostname }),
    mounts,
    ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    linux: {
      namespaces: namespaceList(modes, mappings !== undefined),
      ...(mappings === undefined ? {} : { uidMappings: mappings.uids, gidMappings: mappings.gids }),
      ...cgroupOf(options, host),
      sysctl: namespacedSysctls(parseSysctls(options.sysctl), modes, mappings !== undefined),
      ...(seccomp === undefined ? {} : { seccomp }),
      ...(propagation === undefined ? {} : { rootfsPropagation: propagation }),
      maskedPaths: unmasked ? [] : maskedPaths,
      readonlyPaths: unmasked ? [] : readonlyPaths,
    },
  };
}

/** What the caller should say before the container starts, one line each. Throws as everydayConfig() does. */
export function everydayWarnings(options: RunOptions, host: HostFacts): string[] {
  const ignored = ignoredLimits(options, host);
  if (ignored.length === 0) return [];
  const why = host.cgroup.controllers.length === 0 ? 'no cgroup here can be written to' : `the cgroup ${host.cgroup.parent} does not have them`;
  return [`limits that cannot be set are left out: ${ignored.join(', ')} (${why}; 'delos doctor' tells more)`];
}

function hostnameOf(options: RunOptions, modes: NamespaceModes, host: HostFacts): string {
  const { hostname, domainname } = options;
  if (hostname !== undefined && !/^[a-zA-Z0-9]([a-zA-Z0-9_.-]{0,62}[a-zA-Z0-9])?$/.test(hostname)) {
    throw badFlag('hostname', hostname, 'expected up to 64 letters, digits, dots and dashes');
  }
  if (domainname !== undefined && !/^[!-~]{1,64}$/.test(domainname)) throw badFlag('domainname', domainname, 'expected up to 64 printable characters');
  const shared = modes.uts.kind === 'host' || modes.network.kind === 'host';
  return hostname ?? (shared ? host.hostname : shortId(options.id));
}

/** Device nodes, and the cgroup with its limits. An ordinary user may not set the devices' rules, and needs none: its nodes are bind mounts. */
function cgroupOf(options: RunOptions, host: HostFacts): Pick<Linux, 'devices' | 'cgroupsPath' | 'resources'> {
  const { devices, rules } = deviceGrants(options, host);
  const limits: Resources = resourceLimits(options, host);
  const usable = host.cgroup.controllers.length > 0;
  const parent = options['cgroup-parent'] ?? host.cgroup.parent;
  if (parent.split('/').includes('..')) throw badFlag('cgroup-parent', parent, "expected a path without '..'");
  const systemd = parent.endsWith('.slice');
  return {
    ...(devices.length > 0 ? { devices } : {}),
    ...(usable ? { cgroupsPath: systemd ? `${parent}:delos:${options.id}` : `${parent.replace(/\/$/, '')}/${options.id}` } : {}),
    ...(usable ? { resources: host.uid === 0 ? { devices: rules, ...limits } : limits } : {}),
  };
}
