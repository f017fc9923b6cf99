import { AF_INET6, NLM_F_CREATE, NLM_F_EXCL } from '../abi/netlink.ts';
import {
  RTA_DST, RTA_GATEWAY, RTA_OIF, RTA_PREFSRC, RTA_PRIORITY, RTA_TABLE, RTM_DELROUTE, RTM_GETROUTE, RTM_NEWROUTE, RTN_UNICAST, RTPROT_BOOT,
  RT_SCOPE_LINK, RT_SCOPE_UNIVERSE, RT_TABLE_MAIN,
} from '../abi/rtnetlink.ts';
import { AF_INET } from '../abi/socket.ts';
import { familyOf } from './address.ts';
import { Attributes, bytes, u32, type Attribute } from './attribute.ts';
import { formatAddress, formatSubnet, type Address, type Subnet } from './ip.ts';
import { afterHeader, type Message, type Request } from './message.ts';

/** RTM_NEWROUTE, rtnetlink(7). */
export interface Route {
  /** Prefix 0 is the default route. */
  readonly destination: Subnet;
  readonly gateway?: Address;
  /** Of the device. */
  readonly index?: number;
  /** The address that what is sent along it comes from. */
  readonly source?: Address;
  /** The lowest wins. */
  readonly metric?: number;
  /** Main, 254, if not said. */
  readonly table?: number;
}

/** A route as it is: its table is told, and what made it (RTPROT_) and of what type it is (RTN_). */
export interface KnownRoute extends Route {
  readonly table: number;
  readonly protocol: number;
  readonly type: number;
}

const headerSize = 12;

function message(type: number, flags: number, route: Route, what: string): Request {
  const { destination, gateway, index, source, metric, table = RT_TABLE_MAIN } = route;
  // struct rtmsg: family, lengths of destination and source, tos, table, protocol, scope, type, each u8, and flags, u32.
  const header = new Uint8Array(headerSize);
  const scope = gateway === undefined && destination.address.length === 4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  header.set([familyOf(destination.address), destination.prefix, 0, 0, table < 256 ? table : 0, RTPROT_BOOT, scope, RTN_UNICAST]);
  const attributes: Attribute[] = [
    ...(destination.prefix === 0 ? [] : [bytes(RTA_DST, destination.address)]),
    ...(gateway === undefined ? [] : [bytes(RTA_GATEWAY, gateway)]),
    ...(source === undefined ? [] : [bytes(RTA_PREFSRC, source)]),
    ...(index === undefined ? [] : [u32(RTA_OIF, index)]),
    ...(metric === undefined ? [] : [u32(RTA_PRIORITY, metric)]),
    ...(table < 256 ? [] : [u32(RTA_TABLE, table)]),
  ];
  const way = gateway === undefined ? '' : ` by ${formatAddress(gateway)}`;
  return { type, flags, header, attributes, what: `${what} the route to ${formatSubnet(destination)}${way}` };
}

export function newRoute(route: Route): Request {
  return message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, route, 'add');
}

export function deleteRoute(route: Route): Request {
  return message(RTM_DELROUTE, 0, route, 'remove');
}

/** All routes of all tables: for a dump. */
export function getRoutes(): Request {
  return { type: RTM_GETROUTE, flags: 0, header: new Uint8Array(headerSize), attributes: [], what: 'list the routes' };
}

/** Undefined of other families than IPv4 and IPv6. Throws MalformedMessage. */
export function readRoute({ payload }: Message): KnownRoute | undefined {
  const found = new Attributes(afterHeader(payload, headerSize));
  const [family = 0, prefix = 0, , , table = 0, protocol = 0, , type = 0] = payload;
  if (family !== AF_INET && family !== AF_INET6) return undefined;
  const address = found.bytes(RTA_DST) ?? new Uint8Array(family === AF_INET ? 4 : 16);
  const [gateway, index, source, metric] = [found.bytes(RTA_GATEWAY), found.u32(RTA_OIF), found.bytes(RTA_PREFSRC), found.u32(RTA_PRIORITY)];
  return {
    destination: { address, prefix }, table: found.u32(RTA_TABLE) ?? table, protocol, type,
    ...(gateway !== undefined && { gateway }), ...(index !== undefined && { index }),
    ...(source !== undefined && { source }), ...(metric !== undefined && { metric }),
  };
}
