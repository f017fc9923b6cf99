import fs from 'node:fs';
import { NETLINK_ROUTE } from '../abi/netlink.ts';
import { DelosError } from '../lib/errors.ts';
import { newAddress } from '../netlink/address.ts';
import { formatAddress, parseAddress, type Subnet } from '../netlink/ip.ts';
import { deleteLink, newVeth, setLink, setPort } from '../netlink/link.ts';
import { insideNetwork } from '../netlink/namespace.ts';
import { newRoute } from '../netlink/route.ts';
import { NetlinkSocket } from '../netlink/socket.ts';
import { SystemCallError } from '../sys/syscall.ts';
import { ensureBridge } from './bridge.ts';
import { networkForUse } from './create.ts';
import { broadcastOf, entriesOfLease, entriesOfNetwork } from './elements.ts';
import { reservePorts } from './host-port.ts';
import {
  allLeases, chooseAddresses, dropLease, hostInterfaceName, isUsed, keepLease, macOf, macText, type Lease, type WantedAddresses,
} from './lease.ts';
import { lockNetworks } from './lock.ts';
import { addEntries, ensureTable, forgetDatagrams, removeEntries } from './packet-filter.ts';
import { checkPort, hostAddressOf, type PublishedPort } from './published-port.ts';
import { rangeOf, type NetworkRecord } from './record.ts';
import { aliasOf, allLinks, attempt, findLink, openSockets, refused, withoutLinkLocal, type Sockets } from './sockets.ts';
import { takeDown } from './take-down.ts';

/** What a container asks of a network. */
export interface AttachRequest {
  /** Its id: at most 255 bytes, without `/`. */
  readonly container: string;
  readonly network: string;
  /** Its network namespace: that of a process, or a path such as /run/netns/NAME. */
  readonly namespace: number | string;
  /** What other containers call it, in any case. */
  readonly names?: readonly string[];
  /** What the device is called in there, at most 15 bytes; `eth0` or the next free number if not said. */
  readonly interface?: string;
  readonly addresses?: WantedAddresses;
  /** `02:42:ac:11:00:02`; chosen by the address if not said. */
  readonly mac?: string;
  readonly ports?: readonly PublishedPort[];
}

/** How the container is connected now. */
export interface Attachment extends Lease {
  /** `10.210.0.2/16`, `10.210.0.1` */
  readonly fourSubnet?: string;
  readonly fourGateway?: string;
  readonly sixSubnet?: string;
  readonly sixGateway?: string;
  readonly mtu: number;
  /** The bridge. */
  readonly device: string;
  /** Settings of the host that were changed, each one line: `net.ipv4.ip_forward = 1 (was 0)`. */
  readonly changed: readonly string[];
}

/**
 * Connects a container to a network: a pair of devices, of which one is a port of the bridge and the other is in the container, with
 * addresses and routes; its ports published. All is taken back when a part of it fails.
 * @throws DelosError no-network, bad-network, network-in-use, kernel-refused, unsupported, not-found when there is no such namespace
 */
export async function attach(folder: string, request: AttachRequest): Promise<Attachment> {
  if (!/^[^/\0]{1,255}$/.test(request.container)) throw new DelosError('bad-network', `no id of a container: ${JSON.stringify(request.container)}`);
  if (request.interface !== undefined && !/^(?!\.{1,2}$)[^/:\s\0]{1,15}$/.test(request.interface)) throw new DelosError('bad-network', `no name of a device: ${JSON.stringify(request.interface)}`);
  for (const port of request.ports ?? []) checkPort(port);
  const namespace = openNamespace(request);
  try {
    using _ = await lockNetworks(folder);
    using sockets = openSockets();
    const record = networkForUse(folder, request.network, sockets.route);
    if (record.driver !== 'bridge') throw new DelosError('bad-network', `the network ${record.name} is not one to be attached to`);
    return attachLocked(sockets, folder, record, request, namespace);
  } catch (error) {
    throw refused(`container ${request.container}, network ${request.network}`, error);
  } finally {
    fs.closeSync(namespace);
  }
}

