import { O_CLOEXEC, O_RDONLY } from '../abi/fcntl.ts';
import {
  AF_INET6, IFA_ADDRESS, IFA_LOCAL, IFLA_IFNAME, IFLA_NET_NS_FD, IFLA_NEW_IFINDEX, NETLINK_ROUTE, NLM_F_ACK, NLM_F_CREATE, NLM_F_REPLACE,
  NLM_F_REQUEST, RTM_NEWADDR, RTM_NEWLINK,
} from '../abi/netlink.ts';
import { AF_INET, AF_NETLINK, IFF_UP, SOCK_CLOEXEC, SOCK_RAW } from '../abi/socket.ts';
import { DelosError } from '../lib/errors.ts';
import { buffer, bytes, Cell, cell, type Block } from '../plan/block.ts';
import { call, type Item } from '../plan/step.ts';
import { whileInitWaits } from './channel.ts';
import type { Build, Field } from './field.ts';

/** A network device of the runtime's namespace, as it is before it is moved. */
export interface HostDevice {
  readonly index: number;
  readonly up: boolean;
  /** Of global scope. Moving a device takes its addresses away. */
  readonly addresses: readonly { readonly family: 4 | 6; readonly address: Uint8Array; readonly prefix: number }[];
}

/**
 * linux.netDevices, config-linux.md "Network Devices": the runtime moves each device into init's namespace, under its new name,
 * and init gives it back its addresses and its state. The index is asked for too, since the addresses go by it.
 */
export const netDevices: Field = {
  at: ['/linux/netDevices'],
  support: 'full',
  after: (build) => {
    const moves = planned(build);
    if (moves.length === 0) return [];
    const { procPid } = build.cells;
    const move = withSocket(moves.flatMap(({ host, name, why }) => {
      const { message, namespace } = moveMessage(host, name);
      return [
        call('openat', [procPid, 'ns/net', O_RDONLY | O_CLOEXEC, 0], why, { out: namespace }),
        ...send(message, why),
        call('close', [namespace], why),
      ];
    }));
    return whileInitWaits(build, move, pointer).after;
  },
  init: (build) => {
    const moves = planned(build);
    if (moves.length === 0) return [];
    const restore = withSocket(moves.flatMap(({ host, name, why }) => [
      ...(host.up ? send(bytes(upMessage(host.index), `RTM_NEWLINK ${name}: IFF_UP`), why) : []),
      ...host.addresses.flatMap((address) => send(bytes(addressMessage(host.index, address), `RTM_NEWADDR ${name}`), why)),
    ]));
    return [...whileInitWaits(build, [], pointer).init, ...restore];
  },
};

const pointer = '/linux/netDevices';
const socket = cell('rtnetlink', -1);

function planned({ config, facts }: Build): { host: HostDevice; name: string; why: string }[] {
  return Object.entries(config.linux?.netDevices ?? {}).map(([outside, device]) => {
    const why = `/linux/netDevices/${outside}`;
    const host = facts.netDevices[outside];
    if (!host) throw new DelosError('bad-config', `linux.netDevices.${outside}: this host has no such network device`, { field: why });
    return { host, name: device.name ?? outside, why };
  });
}

function withSocket(steps: Item[]): Item[] {
  return [call('socket', [AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE], pointer, { out: socket }), ...steps, call('close', [socket], pointer)];
}

/** An acknowledgement without error is 36 bytes; one with an error carries the whole request behind it. netlink(7) */
const acknowledged = 36;
const answer = buffer(256, 'answer');

function send(message: Block, why: string): Item[] {
  const { length } = message.bytes;
  return [
    call('sendto', [socket, message, length, 0, 0, 0], why, { want: length }),
    call('recvfrom', [socket, answer, answer.bytes.length, 0, 0, 0], why, { want: acknowledged }),
  ];
}

function moveMessage(host: HostDevice, name: string): { message: Block; namespace: Cell } {
  const text = Buffer.from(`${name}\0`);
  const data = linkMessage(host.index, 0, [[IFLA_IFNAME, text], [IFLA_NEW_IFINDEX, u32(host.index)], [IFLA_NET_NS_FD, u32(0)]]);
  const message = bytes(data, `RTM_NEWLINK ${name}`);
  return { message, namespace: new Cell('network namespace', message, data.length - 4, 4) };
}

function upMessage(index: number): Uint8Array {
  return linkMessage(index, IFF_UP, []);
}

type Attribute = readonly [type: number, value: Uint8Array];

/** struct ifinfomsg: family, type, index, flags, change. */
function linkMessage(index: number, flags: number, attributes: readonly Attribute[]): Uint8Array {
  const body = new DataView(new ArrayBuffer(16));
  body.setInt32(4, index, true);
  body.setUint32(8, flags, true);
  body.setUint32(12, flags, true);
  return netlinkMessage(RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, new Uint8Array(body.buffer), attributes);
}

/** struct ifaddrmsg: family, prefix length, flags, scope (0 is global), index. */
function addressMessage(index: number, { family, address, prefix }: HostDevice['addresses'][number]): Uint8Array {
  const body = new DataView(new ArrayBuffer(8));
  body.setUint8(0, family === 4 ? AF_INET : AF_INET6);
  body.setUint8(1, prefix);
  body.setUint32(4, index, true);
  const flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
  return netlinkMessage(RTM_NEWADDR, flags, new Uint8Array(body.buffer), [[IFA_LOCAL, address], [IFA_ADDRESS, address]]);
}

function netlinkMessage(type: number, flags: number, body: Uint8Array, attributes: readonly Attribute[]): Uint8Array {
  const parts = attributes.map(([kind, value]) => Buffer.concat([u16(4 + value.length), u16(kind), value, new Uint8Array(-value.length & 3)]));
  const length = 16 + body.length + parts.reduce((sum, part) => sum + part.length, 0);
  return Buffer.concat([u32(length), u16(type), u16(flags), u32(1), u32(0), body, ...parts]);
}

function u16(value: number): Uint8Array {
  return new Uint8Array(new Uint16Array([value]).buffer);
}

function u32(value: number): Uint8Array {
  return new Uint8Array(new Uint32Array([value]).buffer);
}
