import {
  NFTA_DATA_VALUE, NFTA_LIST_ELEM, NFTA_SET_DATA_LEN, NFTA_SET_DATA_TYPE, NFTA_SET_ELEM_DATA, NFTA_SET_ELEM_FLAGS, NFTA_SET_ELEM_KEY,
  NFTA_SET_ELEM_LIST_ELEMENTS, NFTA_SET_ELEM_LIST_SET, NFTA_SET_ELEM_LIST_TABLE, NFTA_SET_EXPR, NFTA_SET_FLAGS, NFTA_SET_ID, NFTA_SET_KEY_LEN,
  NFTA_SET_KEY_TYPE, NFTA_SET_NAME, NFTA_SET_TABLE, NFT_MSG_DELSETELEM, NFT_MSG_GETSETELEM, NFT_MSG_NEWSET, NFT_MSG_NEWSETELEM,
  NFTA_SET_USERDATA, NFT_SET_ELEM_INTERVAL_END, NFT_SET_INTERVAL, NFT_SET_MAP,
} from '../../abi/nftables.ts';
import { NLM_F_CREATE, NLM_F_EXCL } from '../../abi/netlink.ts';
import { be32, bytes, nested, text, type Attribute } from '../attribute.ts';
import { addressAt, sizeOf, type Subnet } from '../ip.ts';
import type { Request } from '../message.ts';
import { counterOfElements } from './expression.ts';
import { request } from './table.ts';

/** Data types by their numbers in nftables: the kernel only keeps them, for nft to show. Length in bytes. */
const dataTypes = {
  ipv4_addr: [7, 4], ipv6_addr: [8, 16], inet_proto: [12, 1], inet_service: [13, 2], ifname: [41, 16],
} as const;

export type DataType = keyof typeof dataTypes;

/** What keys and data consist of, each part padded to four bytes when there are several. */
export interface SetLayout {
  readonly key: readonly DataType[];
  /** Makes it a map. */
  readonly data?: readonly DataType[];
  /** The key may be a subnet. */
  readonly interval?: boolean;
  /** Each element counts what matches it. */
  readonly counter?: boolean;
}

/** Six bits a part, as nft packs the types of a concatenation. */
function typeNumber(parts: readonly DataType[]): number {
  return parts.reduce((number, part) => (number << 6) | dataTypes[part][0], 0);
}

function lengthOf(parts: readonly DataType[]): number {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return dataTypes[only][1];
  return parts.reduce((sum, part) => sum + ((dataTypes[part][1] + 3) & -4), 0);
}

/**
 * The note by which nft knows the order of bytes in keys: type 0, four bytes, 1 for this machine's or 2 for big endian. Without it nft shows
 * names of devices as empty.
 */
function orderOf([only, more]: readonly DataType[]): Attribute[] {
  return only === undefined || more !== undefined ? [] : [bytes(NFTA_SET_USERDATA, Uint8Array.of(0, 4, only === 'ifname' ? 1 : 2, 0, 0, 0))];
}

/** @param id any number, another for each set of a batch */
export function newSet(table: string, set: string, { key, data, interval, counter }: SetLayout, id: number): Request {
  const flags = (interval === true ? NFT_SET_INTERVAL : 0) | (data === undefined ? 0 : NFT_SET_MAP);
  const attributes: Attribute[] = [
    text(NFTA_SET_TABLE, table), text(NFTA_SET_NAME, set), be32(NFTA_SET_FLAGS, flags), be32(NFTA_SET_KEY_TYPE, typeNumber(key)),
    be32(NFTA_SET_KEY_LEN, lengthOf(key)),
    ...(data === undefined ? [] : [be32(NFTA_SET_DATA_TYPE, typeNumber(data)), be32(NFTA_SET_DATA_LEN, lengthOf(data))]),
    be32(NFTA_SET_ID, id), ...orderOf(key),
    ...(counter === true ? [nested(NFTA_SET_EXPR, ...counterOfElements())] : []),
  ];
  return request(NFT_MSG_NEWSET, NLM_F_CREATE, attributes, `make the set ${table} ${set}`);
}

export interface Element {
  readonly key: Uint8Array;
  readonly data?: Uint8Array;
  /** It is the first key behind an interval. */
  readonly end?: boolean;
}

/** The elements for a subnet in a set of intervals: its first address, and the first behind it, if there is one. */
export function interval(subnet: Subnet): Element[] {
  const behind = addressAt(subnet.address, sizeOf(subnet));
  return [{ key: subnet.address }, ...(behind === undefined ? [] : [{ key: behind, end: true }])];
}

/** The parts of a concatenated key or datum, each padded to four bytes. */
export function concatenated(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts.map((part) => Buffer.concat([part, new Uint8Array(-part.length & 3)])));
}

/** A port, or another number of 16 bits, in network order. */
export function port(number: number): Uint8Array {
  return Uint8Array.of(number >> 8, number);
}

/** The name of a device as nf_tables compares it: 16 bytes, filled up with NUL. */
export function deviceName(name: string): Uint8Array {
  const padded = new Uint8Array(16);
  padded.set(Buffer.from(name).subarray(0, 15));
  return padded;
}

/** Fewer than fill an attribute of 65535 bytes, with the widest keys and data. */
const elementsPerMessage = 400;

function elements(message: number, flags: number, table: string, set: string, list: readonly Element[], what: string): Request[] {
  const requests: Request[] = [];
  for (let from = 0; from < list.length; from += elementsPerMessage) {
    const some = list.slice(from, from + elementsPerMessage).map((element) => nested(NFTA_LIST_ELEM, ...parts(element)));
    const attributes = [text(NFTA_SET_ELEM_LIST_TABLE, table), text(NFTA_SET_ELEM_LIST_SET, set), nested(NFTA_SET_ELEM_LIST_ELEMENTS, ...some)];
    requests.push(request(message, flags, attributes, what));
  }
  return requests;
}

function parts({ key, data, end }: Element): Attribute[] {
  return [
    ...(end === true ? [be32(NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END)] : []),
    nested(NFTA_SET_ELEM_KEY, bytes(NFTA_DATA_VALUE, key)),
    ...(data === undefined ? [] : [nested(NFTA_SET_ELEM_DATA, bytes(NFTA_DATA_VALUE, data))]),
  ];
}

/** Refused with EEXIST when a key is there already. */
export function newElements(table: string, set: string, list: readonly Element[], what = `add to the set ${table} ${set}`): Request[] {
  return elements(NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL, table, set, list, what);
}

/** Refused with ENOENT when a key is not there. */
export function deleteElements(table: string, set: string, list: readonly Element[]): Request[] {
  const keys = list.map(({ key, end }) => ({ key, ...(end === true && { end }) }));
  return elements(NFT_MSG_DELSETELEM, 0, table, set, keys, `remove from the set ${table} ${set}`);
}

/** The elements of a set: for a dump. */
export function getElements(table: string, set: string): Request {
  return request(NFT_MSG_GETSETELEM, 0, [text(NFTA_SET_ELEM_LIST_TABLE, table), text(NFTA_SET_ELEM_LIST_SET, set)], `list the set ${table} ${set}`);
}
