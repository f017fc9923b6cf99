import { NETLINK_ROUTE } from '../../abi/netlink.ts';
import fs from 'node:fs';
import { DelosError } from '../../lib/errors.ts';
import { insideNetwork } from '../../netlink/namespace.ts';
import { NetlinkSocket } from '../../netlink/socket.ts';
import { attach, type Attachment } from '../attach.ts';
import { detach } from '../detach.ts';
import { allLeases } from '../lease.ts';
import type { PublishedPort } from '../published-port.ts';
import { defaultNetwork } from '../record.ts';
import { findLink, openSockets } from '../sockets.ts';
import { isObject, objectsIn, stringIn, stringsIn, type JsonObject } from './json.ts';
import { isSince } from './version.ts';

/** What a runner asks of us as a plugin. CNI specification, section 2. */
export interface ProviderRequest {
  /** The folder of the networks. */
  readonly folder: string;
  readonly container: string;
  /** A path; empty for none. */
  readonly namespace: string;
  readonly interface: string;
  readonly cniVersion: string;
  /** Standard input: `network` names one of ours. */
  readonly configuration: JsonObject;
}

const prefix = 'cni:';

/** A container of a runner has as many leases as it has devices, and is none of ours. */
function leaseNameOf({ container, interface: name }: Pick<ProviderRequest, 'container' | 'interface'>): string {
  return `${prefix}${container}:${name}`;
}

/** Whether a lease's container belongs to a runner, who alone knows whether it is there. */
export function isCniContainer(container: string): boolean {
  return container.startsWith(prefix);
}

function networkOf({ configuration }: ProviderRequest): string {
  return stringIn(configuration, 'network') ?? defaultNetwork;
}

/** ADD. @returns the result @throws DelosError what attach() throws */
export async function provide(request: ProviderRequest): Promise<JsonObject> {
  const wishes = isObject(request.configuration['runtimeConfig']) ? request.configuration['runtimeConfig'] : {};
  const ips = stringsIn(wishes, 'ips').map((address) => address.replace(/\/\d+$/, ''));
  const [four, six] = [ips.find((address) => !address.includes(':')), ips.find((address) => address.includes(':'))];
  const mac = stringIn(wishes, 'mac');
  const attachment = await attach(request.folder, {
    container: leaseNameOf(request), network: networkOf(request), namespace: request.namespace, interface: request.interface,
    names: stringsIn(wishes, 'aliases'), ports: portsOf(wishes), addresses: { ...(four !== undefined && { four }), ...(six !== undefined && { six }) },
    ...(mac !== undefined && { mac }),
  });
  return resultOf(request, attachment);
}

/** conventions of the CNI project, "portMappings". What is no port is refused by attach(). */
function portsOf(wishes: JsonObject): PublishedPort[] {
  return objectsIn(wishes, 'portMappings').map((mapping) => {
    const hostAddress = stringIn(mapping, 'hostIP');
    const protocol = (stringIn(mapping, 'protocol') ?? 'tcp').toLowerCase();
    if (protocol !== 'tcp' && protocol !== 'udp') throw new DelosError('bad-network', `runtimeConfig.portMappings: protocol: expected tcp or udp, found ${JSON.stringify(protocol)}`);
    return { protocol, hostPort: Number(mapping['hostPort']), containerPort: Number(mapping['containerPort']), ...(hostAddress !== undefined && hostAddress !== '' && { hostAddress }) };
  });
}

/** CNI specification, section 5, "ADD Success". What an earlier plugin of the chain has made stays in front. */
function resultOf({ cniVersion, namespace, configuration }: ProviderRequest, attachment: Attachment): JsonObject {
  const { four, six, mac, device, hostInterface, fourSubnet = '', fourGateway, sixSubnet = '', sixGateway } = attachment;
  const previous = isObject(configuration['prevResult']) ? configuration['prevResult'] : {};
  const [interfaces, ips, routes] = (['interfaces', 'ips', 'routes'] as const).map((name) => objectsIn(previous, name)) as [JsonObject[], JsonObject[], JsonObject[]];
  const families = [[four, fourSubnet, fourGateway, '4', '0.0.0.0/0'], [six, sixSubnet, sixGateway, '6', '::/0']] as const;
  const given = families.filter(([address]) => address !== undefined);
  return {
    cniVersion,
    interfaces: [...interfaces, { name: device }, { name: hostInterface }, { name: attachment.interface, mac, sandbox: namespace }],
    ips: [...ips, ...given.map(([address, subnet, gateway, version]) => ({
      ...(isSince(cniVersion, '1.0.0') ? {} : { version }), address: `${address}/${subnet.replace(/^.*\//, '')}`, gateway, interface: interfaces.length + 2,
    }))],
    routes: [...routes, ...given.map(([, , gateway, , dst]) => ({ dst, gw: gateway }))],
    dns: isObject(previous['dns']) ? previous['dns'] : {},
  };
}

/** DEL. Does nothing when there is nothing. */
export async function withdraw(request: ProviderRequest): Promise<void> {
  await detach(request.folder, leaseNameOf(request));
}

/** CHECK. @throws DelosError no-network when something is not as ADD has made it */
export function inspect(request: ProviderRequest): void {
  const { folder, container, interface: name, namespace } = request;
  const missing = (what: string): DelosError => new DelosError('no-network', `container ${container}: ${what}`);
  const lease = allLeases(folder).find((held) => held.container === leaseNameOf(request));
  if (lease === undefined) throw missing(`it is not connected as ${name}`);
  using sockets = openSockets();
  if (findLink(sockets.route, lease.hostInterface)?.master === undefined) throw missing(`its device ${lease.hostInterface} is gone from the host or from its bridge`);
  const descriptor = fs.openSync(namespace, 'r');
  try {
    using inside = insideNetwork(descriptor, () => new NetlinkSocket(NETLINK_ROUTE));
    if (findLink(inside, name)?.up !== true) throw missing(`its device ${name} is gone or down`);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** GC, specification 1.1: what belongs to none of `cni.dev/valid-attachments` goes. */
export async function collect(request: ProviderRequest): Promise<void> {
  const valid = new Set(objectsIn(request.configuration, 'cni.dev/valid-attachments').map((entry) => {
    return leaseNameOf({ container: stringIn(entry, 'containerID') ?? '', interface: stringIn(entry, 'ifname') ?? '' });
  }));
  const network = networkOf(request);
  for (const lease of allLeases(request.folder)) {
    if (lease.network === network && isCniContainer(lease.container) && !valid.has(lease.container)) await detach(request.folder, lease.container, { network });
  }
}