function openNamespace({ container, namespace }: AttachRequest): number {
  const path = typeof namespace === 'number' ? `/proc/${namespace}/ns/net` : namespace;
  let descriptor: number;
  try {
    descriptor = fs.openSync(path, 'r');
  } catch (cause) {
    throw new DelosError('not-found', `container ${container}: its network namespace ${path} cannot be opened: ${(cause as Error).message}`, { cause });
  }
  const [own, its] = [fs.statSync('/proc/thread-self/ns/net'), fs.fstatSync(descriptor)];
  if (own.ino !== its.ino || own.dev !== its.dev) return descriptor;
  fs.closeSync(descriptor);
  throw new DelosError('bad-network', `container ${container} has the host's network: it is not attached to another one`);
}

/** Letters of an alias that every encoding has room for in the 255 bytes there are. */
const maxAlias = 80;

/** Undo, last thing first. */
class Undo {
  readonly #steps: (() => void)[] = [];

  push(step: () => void): void {
    this.#steps.push(step);
  }

  /** Every step is tried; the error that led here is what counts. */
  run(): void {
    for (const step of this.#steps.toReversed()) {
      try {
        step();
      } catch {
        // What could not be taken back has a lease or an alias by which sweep() finds it.
      }
    }
  }
}

function attachLocked(sockets: Sockets, folder: string, record: NetworkRecord, request: AttachRequest, namespace: number): Attachment {
  const undo = new Undo();
  try {
    using inside = insideNetwork(namespace, () => new NetlinkSocket(NETLINK_ROUTE));
    const lease = chooseLease(sockets.route, inside, folder, record, request);
    keepLease(folder, lease);
    undo.push(() => {
      dropLease(folder, lease);
      if (!isUsed(folder, record.name)) takeDown(sockets, folder, record);
    });
    const bridge = ensureBridge(sockets.route, folder, record);
    const mtu = record.mtu ?? bridge.link.mtu;
    filterFor(sockets, folder, record, lease, bridge.made, undo);
    makePair(sockets.route, folder, lease, { bridge: bridge.link.index, mtu, namespace, isolated: record.isolated === true }, undo);
    configure(inside, record, lease);
    forgetDatagrams(sockets.filter, lease);
    return describe(record, lease, mtu, bridge.changed);
  } catch (error) {
    undo.run();
    if (!(error instanceof SystemCallError)) throw error;
    throw new DelosError('kernel-refused', `container ${request.container}: ${error.message}`, { call: error.call, errno: error.errno, cause: error });
  }
}

function chooseLease(route: NetlinkSocket, inside: NetlinkSocket, folder: string, record: NetworkRecord, request: AttachRequest): Lease {
  const leases = allLeases(folder);
  const { container } = request;
  if (leases.some((lease) => lease.container === container && lease.network === record.name)) {
    throw new DelosError('network-in-use', `container ${container} is in network ${record.name} already`);
  }
  checkPublishing(record, request);
  const taken = new Set(allLinks(inside).map(({ name }) => name));
  if (request.interface !== undefined && taken.has(request.interface)) throw new DelosError('network-in-use', `container ${container} has a device ${request.interface} already`);
  const addresses = chooseAddresses(folder, record, request.addresses, leases.filter((lease) => lease.network === record.name));
  return {
    network: record.name, container, interface: request.interface ?? firstFree((number) => `eth${number}`, (name) => taken.has(name)),
    hostInterface: firstFree((number) => hostInterfaceName(container, record.name, number), (name) => findLink(route, name) !== undefined),
    ...(addresses.four && { four: formatAddress(addresses.four) }), ...(addresses.six && { six: formatAddress(addresses.six) }),
    mac: request.mac ?? macText(macOf(addresses)), names: [...new Set((request.names ?? []).map((name) => name.toLowerCase()))],
    ports: reservePorts(request.ports ?? [], leases),
  };
}

function checkPublishing(record: NetworkRecord, { ports = [], mac, container }: AttachRequest): void {
  const wrong = (what: string): never => {
    throw new DelosError('bad-network', what);
  };
  if (record.internal === true && ports.length > 0) wrong(`network ${record.name} is internal: no port of container ${container} can be published`);
  for (const port of ports) {
    const length = hostAddressOf(port)?.length;
    const missing = (length === 16 && record.six === undefined) || (length === 4 && record.four === undefined);
    if (missing) wrong(`network ${record.name} has no addresses of the family of ${port.hostAddress}`);
  }
  if (mac !== undefined && !/^[0-9a-f][02468ace](?::[0-9a-f]{2}){5}$/i.test(mac)) wrong(`container ${container}: ${mac} is no hardware address of one station`);
}

