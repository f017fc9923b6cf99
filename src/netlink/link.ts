import {
  IFLA_IFNAME, IFLA_NET_NS_FD, NLM_F_CREATE, NLM_F_EXCL, RTM_NEWLINK,
} from '../abi/netlink.ts';
import {
  BR_STATE_DISABLED, IFLA_ADDRESS, IFLA_AF_SPEC, IFLA_BRPORT_FLUSH, IFLA_BRPORT_ISOLATED, IFLA_BRPORT_LEARNING, IFLA_BRPORT_LOCKED, IFLA_BRPORT_MODE,
  IFLA_BRPORT_STATE, IFLA_IFALIAS, IFLA_INET6_ADDR_GEN_MODE, IFLA_INFO_DATA, IFLA_INFO_KIND, IFLA_INFO_SLAVE_DATA, IFLA_INFO_SLAVE_KIND, IFLA_LINK,
  IFLA_LINKINFO, IFLA_LINK_NETNSID, IFLA_MASTER, IFLA_MTU, IFLA_NET_NS_PID, RTM_DELLINK, RTM_GETLINK, VETH_INFO_PEER, IN6_ADDR_GEN_MODE_NONE,
} from '../abi/rtnetlink.ts';
import { AF_INET6 } from '../abi/netlink.ts';
import { IFF_UP } from '../abi/socket.ts';
import { Attributes, bareText, bytes, encodeAttributes, group, nested, text, u32, u8, type Attribute } from './attribute.ts';
import { afterHeader, type Message, type Request } from './message.ts';

/** The name of a network device has at most 15 bytes: IFNAMSIZ, with its NUL. <linux/if.h> */
export const maxNameBytes = 15;

/** What can be said of a device when it is made or changed. */
export interface LinkSettings {
  readonly name?: string;
  readonly up?: boolean;
  /** In bytes. */
  readonly mtu?: number;
  /** 6 bytes. */
  readonly mac?: Uint8Array;
  /** The index of the bridge that it is a port of; 0 takes it out. */
  readonly master?: number;
  /** A word for people, of at most 255 bytes. Not when a device is made: the kernel passes over it then. */
  readonly alias?: string;
  /** Where the device is moved: the namespace of a process, or that of a descriptor. */
  readonly namespacePid?: number;
  readonly namespaceFd?: number;
  /** No IPv6 address of the link's own: IN6_ADDR_GEN_MODE_NONE. Not when a device is made: refused with EAFNOSUPPORT then. */
  readonly noLinkLocal?: boolean;
}

/** A device as it is. RTM_NEWLINK, rtnetlink(7) */
export interface Link {
  readonly index: number;
  readonly name: string;
  /** `veth`, `bridge`; none of lo and of hardware. */
  readonly kind?: string;
  readonly up: boolean;
  readonly mtu: number;
  readonly mac: Uint8Array;
  /** The index of its bridge. */
  readonly master?: number;
  /** The index of the other end, in the namespace that {@link peerNamespace} tells. */
  readonly peer?: number;
  readonly peerNamespace?: number;
  readonly alias?: string;
}

/**
 * What a port of a bridge does with frames: `hairpin` sends them back where they came from, `isolated` not to other isolated ports, `closed` takes
 * none from it, and the bridge forgets who was behind it.
 */
export interface PortSettings {
  readonly hairpin?: boolean;
  readonly isolated?: boolean;
  readonly closed?: true;
}

const headerSize = 16;

/** struct ifinfomsg: family u8, a byte of padding, type u16, index i32, flags u32, change u32. */
function header(index: number, up?: boolean): Uint8Array {
  const view = new DataView(new ArrayBuffer(headerSize));
  view.setInt32(4, index, true);
  view.setUint32(8, up === true ? IFF_UP : 0, true);
  view.setUint32(12, up === undefined ? 0 : IFF_UP, true);
  return new Uint8Array(view.buffer);
}

function settings({ name, mtu, mac, master, alias, namespacePid, namespaceFd, noLinkLocal }: LinkSettings): Attribute[] {
  return [
    ...(name === undefined ? [] : [text(IFLA_IFNAME, name)]),
    ...(mtu === undefined ? [] : [u32(IFLA_MTU, mtu)]),
    ...(mac === undefined ? [] : [bytes(IFLA_ADDRESS, mac)]),
    ...(master === undefined ? [] : [u32(IFLA_MASTER, master)]),
    ...(alias === undefined ? [] : [bareText(IFLA_IFALIAS, alias)]),
    ...(namespacePid === undefined ? [] : [u32(IFLA_NET_NS_PID, namespacePid)]),
    ...(namespaceFd === undefined ? [] : [u32(IFLA_NET_NS_FD, namespaceFd)]),
    ...(noLinkLocal === true ? [nested(IFLA_AF_SPEC, nested(AF_INET6, u8(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE)))] : []),
  ];
}

