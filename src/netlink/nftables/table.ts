import {
  NFNL_MSG_BATCH_BEGIN, NFNL_MSG_BATCH_END, NFNL_SUBSYS_NFTABLES, NFPROTO_INET, NFTA_CHAIN_HOOK, NFTA_CHAIN_NAME, NFTA_CHAIN_POLICY, NFTA_CHAIN_TABLE,
  NFTA_CHAIN_TYPE, NFTA_HOOK_HOOKNUM, NFTA_HOOK_PRIORITY, NFTA_RULE_CHAIN, NFTA_RULE_EXPRESSIONS, NFTA_RULE_HANDLE, NFTA_RULE_TABLE, NFTA_RULE_USERDATA,
  NFTA_TABLE_NAME, NFTA_TABLE_USERDATA, NFT_MSG_DELRULE, NFT_MSG_DELTABLE, NFT_MSG_GETRULE, NFT_MSG_GETTABLE, NFT_MSG_NEWCHAIN, NFT_MSG_NEWRULE,
  NFT_MSG_NEWTABLE, NF_ACCEPT, NF_DROP, NF_INET_FORWARD, NF_INET_LOCAL_IN, NF_INET_LOCAL_OUT, NF_INET_POST_ROUTING, NF_INET_PRE_ROUTING,
} from '../../abi/nftables.ts';
import { NLM_F_APPEND, NLM_F_CREATE } from '../../abi/netlink.ts';
import { be32, be64, bytes, nested, text, type Attribute } from '../attribute.ts';
import type { Request } from '../message.ts';
import type { Frame } from '../socket.ts';
import type { Expression } from './expression.ts';

/** sizeof(struct nfgenmsg): family u8, version u8, resource id u16 big endian. */
export const headerSize = 4;

/** A request of nf_tables; everything is of the family inet, for IPv4 and IPv6 together. */
export function request(message: number, flags: number, attributes: readonly Attribute[], what: string): Request {
  return { type: (NFNL_SUBSYS_NFTABLES << 8) | message, flags, header: Uint8Array.of(NFPROTO_INET, 0, 0, 0), attributes, what };
}

function edge(type: number): Request {
  return { type, flags: 0, header: Uint8Array.of(0, 0, 0, NFNL_SUBSYS_NFTABLES), attributes: [], what: 'change the packet filter' };
}

/** nf_tables takes changes only in batches, each of which is done as a whole or not at all. */
export const batch: Frame = { begin: edge(NFNL_MSG_BATCH_BEGIN), end: edge(NFNL_MSG_BATCH_END) };

/** @param note kept with the table, at most 256 bytes: {@link readTable} gives it back */
export function newTable(table: string, note: Uint8Array = new Uint8Array()): Request {
  const noted = note.length === 0 ? [] : [bytes(NFTA_TABLE_USERDATA, note)];
  return request(NFT_MSG_NEWTABLE, NLM_F_CREATE, [text(NFTA_TABLE_NAME, table), ...noted], `make the table ${table}`);
}

/** With all that is in it. */
export function deleteTable(table: string): Request {
  return request(NFT_MSG_DELTABLE, 0, [text(NFTA_TABLE_NAME, table)], `remove the table ${table}`);
}

/** Refused with ENOENT when there is none. */
export function getTable(table: string): Request {
  return request(NFT_MSG_GETTABLE, 0, [text(NFTA_TABLE_NAME, table)], `find the table ${table}`);
}

const hooks = {
  prerouting: NF_INET_PRE_ROUTING, input: NF_INET_LOCAL_IN, forward: NF_INET_FORWARD, output: NF_INET_LOCAL_OUT, postrouting: NF_INET_POST_ROUTING,
} as const;

/** Where packets enter a chain. */
export interface Hook {
  readonly type: 'filter' | 'nat';
  readonly hook: keyof typeof hooks;
  /** The lowest comes first; -100 is where destinations are changed, 100 where sources are. */
  readonly priority: number;
  readonly policy: 'accept' | 'drop';
}

/** @param hook none of a chain that rules jump to */
export function newChain(table: string, chain: string, hook?: Hook): Request {
  const attributes = [
    text(NFTA_CHAIN_TABLE, table), text(NFTA_CHAIN_NAME, chain),
    ...(hook === undefined ? [] : [
      text(NFTA_CHAIN_TYPE, hook.type), be32(NFTA_CHAIN_POLICY, hook.policy === 'accept' ? NF_ACCEPT : NF_DROP),
      nested(NFTA_CHAIN_HOOK, be32(NFTA_HOOK_HOOKNUM, hooks[hook.hook]), be32(NFTA_HOOK_PRIORITY, hook.priority)),
    ]),
  ];
  return request(NFT_MSG_NEWCHAIN, NLM_F_CREATE, attributes, `make the chain ${table} ${chain}`);
}

/** The comment of a rule, as nft writes and shows it: type 0, a length of one byte, the text with its NUL. */
function commentOf(comment: string): Uint8Array {
  const data = Buffer.from(`${comment}\0`);
  return Buffer.concat([Uint8Array.of(0, data.length), data]);
}

/** Puts a rule behind those of the chain. @param comment at most 128 bytes */
export function newRule(table: string, chain: string, expressions: readonly Expression[], comment?: string): Request {
  const attributes = [
    text(NFTA_RULE_TABLE, table), text(NFTA_RULE_CHAIN, chain), nested(NFTA_RULE_EXPRESSIONS, ...expressions),
    ...(comment === undefined ? [] : [bytes(NFTA_RULE_USERDATA, commentOf(comment))]),
  ];
  return request(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND, attributes, `add the rule "${comment ?? ''}" to ${table} ${chain}`);
}

export function deleteRule(table: string, chain: string, handle: bigint): Request {
  const attributes = [text(NFTA_RULE_TABLE, table), text(NFTA_RULE_CHAIN, chain), be64(NFTA_RULE_HANDLE, handle)];
  return request(NFT_MSG_DELRULE, 0, attributes, `remove rule ${handle} of ${table} ${chain}`);
}

/** The rules of a table: for a dump. */
export function getRules(table: string): Request {
  return request(NFT_MSG_GETRULE, 0, [text(NFTA_RULE_TABLE, table)], `list the rules of ${table}`);
}