function firstFree(name: (number: number) => string, isTaken: (name: string) => boolean): string {
  for (let number = 0; ; number++) if (!isTaken(name(number))) return name(number);
}

/** The packet filter comes before the devices: a container is never reached without it. */
function filterFor({ filter }: Sockets, folder: string, record: NetworkRecord, lease: Lease, isNew: boolean, undo: Undo): void {
  undo.push(() => removeEntries(filter, folder, entriesOfLease(lease)));
  // A table made now has all entries, since the lease is written.
  if (ensureTable(filter, folder)) return;
  const network = entriesOfNetwork(record);
  if (isNew) {
    // Left by a bridge that somebody else removed.
    removeEntries(filter, folder, network);
    addEntries(filter, folder, network);
  }
  addEntries(filter, folder, entriesOfLease(lease));
}

interface Ends {
  /** Indexes and descriptors of where the two ends belong. */
  readonly bridge: number;
  readonly namespace: number;
  readonly mtu: number;
  readonly isolated: boolean;
}

function makePair(route: NetlinkSocket, folder: string, lease: Lease, where: Ends, undo: Undo): void {
  const { hostInterface: name, mac } = lease;
  const peer = { name: lease.interface, mtu: where.mtu, mac: Buffer.from(mac.replaceAll(':', ''), 'hex'), namespaceFd: where.namespace };
  route.request(newVeth({ name, mtu: where.mtu, master: where.bridge }, peer));
  const link = findLink(route, name);
  if (link === undefined) throw new DelosError('network-in-use', `the device ${name} was removed while it was made`);
  undo.push(() => void attempt(route, deleteLink(link.index, name), 'ENODEV'));
  withoutLinkLocal(route, link);
  route.request(setLink(link.index, { alias: `${aliasOf(folder)}${lease.container}`.slice(0, maxAlias), up: true }, name));
  // A container reaches its own published port by the way it came.
  route.request(setPort(link.index, { hairpin: true, ...(where.isolated && { isolated: true }) }, name));
}

/** The container's end. */
function configure(inside: NetlinkSocket, record: NetworkRecord, lease: Lease): void {
  const [loopback, link] = [findLink(inside, 'lo'), findLink(inside, lease.interface)];
  if (link === undefined) throw new DelosError('network-in-use', `container ${lease.container}: ${lease.interface} is gone from its network`);
  if (loopback !== undefined && !loopback.up) inside.request(setLink(loopback.index, { up: true }, 'lo'));
  for (const { address } of addressesOf(record, lease)) {
    inside.request(newAddress(link.index, address, address.address.length === 4 ? broadcastOf(record) : undefined));
  }
  inside.request(setLink(link.index, { up: true }, lease.interface));
  if (record.internal === true) return;
  // The network that was attached first has the lowest metric, so its gateway is taken as long as it is there.
  const metric = 100 + Number(/\d{1,3}$/.exec(lease.interface)?.[0] ?? 0);
  for (const { address, gateway } of addressesOf(record, lease)) {
    const everywhere: Subnet = { address: new Uint8Array(address.address.length), prefix: 0 };
    inside.request(newRoute({ destination: everywhere, gateway, index: link.index, metric }));
  }
}

function addressesOf(record: NetworkRecord, lease: Lease): { address: Subnet; gateway: Uint8Array }[] {
  return ([[record.four, lease.four], [record.six, lease.six]] as const).flatMap(([range, text]) => {
    const address = text === undefined ? undefined : parseAddress(text);
    if (range === undefined || address === undefined) return [];
    const { subnet, gateway } = rangeOf(range, `network ${record.name}`);
    return [{ address: { address, prefix: subnet.prefix }, gateway }];
  });
}

function describe(record: NetworkRecord, lease: Lease, mtu: number, changed: readonly string[]): Attachment {
  return {
    ...lease, mtu, changed, device: record.device,
    ...(record.four && { fourSubnet: record.four.subnet, fourGateway: record.four.gateway }),
    ...(record.six && { sixSubnet: record.six.subnet, sixGateway: record.six.gateway }),
  };
}
