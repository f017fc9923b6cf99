import { DelosError } from '../lib/errors.ts';
import { formatAddress } from '../netlink/ip.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import { ensureBridge, findBridge } from './bridge.ts';
import { networkForUse } from './create.ts';
import { entriesOfLease, entriesOfNetwork } from './elements.ts';
import { reservePorts } from './host-port.ts';
import {
  allLeases, chooseAddresses, dropLease, hostInterfaceName, isOver, isUsed, keepLease, macOf, macText, type Lease, type LeaseProcess, type WantedAddresses,
} from './lease.ts';
import { lockNetworks } from './lock.ts';
import { addEntries, ensureTable, forgetDatagrams, removeEntries } from './packet-filter.ts';
import { checkPort, hostAddressOf, type PublishedPort } from './published-port.ts';
import type { NetworkRecord } from './record.ts';
import { findLink, openSockets, refused, type Sockets } from './sockets.ts';
import { takeOut } from './take-down.ts';
import { Undo } from './undo.ts';

/** What a container asks of a network. */
export interface Wish {
  /** Its id: at most 255 bytes, without `/`. */
  readonly container: string;
  readonly network: string;
  /** What other containers call it, in any case. */
  readonly names?: readonly string[];
  /** What the device is called in there, at most 15 bytes; `eth0` or the next free number if not said. */
  readonly interface?: string;
  readonly addresses?: WantedAddresses;
  /** `02:42:ac:11:00:02`; chosen by the address if not said. */
  readonly mac?: string;
  readonly ports?: readonly PublishedPort[];
  readonly process?: LeaseProcess;
}

/** A container's place in a network: its lease is written, the bridge is there and the packet filter knows it. What is missing is its device. */
export interface Reservation {
  readonly record: NetworkRecord;
  readonly lease: Lease;
  /** The index of the bridge. */
  readonly bridge: number;
  readonly mtu: number;
  /** Settings of the host that were changed, each one line: `net.ipv4.ip_forward = 1 (was 0)`. */
  readonly changed: readonly string[];
}

/**
 * Reserves a container's place in a network. It needs no process of the container, so it can be done while that is built. detach() takes it
 * back; so does this when it fails.
 * @param taken names of devices that the container has already
 * @param signal aborted, it ends the waiting for others who change networks
 * @throws DelosError no-network, bad-network, network-in-use, kernel-refused, unsupported; the signal's reason
 */
export async function reserve(folder: string, wish: Wish, taken: readonly string[] = [], signal?: AbortSignal): Promise<Reservation> {
  const { container, network } = wish;
  checkWish(wish);
  try {
    using _ = await lockNetworks(folder, signal);
    using sockets = openSockets();
    const record = networkForUse(folder, network, sockets.route);
    if (record.driver !== 'bridge') throw new DelosError('bad-network', `the network ${record.name} is not one to be attached to`);
    return reserveLocked(sockets, folder, record, wish, taken);
  } catch (error) {
    throw refused(`container ${container}, network ${network}`, error);
  }
}

/** What can be told without looking at the host. @throws DelosError bad-network */
export function checkWish({ container, interface: device, ports = [] }: Wish): void {
  if (!/^[^/\0]{1,255}$/.test(container)) throw new DelosError('bad-network', `no id of a container: ${JSON.stringify(container)}`);
  if (device !== undefined && !/^(?!\.{1,2}$)[^/:\s\0]{1,15}$/.test(device)) throw new DelosError('bad-network', `no name of a device: ${JSON.stringify(device)}`);
  for (const port of ports) checkPort(port);
}

function reserveLocked(sockets: Sockets, folder: string, record: NetworkRecord, wish: Wish, taken: readonly string[]): Reservation {
  const undo = new Undo();
  try {
    for (const lease of allLeases(folder).filter(isOver)) takeOut(sockets, folder, lease, true);
    const isIdle = !isUsed(folder, record.name);
    const lease = chooseLease(sockets.route, folder, record, wish, taken);
    keepLease(folder, lease);
    undo.push(() => dropLease(folder, lease));
    const found = findBridge(sockets, folder, record);
    filterFor(sockets, folder, record, lease, found === undefined, undo);
    const { link, changed } = ensureBridge(sockets.route, folder, record, found, isIdle);
    forgetDatagrams(sockets.filter, lease);
    return { record, lease, bridge: link.index, mtu: record.mtu ?? link.mtu, changed };
  } catch (error) {
    undo.run();
    throw error;
  }
}

function chooseLease(route: NetlinkSocket, folder: string, record: NetworkRecord, wish: Wish, devices: readonly string[]): Lease {
  const leases = allLeases(folder);
  const { container, process: owner } = wish;
  const own = leases.filter((lease) => lease.container === container);
  if (own.some(({ network }) => network === record.name)) throw new DelosError('network-in-use', `container ${container} is in network ${record.name} already`);
  checkPublishing(record, wish);
  const taken = new Set([...devices, ...own.map((lease) => lease.interface)]);
  if (wish.interface !== undefined && taken.has(wish.interface)) throw new DelosError('network-in-use', `container ${container} has a device ${wish.interface} already`);
  const addresses = chooseAddresses(folder, record, wish.addresses, leases.filter((lease) => lease.network === record.name));
  return {
    network: record.name, container, interface: wish.interface ?? firstFree((number) => `eth${number}`, (name) => taken.has(name)),
    hostInterface: firstFree((number) => hostInterfaceName(container, record.name, number), (name) => findLink(route, name) !== undefined),
    ...(addresses.four && { four: formatAddress(addresses.four) }), ...(addresses.six && { six: formatAddress(addresses.six) }),
    mac: wish.mac ?? macText(macOf(addresses)), names: [...new Set((wish.names ?? []).map((name) => name.toLowerCase()))],
    ports: reservePorts(wish.ports ?? [], leases), ...(owner !== undefined && { process: owner }),
  };
}

function checkPublishing(record: NetworkRecord, { ports = [], mac, container }: Wish): void {
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

/** The packet filter comes before the devices: no bridge and no container is ever reached without it, wherever the maker is killed. */
function filterFor({ filter }: Sockets, folder: string, record: NetworkRecord, lease: Lease, isNew: boolean, undo: Undo): void {
  undo.push(() => removeEntries(filter, folder, entriesOfLease(lease)));
  // A table made now has all entries, since the lease is written.
  if (ensureTable(filter, folder)) return;
  const network = entriesOfNetwork(record);
  // What is there was left by a bridge that somebody else removed.
  if (isNew) removeEntries(filter, folder, network);
  addEntries(filter, folder, isNew ? [...network, ...entriesOfLease(lease)] : entriesOfLease(lease));
}
