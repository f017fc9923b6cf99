import {
  IPS_DST_NAT, NFPROTO_IPV4, NFPROTO_IPV6, NFT_CT_STATE, NFT_CT_STATUS, NFT_META_IIFNAME, NFT_META_L4PROTO, NFT_META_NFPROTO, NFT_META_OIFNAME,
} from '../abi/nftables.ts';
import { RTN_LOCAL } from '../abi/rtnetlink.ts';
import type { Request } from '../netlink/message.ts';
import {
  and, ct, counter, destinationType, dnat, equal, first, inMap, inSet, masquerade, meta, notEqual, payload, verdict, word, type Expression,
} from '../netlink/nftables/expression.ts';
import { port, newSet, type SetLayout } from '../netlink/nftables/set.ts';
import { newChain, newRule, newTable, type Hook } from '../netlink/nftables/table.ts';

/**
 * The rules never change: networks, containers and published ports are elements of the sets that they look into. So to publish a
 * port is to add one element, and removing it is safe beside anything else that goes on.
 */
export const sets = {
  bridges: { key: ['ifname'] },
  internal: { key: ['ifname'] },
  within: { key: ['ifname', 'ifname'] },
  subnets4: { key: ['ipv4_addr'], interval: true },
  subnets6: { key: ['ipv6_addr'], interval: true },
  gateways4: { key: ['ipv4_addr'] },
  gateways6: { key: ['ipv6_addr'] },
  from4: { key: ['ipv4_addr'], counter: true },
  from6: { key: ['ipv6_addr'], counter: true },
  to4: { key: ['ipv4_addr'], counter: true },
  to6: { key: ['ipv6_addr'], counter: true },
  publish4: { key: ['inet_proto', 'inet_service'], data: ['ipv4_addr', 'inet_service'], counter: true },
  publish6: { key: ['inet_proto', 'inet_service'], data: ['ipv6_addr', 'inet_service'], counter: true },
  publish4_at: { key: ['ipv4_addr', 'inet_proto', 'inet_service'], data: ['ipv4_addr', 'inet_service'], counter: true },
  publish6_at: { key: ['ipv6_addr', 'inet_proto', 'inet_service'], data: ['ipv6_addr', 'inet_service'], counter: true },
} as const satisfies Record<string, SetLayout>;

export type SetName = keyof typeof sets;

const chains: Record<string, Hook> = {
  loopback: { type: 'filter', hook: 'prerouting', priority: -300, policy: 'accept' },
  publish: { type: 'nat', hook: 'prerouting', priority: -100, policy: 'accept' },
  'publish-local': { type: 'nat', hook: 'output', priority: -100, policy: 'accept' },
  leave: { type: 'nat', hook: 'postrouting', priority: 100, policy: 'accept' },
  forward: { type: 'filter', hook: 'forward', priority: 0, policy: 'accept' },
};

type Family = 4 | 6;

const families: readonly Family[] = [4, 6];

/** In the header of a packet: where its addresses are, and how long. */
const header = { 4: { source: 12, destination: 16, length: 4 }, 6: { source: 8, destination: 24, length: 16 } } as const;

/** A number of 32 bits in the order of this machine. */
function native(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

function isFamily(family: Family): Expression[] {
  return [meta(NFT_META_NFPROTO), equal(Uint8Array.of(family === 4 ? NFPROTO_IPV4 : NFPROTO_IPV6))];
}

function address(family: Family, which: 'source' | 'destination'): Expression {
  return payload('network', header[family][which], header[family].length);
}

/** The port that TCP and UDP have at the same place. */
function destinationPort(register: number): Expression {
  return payload('transport', 2, 2, register);
}

const wasPublished: readonly Expression[] = [ct(NFT_CT_STATUS), and(native(IPS_DST_NAT)), notEqual(native(0))];

/** Established and related: bits 1 and 2 of the state. */
const isAnswer: readonly Expression[] = [ct(NFT_CT_STATE), and(native(6)), notEqual(native(0))];

const toHost: readonly Expression[] = [destinationType(), equal(native(RTN_LOCAL))];

/** ::1 */
const loopbackSix = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);

type Rule = readonly [chain: string, comment: string, ...expressions: Expression[]];

/** A rule of the look-up of published ports: at one address of the host, then at any of them. */
function published(chain: string, family: Family): Rule[] {
  const behind = header[family].length / 4;
  const change = dnat(family, { address: first, port: word(behind) });
  return [
    [
      chain, `ports published at one address, IPv${family}`, ...isFamily(family), address(family, 'destination'), meta(NFT_META_L4PROTO, word(behind)),
      destinationPort(word(behind + 1)), inMap(`publish${family}_at`), change,
    ],
    [
      chain, `ports published at every address, IPv${family}`, ...isFamily(family), ...toHost, meta(NFT_META_L4PROTO), destinationPort(word(1)),
      inMap(`publish${family}`), change,
    ],
  ];
}

