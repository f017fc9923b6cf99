import {
  CTA_IP_V4_DST, CTA_IP_V4_SRC, CTA_IP_V6_DST, CTA_IP_V6_SRC, CTA_PROTO_DST_PORT, CTA_PROTO_NUM, CTA_PROTO_SRC_PORT, CTA_TUPLE_IP, CTA_TUPLE_ORIG,
  CTA_TUPLE_PROTO, CTA_TUPLE_REPLY, IPCTNL_MSG_CT_DELETE, IPCTNL_MSG_CT_GET, NFNL_SUBSYS_CTNETLINK,
} from '../abi/conntrack.ts';
import { AF_INET6, NLA_F_NESTED } from '../abi/netlink.ts';
import { AF_INET } from '../abi/socket.ts';
import { Attributes, bytes } from './attribute.ts';
import type { Address } from './ip.ts';
import { afterHeader, type Message, type Request } from './message.ts';

/** Packets of one direction: where from, where to. */
export interface Tuple {
  /** IPPROTO_ */
  readonly protocol: number;
  readonly source: Address;
  readonly destination: Address;
  /** 0 where the protocol has no ports. */
  readonly sourcePort: number;
  readonly destinationPort: number;
}

/** A connection that the kernel follows, with the answers it expects: where those come from elsewhere, the destination was changed. */
export interface Connection {
  readonly original: Tuple;
  readonly reply: Tuple;
  /** The original tuple as it came, to name the connection by. */
  readonly name: Uint8Array;
}

/** sizeof(struct nfgenmsg) */
const headerSize = 4;

function request(message: number, family: 4 | 6, name: Uint8Array | undefined, what: string): Request {
  const header = Uint8Array.of(family === 4 ? AF_INET : AF_INET6, 0, 0, 0);
  const attributes = name === undefined ? [] : [bytes(CTA_TUPLE_ORIG | NLA_F_NESTED, name)];
  return { type: (NFNL_SUBSYS_CTNETLINK << 8) | message, flags: 0, header, attributes, what };
}

/** The connections of a family: for a dump. */
export function getConnections(family: 4 | 6): Request {
  return request(IPCTNL_MSG_CT_GET, family, undefined, `list the connections of IPv${family}`);
}

/** Refused with ENOENT when it has ended. */
export function deleteConnection(family: 4 | 6, { name }: Connection): Request {
  return request(IPCTNL_MSG_CT_DELETE, family, name, 'forget a connection');
}

/** @throws MalformedMessage */
export function readConnection({ payload }: Message): Connection {
  const found = new Attributes(afterHeader(payload, headerSize));
  const [original, reply] = [readTuple(found.nested(CTA_TUPLE_ORIG)), readTuple(found.nested(CTA_TUPLE_REPLY))];
  return { original, reply, name: found.bytes(CTA_TUPLE_ORIG) ?? new Uint8Array() };
}

function readTuple(tuple: Attributes | undefined): Tuple {
  const [ip, protocol] = [tuple?.nested(CTA_TUPLE_IP), tuple?.nested(CTA_TUPLE_PROTO)];
  return {
    protocol: protocol?.u8(CTA_PROTO_NUM) ?? 0,
    source: ip?.bytes(CTA_IP_V4_SRC) ?? ip?.bytes(CTA_IP_V6_SRC) ?? new Uint8Array(),
    destination: ip?.bytes(CTA_IP_V4_DST) ?? ip?.bytes(CTA_IP_V6_DST) ?? new Uint8Array(),
    sourcePort: protocol?.be16(CTA_PROTO_SRC_PORT) ?? 0, destinationPort: protocol?.be16(CTA_PROTO_DST_PORT) ?? 0,
  };
}
