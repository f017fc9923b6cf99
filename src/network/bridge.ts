import { RT_TABLE_MAIN } from '../abi/rtnetlink.ts';
import { DelosError } from '../lib/errors.ts';
import { newAddress } from '../netlink/address.ts';
import { deleteLink, getLink, newLink, readLink, setLink, type Link } from '../netlink/link.ts';
import { getRoutes, readRoute, type KnownRoute } from '../netlink/route.ts';
import type { Subnet } from '../netlink/ip.ts';
import type { NetlinkSocket } from '../netlink/socket.ts';
import { removeAbandoned } from './abandoned.ts';
import { broadcastOf } from './elements.ts';
import { macOf } from './lease.ts';
import { rangeOf, type NetworkRecord } from './record.ts';
import { allLinks, attempt, bridgeAlias, findLink, isOurBridge, type Sockets } from './sockets.ts';
import { enableForwarding, setSysctl } from './sysctl.ts';

export interface Bridge {
  readonly link: Link;
  /** It was not there before. */
  readonly made: boolean;
  /** Settings of the host that were changed for it. */
  readonly changed: readonly string[];
}

/** The bridge of a network, if it is there. @throws DelosError network-in-use when the name belongs to another device */
export function findBridge(sockets: Pick<Sockets, 'route' | 'filter'>, folder: string, record: NetworkRecord): Link | undefined {
  const found = findLink(sockets.route, record.device);
  if (found !== undefined && isOurBridge(folder, found)) return found;
  removeAbandoned(sockets, record.device);
  if (findLink(sockets.route, record.device) === undefined) return undefined;
  throw new DelosError('network-in-use', `network ${record.name}: the host has another device ${record.device}`);
}

/**
 * The bridge of a network: up, with its addresses, and the host passes packets on. One that is there is completed, since whoever began
 * it may have been killed.
 * @param found what findBridge() has given
 * @param isIdle no container uses it: then the way out may be another than when it was made, and with it the MTU
 * @throws NetlinkError, DelosError network-in-use, unsupported
 */
export function ensureBridge(route: NetlinkSocket, folder: string, record: NetworkRecord, found: Link | undefined, isIdle: boolean): Bridge {
  const link = found === undefined ? makeBridge(route, folder, record) : isIdle ? withMtu(route, record, found) : found;
  if (link === undefined) throw new DelosError('network-in-use', `network ${record.name}: its bridge ${record.device} is gone again`);
  try {
    return { link, made: found === undefined, changed: complete(route, record, link) };
  } catch (error) {
    if (found === undefined) attempt(route, deleteLink(link.index, record.device), 'ENODEV');
    throw error;
  }
}

function makeBridge(route: NetlinkSocket, folder: string, record: NetworkRecord): Link | undefined {
  const { device: name } = record;
  const [four, six] = [record.four, record.six].map((range) => range && rangeOf(range, `network ${record.name}`).gateway);
  // A bridge without an address of its own takes that of a port, and another one when this port goes: neighbours would not find it.
  const mac = macOf({ ...(four && { four }), ...(six && { six }) });
  const [, [answer] = []] = route.requests([newLink('bridge', { name, mac, mtu: record.mtu ?? defaultMtu(route) }), getLink(name)]);
  const link = answer && readLink(answer);
  if (link === undefined) return undefined;
  // Where there is no IPv6 there is nothing that would make an address of its own.
  route.requests([setLink(link.index, { noLinkLocal: true }, name), setLink(link.index, { alias: bridgeAlias(folder, record.name) }, name)], 'EAFNOSUPPORT');
  return link;
}

function withMtu(route: NetlinkSocket, record: NetworkRecord, link: Link): Link {
  const mtu = record.mtu ?? defaultMtu(route);
  if (mtu !== link.mtu) route.request(setLink(link.index, { mtu }, link.name));
  return { ...link, mtu };
}

/** Addresses, state and settings. What is so already stays so. */
function complete(route: NetlinkSocket, record: NetworkRecord, { index, up }: Link): string[] {
  const changed: (string | undefined)[] = [];
  for (const range of [record.four, record.six]) {
    if (range === undefined) continue;
    const { subnet, gateway } = rangeOf(range, `network ${record.name}`);
    const broadcast = gateway.length === 4 ? broadcastOf(record) : undefined;
    attempt(route, newAddress(index, { address: gateway, prefix: subnet.prefix }, broadcast), 'EEXIST');
    if (record.internal !== true) changed.push(...enableForwarding(gateway.length === 4 ? 4 : 6));
  }
  // What passes through asks for neighbours from this address. One that the kernel makes is tried out for a second first, and packets wait.
  if (record.six !== undefined) attempt(route, newAddress(index, linkLocal), 'EEXIST');
  if (!up) route.request(setLink(index, { up: true }, record.device));
  // A port published at 127.0.0.1 is reached by packets that leave by the bridge. The rule "containers do not reach the host's loopback" guards it.
  if (record.four !== undefined) setSysctl('1', 'ipv4', 'conf', record.device, 'route_localnet');
  return changed.filter((one) => one !== undefined);
}

/** fe80::1, of every bridge. */
const linkLocal: Subnet = { address: Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1), prefix: 64 };

/** That of the device of the default route, so that nothing is too large on its way out. */
function defaultMtu(route: NetlinkSocket): number {
  const defaults = allRoutes(route).filter(({ destination, table, index }) => destination.prefix === 0 && table === RT_TABLE_MAIN && index !== undefined);
  const best = defaults.sort((a, b) => (a.metric ?? 0) - (b.metric ?? 0))[0];
  return allLinks(route).find(({ index }) => index === best?.index)?.mtu ?? 1500;
}

export function allRoutes(route: NetlinkSocket): KnownRoute[] {
  return route.dump(getRoutes()).map(readRoute).filter((one) => one !== undefined);
}
