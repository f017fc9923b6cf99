import fs from 'node:fs';
import { NETLINK_ROUTE } from '../abi/netlink.ts';
import { LOOPBACK_IFINDEX } from '../abi/rtnetlink.ts';
import { DelosError } from '../lib/errors.ts';
import { newAddress } from '../netlink/address.ts';
import { parseAddress, type Address, type Subnet } from '../netlink/ip.ts';
import { deleteLink, getLink, newVeth, readLink, setLink, setPort, type Link } from '../netlink/link.ts';
import type { Request } from '../netlink/message.ts';
import { insideNetwork } from '../netlink/namespace.ts';
import { newRoute } from '../netlink/route.ts';
import { NetlinkSocket } from '../netlink/socket.ts';
import { detach } from './detach.ts';
import { broadcastOf } from './elements.ts';
import type { Lease } from './lease.ts';
import { rangeOf, type NetworkRecord } from './record.ts';
import { checkWish, reserve, type Reservation, type Wish } from './reservation.ts';
import { aliasOf, allLinks, attempt, refused } from './sockets.ts';

/** Where the network namespace of a container is: that of a process, or a path such as /run/netns/NAME. */
export type Namespace = number | string;

/** What a container asks of a network, and where it is. */
export interface AttachRequest extends Wish {
  readonly namespace: Namespace;
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
 * @param signal as of reserve()
 * @throws DelosError no-network, bad-network, network-in-use, kernel-refused, unsupported, not-found when there is no such namespace
 */
export async function attach(folder: string, request: AttachRequest, signal?: AbortSignal): Promise<Attachment> {
  const { container, namespace } = request;
  checkWish(request);
  const reservation = await reserve(folder, request, devicesIn(container, namespace), signal);
  try {
    return plug(folder, reservation, namespace);
  } catch (error) {
    await detach(folder, container, { network: reservation.record.name });
    throw error;
  }
}

/** The names of the devices that a container has. @throws DelosError bad-network, not-found */
export function devicesIn(container: string, namespace: Namespace): string[] {
  const descriptor = openNamespace(container, namespace);
  try {
    using inside = insideNetwork(descriptor, () => new NetlinkSocket(NETLINK_ROUTE));
    return allLinks(inside).map(({ name }) => name);
  } catch (error) {
    throw refused(`container ${container}`, error);
  } finally {
    fs.closeSync(descriptor);
  }
}

/**
 * The second half of attach(): makes the devices of a place that was reserved. It needs no lock, since nobody else changes what has a lease.
 * @throws DelosError bad-network, network-in-use, kernel-refused, not-found; detach() takes back what there is then
 */
export function plug(folder: string, reservation: Reservation, namespace: Namespace): Attachment {
  const { record, lease, mtu, changed } = reservation;
  const descriptor = openNamespace(lease.container, namespace);
  try {
    using inside = insideNetwork(descriptor, () => new NetlinkSocket(NETLINK_ROUTE));
    using route = new NetlinkSocket(NETLINK_ROUTE);
    const index = makePair(route, folder, reservation, descriptor);
    inside.requests(configuration(index, record, lease));
  } catch (error) {
    throw refused(`container ${lease.container}, network ${record.name}`, error);
  } finally {
    fs.closeSync(descriptor);
  }
  return {
    ...lease, mtu, changed, device: record.device,
    ...(record.four && { fourSubnet: record.four.subnet, fourGateway: record.four.gateway }),
    ...(record.six && { sixSubnet: record.six.subnet, sixGateway: record.six.gateway }),
  };
}

function openNamespace(container: string, namespace: Namespace): number {
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

/** Makes both ends, and the host's end a port of the bridge. Gives the index of the container's end in there. */
function makePair(route: NetlinkSocket, folder: string, { record, lease, bridge, mtu }: Reservation, namespaceFd: number): number {
  const { hostInterface: name, mac, container } = lease;
  const inside = { name: lease.interface, mtu, mac: Buffer.from(mac.replaceAll(':', ''), 'hex'), namespaceFd };
  const [, answers = []] = route.requests([newVeth({ name, mtu, master: bridge }, inside), getLink(name)]);
  const { index, peer } = madeLink(name, answers.map(readLink));
  try {
    route.requests([
      // Where there is no IPv6 there is nothing that would make an address of its own.
      setLink(index, { noLinkLocal: true }, name),
      setLink(index, { alias: `${aliasOf(folder)}${container}`.slice(0, maxAlias), up: true }, name),
      // A container reaches its own published port by the way it came.
      setPort(index, { hairpin: true, ...(record.isolated === true && { isolated: true }) }, name),
    ], 'EAFNOSUPPORT');
    return peer;
  } catch (error) {
    attempt(route, deleteLink(index, name), 'ENODEV');
    throw error;
  }
}

function madeLink(name: string, [link]: readonly Link[]): { readonly index: number; readonly peer: number } {
  if (link?.peer === undefined) throw new DelosError('network-in-use', `the device ${name} was removed while it was made`);
  return { index: link.index, peer: link.peer };
}

/** What makes the container's end work. */
function configuration(index: number, record: NetworkRecord, lease: Lease): Request[] {
  const addresses = addressesOf(record, lease);
  return [
    setLink(LOOPBACK_IFINDEX, { up: true }, 'lo'),
    ...addresses.map(({ address }) => newAddress(index, address, address.address.length === 4 ? broadcastOf(record) : undefined)),
    setLink(index, { up: true }, lease.interface),
    ...(record.internal === true ? [] : addresses.map(({ gateway }) => defaultRoute(index, gateway, lease.interface))),
  ];
}

/** The network that was attached first has the lowest metric, so its gateway is taken as long as it is there. */
function defaultRoute(index: number, gateway: Address, name: string): Request {
  const everywhere: Subnet = { address: new Uint8Array(gateway.length), prefix: 0 };
  return newRoute({ destination: everywhere, gateway, index, metric: 100 + Number(/\d{1,3}$/.exec(name)?.[0] ?? 0) });
}

function addressesOf(record: NetworkRecord, lease: Lease): { address: Subnet; gateway: Address }[] {
  return ([[record.four, lease.four], [record.six, lease.six]] as const).flatMap(([range, text]) => {
    const address = text === undefined ? undefined : parseAddress(text);
    if (range === undefined || address === undefined) return [];
    const { subnet, gateway } = rangeOf(range, `network ${record.name}`);
    return [{ address: { address, prefix: subnet.prefix }, gateway }];
  });
}