function names(family: Family): Rule {
  return [
    'publish', `the name server of a network keeps its port, IPv${family}`, meta(NFT_META_IIFNAME), inSet('bridges'), ...isFamily(family),
    address(family, 'destination'), inSet(`gateways${family}`), destinationPort(first), equal(port(53)), verdict('accept'),
  ];
}

function leaving(family: Family): Rule[] {
  return [
    [
      'leave', `to the outside with the host's address, IPv${family}`, ...isFamily(family), address(family, 'source'), inSet(`subnets${family}`),
      meta(NFT_META_OIFNAME), inSet('bridges', true), counter(), masquerade(),
    ],
    [
      'leave', `to a published port of a container from a container: the answer has to come back through here, IPv${family}`, ...isFamily(family),
      address(family, 'source'), inSet(`subnets${family}`), meta(NFT_META_OIFNAME), inSet('bridges'), ...wasPublished, counter(), masquerade(),
    ],
  ];
}

function rules(): Rule[] {
  const loopbackNet = [and(Uint8Array.of(255, 0, 0, 0)), equal(Uint8Array.of(127, 0, 0, 0))];
  return [
    // The bridges route the loopback addresses, for ports published there; nobody may come in by that (CVE-2020-8558).
    [
      'loopback', "containers do not reach the host's loopback", meta(NFT_META_IIFNAME), inSet('bridges'), ...isFamily(4), address(4, 'destination'),
      ...loopbackNet, counter(), verdict('drop'),
    ],
    // IPv6 has no route_localnet: an answer to ::1 would be thrown away when it comes by the bridge. So nobody is let wait for one: who asks
    // for localhost is refused there at once and goes on to 127.0.0.1.
    ['publish-local', 'no ports are published at ::1', ...isFamily(6), address(6, 'destination'), equal(loopbackSix), verdict('accept')],
    ...families.map(names),
    ...['publish', 'publish-local'].flatMap((chain) => families.flatMap((family) => published(chain, family))),
    ...families.flatMap(leaving),
    [
      'leave', "from the host's loopback to a published port", ...isFamily(4), address(4, 'source'), ...loopbackNet, meta(NFT_META_OIFNAME), inSet('bridges'),
      counter(), masquerade(),
    ],
    ...families.flatMap((family): Rule[] => [
      ['forward', `what each container sends, IPv${family}`, ...isFamily(family), address(family, 'source'), inSet(`from${family}`)],
      ['forward', `what each container gets, IPv${family}`, ...isFamily(family), address(family, 'destination'), inSet(`to${family}`)],
    ]),
    ['forward', 'to a published port', ...wasPublished, verdict('accept')],
    ['forward', 'within a network', meta(NFT_META_IIFNAME), meta(NFT_META_OIFNAME, word(4)), inSet('within'), verdict('accept')],
    ['forward', 'networks are apart', meta(NFT_META_IIFNAME), inSet('bridges'), meta(NFT_META_OIFNAME), inSet('bridges'), counter(), verdict('drop')],
    ['forward', 'an internal network has no outside', meta(NFT_META_IIFNAME), inSet('internal'), counter(), verdict('drop')],
    ['forward', 'an internal network is not reached', meta(NFT_META_OIFNAME), inSet('internal'), counter(), verdict('drop')],
    ['forward', 'to the outside', meta(NFT_META_IIFNAME), inSet('bridges'), verdict('accept')],
    ['forward', 'answers from the outside', meta(NFT_META_OIFNAME), inSet('bridges'), ...isAnswer, verdict('accept')],
    ['forward', 'from the outside only to published ports', meta(NFT_META_OIFNAME), inSet('bridges'), counter(), verdict('drop')],
  ];
}

/** What makes the table with its rules and empty sets, without its note. */
export function tableRequests(table: string): Request[] {
  return [
    ...Object.entries(chains).map(([chain, hook]) => newChain(table, chain, hook)),
    ...Object.entries(sets).map(([set, layout], index) => newSet(table, set, layout, index + 1)),
    ...rules().map(([chain, comment, ...expressions]) => newRule(table, chain, expressions, comment)),
  ];
}

/**
 * The note that the table carries: whether one that is there has these rules is told by that. It is the beginning of the SHA-256 of the
 * messages that make them in a table `delos`, written down here since to compute it takes longer than all else about a container's network
 * together; the test beside this file says what it has to be.
 */
export const rulesNote: Uint8Array = Buffer.from('5beb33de894688fd1b2b79480adf878f', 'hex');

/** The whole table. */
export function makeTable(table: string): Request[] {
  return [newTable(table, rulesNote), ...tableRequests(table)];
}
