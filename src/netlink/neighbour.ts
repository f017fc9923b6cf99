import { NLM_F_CREATE, NLM_F_REPLACE } from '../abi/netlink.ts';
import { NDA_DST, NDA_LLADDR, NUD_PERMANENT, RTM_DELNEIGH, RTM_GETNEIGH, RTM_NEWNEIGH } from '../abi/rtnetlink.ts';
import { familyOf } from './address.ts';
import { Attributes, bytes } from './attribute.ts';
import { formatAddress, type Address } from './ip.ts';
import { afterHeader, type Message, type Request } from './message.ts';

/** The hardware address that an address of a link has. RTM_NEWNEIGH, rtnetlink(7) */
export interface Neighbour {
  /** The device's. */
  readonly index: number;
  readonly address: Address;
  /** 6 bytes; none while it is searched for. */
  readonly mac?: Uint8Array;
  /** NUD_ */
  readonly state: number;
}

const headerSize = 12;

/** struct ndmsg: family u8, three bytes of padding, index i32, state u16, flags u8, type u8. */
function header(family: number, index: number, state: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(headerSize));
  view.setUint8(0, family);
  view.setInt32(4, index, true);
  view.setUint16(8, state, true);
  return new Uint8Array(view.buffer);
}

/** An entry that stays, so that nobody is asked for it; another one of the address is replaced. */
export function newNeighbour(index: number, address: Address, mac: Uint8Array): Request {
  return {
    type: RTM_NEWNEIGH, flags: NLM_F_CREATE | NLM_F_REPLACE, header: header(familyOf(address), index, NUD_PERMANENT),
    attributes: [bytes(NDA_DST, address), bytes(NDA_LLADDR, mac)], what: `tell device ${index} of its neighbour ${formatAddress(address)}`,
  };
}

export function deleteNeighbour(index: number, address: Address): Request {
  return {
    type: RTM_DELNEIGH, flags: 0, header: header(familyOf(address), index, 0), attributes: [bytes(NDA_DST, address)],
    what: `let device ${index} forget its neighbour ${formatAddress(address)}`,
  };
}

/** All neighbours: for a dump. */
export function getNeighbours(): Request {
  return { type: RTM_GETNEIGH, flags: 0, header: header(0, 0, 0), attributes: [], what: 'list the neighbours' };
}

/** @throws MalformedMessage */
export function readNeighbour({ payload }: Message): Neighbour {
  const found = new Attributes(afterHeader(payload, headerSize));
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const mac = found.bytes(NDA_LLADDR);
  return {
    index: view.getInt32(4, true), address: found.bytes(NDA_DST) ?? new Uint8Array(), state: view.getUint16(8, true), ...(mac !== undefined && { mac }),
  };
}
