import {
  NFTA_COUNTER_BYTES, NFTA_COUNTER_PACKETS, NFTA_DATA_VALUE, NFTA_EXPR_DATA, NFTA_EXPR_NAME, NFTA_LIST_ELEM, NFTA_RULE_CHAIN, NFTA_RULE_EXPRESSIONS,
  NFTA_RULE_HANDLE, NFTA_RULE_USERDATA, NFTA_SET_ELEM_DATA, NFTA_SET_ELEM_EXPR, NFTA_SET_ELEM_FLAGS, NFTA_SET_ELEM_KEY, NFTA_SET_ELEM_LIST_ELEMENTS,
  NFTA_TABLE_NAME, NFTA_TABLE_USERDATA, NFT_SET_ELEM_INTERVAL_END,
} from '../../abi/nftables.ts';
import { Attributes } from '../attribute.ts';
import { afterHeader, type Message } from '../message.ts';
import type { Element } from './set.ts';
import { headerSize } from './table.ts';

export interface Count {
  readonly packets: bigint;
  readonly bytes: bigint;
}

export interface KnownElement extends Element {
  readonly count?: Count;
}

export interface KnownRule {
  readonly chain: string;
  readonly handle: bigint;
  readonly comment?: string;
  /** The names of its expressions in order: `meta cmp lookup counter masq`. */
  readonly expressions: readonly string[];
  readonly count?: Count;
}

/** @throws MalformedMessage */
export function readTable({ payload }: Message): { readonly name: string; readonly note: Uint8Array } {
  const found = new Attributes(afterHeader(payload, headerSize));
  return { name: found.text(NFTA_TABLE_NAME) ?? '', note: found.bytes(NFTA_TABLE_USERDATA) ?? new Uint8Array() };
}

/** @throws MalformedMessage */
export function readRule({ payload }: Message): KnownRule {
  const found = new Attributes(afterHeader(payload, headerSize));
  const list = found.nested(NFTA_RULE_EXPRESSIONS)?.entries.filter(([type]) => type === NFTA_LIST_ELEM).map(([, value]) => new Attributes(value)) ?? [];
  const [comment, count] = [readComment(found.bytes(NFTA_RULE_USERDATA)), list.map(countOf).find((one) => one !== undefined)];
  return {
    chain: found.text(NFTA_RULE_CHAIN) ?? '', handle: found.be64(NFTA_RULE_HANDLE) ?? 0n, expressions: list.map((one) => one.text(NFTA_EXPR_NAME) ?? ''),
    ...(comment !== undefined && { comment }), ...(count !== undefined && { count }),
  };
}

/** The elements in one message of a dump. Throws MalformedMessage. */
export function readElements({ payload }: Message): KnownElement[] {
  const found = new Attributes(afterHeader(payload, headerSize));
  return (found.nested(NFTA_SET_ELEM_LIST_ELEMENTS)?.entries ?? []).map(([, value]) => readElement(new Attributes(value)));
}

function readElement(element: Attributes): KnownElement {
  const data = element.nested(NFTA_SET_ELEM_DATA)?.bytes(NFTA_DATA_VALUE);
  const attached = element.nested(NFTA_SET_ELEM_EXPR);
  const count = attached && countOf(attached);
  const end = ((element.be32(NFTA_SET_ELEM_FLAGS) ?? 0) & NFT_SET_ELEM_INTERVAL_END) !== 0;
  return {
    key: element.nested(NFTA_SET_ELEM_KEY)?.bytes(NFTA_DATA_VALUE) ?? new Uint8Array(),
    ...(data !== undefined && { data }), ...(end && { end }), ...(count !== undefined && { count }),
  };
}

function countOf(expression: Attributes): Count | undefined {
  if (expression.text(NFTA_EXPR_NAME) !== 'counter') return undefined;
  const data = expression.nested(NFTA_EXPR_DATA);
  return { packets: data?.be64(NFTA_COUNTER_PACKETS) ?? 0n, bytes: data?.be64(NFTA_COUNTER_BYTES) ?? 0n };
}

/** Of the notes of a rule, each a type, a length and as many bytes, that of type 0. */
function readComment(notes: Uint8Array = new Uint8Array()): string | undefined {
  let offset = 0;
  while (offset + 2 <= notes.length) {
    const end = offset + 2 + (notes[offset + 1] ?? 0);
    if (notes[offset] === 0 && end <= notes.length) return Buffer.from(notes.subarray(offset + 2, end)).toString().replace(/\0.*$/s, '');
    offset = end;
  }
  return undefined;
}