function made(kind: string, link: LinkSettings & { readonly name: string }, data: readonly Attribute[]): Request {
  const information = group(IFLA_LINKINFO, bareText(IFLA_INFO_KIND, kind), ...(data.length === 0 ? [] : [group(IFLA_INFO_DATA, ...data)]));
  return {
    type: RTM_NEWLINK, flags: NLM_F_CREATE | NLM_F_EXCL, header: header(0, link.up), attributes: [...settings(link), information],
    what: `make the ${kind} device ${link.name}`,
  };
}

/** A bridge or a dummy. Refused with EEXIST when the name is taken. */
export function newLink(kind: 'bridge' | 'dummy', link: LinkSettings & { readonly name: string }): Request {
  return made(kind, link, []);
}

/** A pair; each end can be made in another namespace, under its name there. veth(4) */
export function newVeth(link: LinkSettings & { readonly name: string }, peer: LinkSettings): Request {
  const other = Buffer.concat([header(0, peer.up), encodeAttributes(settings(peer))]);
  return made('veth', link, [bytes(VETH_INFO_PEER, other)]);
}

export function setLink(index: number, link: LinkSettings, name = `device ${index}`): Request {
  return { type: RTM_NEWLINK, flags: 0, header: header(index, link.up), attributes: settings(link), what: `change ${name}` };
}

/**
 * A locked port (Linux 5.18) takes frames from those alone that the bridge knows behind it, and it forgets them and learns of no others. An older
 * kernel has the state only, which it sets back when the carrier comes or goes.
 */
const closing: readonly Attribute[] = [
  u8(IFLA_BRPORT_LEARNING, 0), u8(IFLA_BRPORT_LOCKED, 1), u8(IFLA_BRPORT_STATE, BR_STATE_DISABLED), bytes(IFLA_BRPORT_FLUSH, new Uint8Array()),
];

export function setPort(index: number, { hairpin, isolated, closed }: PortSettings, name = `device ${index}`): Request {
  const data = [
    ...(hairpin === undefined ? [] : [u8(IFLA_BRPORT_MODE, Number(hairpin))]),
    ...(isolated === undefined ? [] : [u8(IFLA_BRPORT_ISOLATED, Number(isolated))]),
    ...(closed === undefined ? [] : closing),
  ];
  const information = group(IFLA_LINKINFO, bareText(IFLA_INFO_SLAVE_KIND, 'bridge'), nested(IFLA_INFO_SLAVE_DATA, ...data));
  return { type: RTM_NEWLINK, flags: 0, header: header(index), attributes: [information], what: `change the bridge port ${name}` };
}

/** Of a pair, both ends go; of a bridge, its ports stay. */
export function deleteLink(index: number, name = `device ${index}`): Request {
  return { type: RTM_DELLINK, flags: 0, header: header(index), attributes: [], what: `remove ${name}` };
}

/** One device. Refused with ENODEV when there is none of this name. */
export function getLink(name: string): Request {
  return { type: RTM_GETLINK, flags: 0, header: header(0), attributes: [text(IFLA_IFNAME, name)], what: `find the device ${name}` };
}

/** All devices: for a dump. */
export function getLinks(): Request {
  return { type: RTM_GETLINK, flags: 0, header: header(0), attributes: [], what: 'list the devices' };
}

/** @throws MalformedMessage */
export function readLink({ payload }: Message): Link {
  const found = new Attributes(afterHeader(payload, headerSize));
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const [kind, master, alias] = [found.nested(IFLA_LINKINFO)?.text(IFLA_INFO_KIND), found.u32(IFLA_MASTER), found.text(IFLA_IFALIAS)];
  const [peer, peerNamespace] = [found.u32(IFLA_LINK), found.i32(IFLA_LINK_NETNSID)];
  return {
    index: view.getInt32(4, true), name: found.text(IFLA_IFNAME) ?? '', up: (view.getUint32(8, true) & IFF_UP) !== 0,
    mtu: found.u32(IFLA_MTU) ?? 0, mac: found.bytes(IFLA_ADDRESS) ?? new Uint8Array(),
    ...(kind !== undefined && { kind }), ...(master !== undefined && { master }), ...(alias !== undefined && { alias }),
    ...(peer !== undefined && { peer }), ...(peerNamespace !== undefined && { peerNamespace }),
  };
}
