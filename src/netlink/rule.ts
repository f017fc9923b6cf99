import { AF_INET6, NLM_F_CREATE, NLM_F_EXCL } from '../abi/netlink.ts';
import { FRA_DST, FRA_FWMARK, FRA_IIFNAME, FRA_PRIORITY, FRA_SRC, FRA_TABLE, FR_ACT_TO_TBL, RTM_DELRULE, RTM_GETRULE, RTM_NEWRULE } from '../abi/rtnetlink.ts';
import { AF_INET } from '../abi/socket.ts';
import { Attributes, bytes, text, u32 } from './attribute.ts';
import { formatSubnet, type Subnet } from './ip.ts';
import { afterHeader, type Message, type Request } from './message.ts';

/** Which table of routes is asked for what: a rule of policy routing, ip-rule(8). */
export interface Rule {
  readonly family: 4 | 6;
  /** The lowest is asked first. */
  readonly priority: number;
  readonly table: number;
  readonly source?: Subnet;
  readonly destination?: Subnet;
  /** The device it came in by. */
  readonly from?: string;
  readonly mark?: number;
}

const headerSize = 12;

function message(type: number, flags: number, rule: Rule, what: string): Request {
  const { family, priority, table, source, destination, from, mark } = rule;
  // struct fib_rule_hdr: family, lengths of destination and source, tos, table, two reserved, action, each u8, and flags, u32.
  const header = new Uint8Array(headerSize);
  header.set([family === 4 ? AF_INET : AF_INET6, destination?.prefix ?? 0, source?.prefix ?? 0, 0, table < 256 ? table : 0, 0, 0, FR_ACT_TO_TBL]);
  const attributes = [
    ...(source === undefined ? [] : [bytes(FRA_SRC, source.address)]),
    ...(destination === undefined ? [] : [bytes(FRA_DST, destination.address)]),
    u32(FRA_PRIORITY, priority),
    ...(from === undefined ? [] : [text(FRA_IIFNAME, from)]),
    ...(mark === undefined ? [] : [u32(FRA_FWMARK, mark)]),
    ...(table < 256 ? [] : [u32(FRA_TABLE, table)]),
  ];
  const whose = source === undefined ? '' : ` for what comes from ${formatSubnet(source)}`;
  return { type, flags, header, attributes, what: `${what} the rule ${priority} to table ${table}${whose}` };
}

export function newRule(rule: Rule): Request {
  return message(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, rule, 'add');
}

export function deleteRule(rule: Rule): Request {
  return message(RTM_DELRULE, 0, rule, 'remove');
}

/** All rules: for a dump. */
export function getRules(): Request {
  return { type: RTM_GETRULE, flags: 0, header: new Uint8Array(headerSize), attributes: [], what: 'list the rules' };
}

/** Undefined of other families than IPv4 and IPv6. Throws MalformedMessage. */
export function readRule({ payload }: Message): Rule | undefined {
  const found = new Attributes(afterHeader(payload, headerSize));
  const [family = 0, destinationPrefix = 0, sourcePrefix = 0, , table = 0] = payload;
  if (family !== AF_INET && family !== AF_INET6) return undefined;
  const [source, destination, from, mark] = [found.bytes(FRA_SRC), found.bytes(FRA_DST), found.text(FRA_IIFNAME), found.u32(FRA_FWMARK)];
  return {
    family: family === AF_INET ? 4 : 6, priority: found.u32(FRA_PRIORITY) ?? 0, table: found.u32(FRA_TABLE) ?? table,
    ...(source !== undefined && { source: { address: source, prefix: sourcePrefix } }),
    ...(destination !== undefined && { destination: { address: destination, prefix: destinationPrefix } }),
    ...(from !== undefined && { from }), ...(mark !== undefined && { mark }),
  };
}
