import { AF_INET6, IFA_ADDRESS, IFA_LOCAL, NLM_F_CREATE, NLM_F_EXCL, RTM_NEWADDR } from '../abi/netlink.ts';
import { IFA_BROADCAST, IFA_F_NODAD, RTM_DELADDR, RTM_GETADDR } from '../abi/rtnetlink.ts';
import { AF_INET } from '../abi/socket.ts';
import { Attributes, bytes } from './attribute.ts';
import { formatSubnet, type Address, type Subnet } from './ip.ts';
import { afterHeader, type Message, type Request } from './message.ts';

/** An address of a device, with the length of the prefix that is reached over it. RTM_NEWADDR, rtnetlink(7) */
export interface InterfaceAddress extends Subnet {
  /** The device's. */
  readonly index: number;
  /** 0 for everywhere, 253 for the link, 254 for the host. */
  readonly scope: number;
}

const headerSize = 8;

/** AF_INET or AF_INET6. */
export function familyOf(address: Address): number {
  return address.length === 4 ? AF_INET : AF_INET6;
}

/** struct ifaddrmsg: family, prefix length, flags, scope, each u8, and the index, u32. */
function header(family: number, prefix: number, index: number, flags = 0): Uint8Array {
  const view = new DataView(new ArrayBuffer(headerSize));
  view.setUint8(0, family);
  view.setUint8(1, prefix);
  view.setUint8(2, flags);
  view.setUint32(4, index, true);
  return new Uint8Array(view.buffer);
}

/**
 * Gives a device an address. IPv6 addresses are usable at once: no other host is asked whether it has them (IFA_F_NODAD), since
 * addresses are given by us.
 * @param broadcast of IPv4 alone
 */
export function newAddress(index: number, subnet: Subnet, broadcast?: Address): Request {
  const { address, prefix } = subnet;
  const attributes = [
    bytes(IFA_LOCAL, address), ...(broadcast === undefined ? [] : [bytes(IFA_BROADCAST, broadcast)]), bytes(IFA_ADDRESS, address),
  ];
  return {
    type: RTM_NEWADDR, flags: NLM_F_CREATE | NLM_F_EXCL, header: header(familyOf(address), prefix, index, address.length === 4 ? 0 : IFA_F_NODAD), attributes,
    what: `give device ${index} the address ${formatSubnet(subnet)}`,
  };
}

export function deleteAddress(index: number, subnet: Subnet): Request {
  const { address, prefix } = subnet;
  return {
    type: RTM_DELADDR, flags: 0, header: header(familyOf(address), prefix, index), attributes: [bytes(IFA_LOCAL, address), bytes(IFA_ADDRESS, address)],
    what: `take the address ${formatSubnet(subnet)} from device ${index}`,
  };
}

/** All addresses of all devices: for a dump. */
export function getAddresses(): Request {
  return { type: RTM_GETADDR, flags: 0, header: header(0, 0, 0), attributes: [], what: 'list the addresses' };
}

/** @throws MalformedMessage */
export function readAddress({ payload }: Message): InterfaceAddress {
  const found = new Attributes(afterHeader(payload, headerSize));
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  return {
    // Of a point-to-point link IFA_ADDRESS is the other end's.
    address: found.bytes(IFA_LOCAL) ?? found.bytes(IFA_ADDRESS) ?? new Uint8Array(),
    prefix: view.getUint8(1), scope: view.getUint8(3), index: view.getUint32(4, true),
  };
}
