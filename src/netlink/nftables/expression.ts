import {
  NFTA_BITWISE_DREG, NFTA_BITWISE_LEN, NFTA_BITWISE_MASK, NFTA_BITWISE_SREG, NFTA_BITWISE_XOR, NFTA_CMP_DATA, NFTA_CMP_OP, NFTA_CMP_SREG,
  NFTA_CT_DREG, NFTA_CT_KEY, NFTA_DATA_VALUE, NFTA_DATA_VERDICT, NFTA_EXPR_DATA, NFTA_EXPR_NAME, NFTA_FIB_DREG,
  NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR, NFTA_FIB_RESULT, NFTA_IMMEDIATE_DATA, NFTA_IMMEDIATE_DREG, NFTA_LIST_ELEM, NFTA_LOOKUP_DREG, NFTA_LOOKUP_FLAGS,
  NFTA_LOOKUP_SET, NFTA_LOOKUP_SREG, NFTA_META_DREG, NFTA_META_KEY, NFTA_NAT_FAMILY, NFTA_NAT_REG_ADDR_MIN, NFTA_NAT_REG_PROTO_MIN, NFTA_NAT_TYPE,
  NFTA_PAYLOAD_BASE, NFTA_PAYLOAD_DREG, NFTA_PAYLOAD_LEN, NFTA_PAYLOAD_OFFSET, NFTA_VERDICT_CHAIN, NFTA_VERDICT_CODE, NFT_CMP_EQ, NFT_CMP_NEQ,
  NFT_FIB_RESULT_ADDRTYPE, NFT_JUMP, NFT_LOOKUP_F_INV, NFT_NAT_DNAT, NFT_NAT_SNAT, NFT_PAYLOAD_NETWORK_HEADER, NFT_PAYLOAD_TRANSPORT_HEADER, NFT_REG32_00,
  NFT_REG_1, NFT_REG_VERDICT, NF_ACCEPT, NF_DROP, NFPROTO_IPV4, NFPROTO_IPV6, NFT_RETURN,
} from '../../abi/nftables.ts';
import { be32, bytes, nested, text, type Attribute } from '../attribute.ts';

/**
 * One expression of a rule, as NFTA_LIST_ELEM: a small instruction over registers of 16 bytes, of which each is four of 4 bytes. The
 * rule goes on to the next one as long as comparisons and look-ups hold. <linux/netfilter/nf_tables.h>, nft(8) --debug=netlink
 */
export type Expression = Attribute;

/** The first 16-byte register, where what is compared and looked up begins here. */
export const first = NFT_REG_1;

/** The register of 4 bytes that many words behind the beginning of {@link first}: where the next part of a concatenated key goes. */
export function word(index: number): number {
  return NFT_REG32_00 + index;
}

function expression(name: string, ...data: readonly Attribute[]): Expression {
  return nested(NFTA_LIST_ELEM, ...named(name, data));
}

function named(name: string, data: readonly Attribute[]): readonly Attribute[] {
  return [text(NFTA_EXPR_NAME, name), nested(NFTA_EXPR_DATA, ...data)];
}

function value(type: number, data: Uint8Array): Attribute {
  return nested(type, bytes(NFTA_DATA_VALUE, data));
}

/** Loads a fact of the packet: NFT_META_. Numbers are in the order of this machine, names of devices have 16 bytes. */
export function meta(key: number, register = first): Expression {
  return expression('meta', be32(NFTA_META_KEY, key), be32(NFTA_META_DREG, register));
}

/** Loads bytes of the packet. */
export function payload(base: 'network' | 'transport', offset: number, length: number, register = first): Expression {
  const where = base === 'network' ? NFT_PAYLOAD_NETWORK_HEADER : NFT_PAYLOAD_TRANSPORT_HEADER;
  const which = [be32(NFTA_PAYLOAD_OFFSET, offset), be32(NFTA_PAYLOAD_LEN, length)];
  return expression('payload', be32(NFTA_PAYLOAD_DREG, register), be32(NFTA_PAYLOAD_BASE, where), ...which);
}

/** Loads a fact of the connection: NFT_CT_, a number in the order of this machine. */
export function ct(key: number, register = first): Expression {
  return expression('ct', be32(NFTA_CT_KEY, key), be32(NFTA_CT_DREG, register));
}

/** Loads the type of the packet's destination, RTN_, in the order of this machine. */
export function destinationType(register = first): Expression {
  return expression('fib', be32(NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR), be32(NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE), be32(NFTA_FIB_DREG, register));
}

/** `register & mask`. */
export function and(mask: Uint8Array, register = first): Expression {
  return expression(
    'bitwise', be32(NFTA_BITWISE_SREG, register), be32(NFTA_BITWISE_DREG, register), be32(NFTA_BITWISE_LEN, mask.length),
    value(NFTA_BITWISE_MASK, mask), value(NFTA_BITWISE_XOR, new Uint8Array(mask.length)),
  );
}

export function equal(data: Uint8Array, register = first): Expression {
  return expression('cmp', be32(NFTA_CMP_SREG, register), be32(NFTA_CMP_OP, NFT_CMP_EQ), value(NFTA_CMP_DATA, data));
}

export function notEqual(data: Uint8Array, register = first): Expression {
  return expression('cmp', be32(NFTA_CMP_SREG, register), be32(NFTA_CMP_OP, NFT_CMP_NEQ), value(NFTA_CMP_DATA, data));
}

/** Goes on when the key that begins in the register is in the set, or with `inverted` when it is not. */
export function inSet(set: string, inverted = false, register = first): Expression {
  return expression('lookup', be32(NFTA_LOOKUP_SREG, register), text(NFTA_LOOKUP_SET, set), ...(inverted ? [be32(NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV)] : []));
}

/** Goes on when the key is in the map, with its data in `into`. */
export function inMap(map: string, into = first, register = first): Expression {
  return expression('lookup', be32(NFTA_LOOKUP_SREG, register), be32(NFTA_LOOKUP_DREG, into), text(NFTA_LOOKUP_SET, map));
}

/** Puts a constant into a register. */
export function immediate(data: Uint8Array, register = first): Expression {
  return expression('immediate', be32(NFTA_IMMEDIATE_DREG, register), value(NFTA_IMMEDIATE_DATA, data));
}

/** What becomes of the packet. `accept` ends this hook's chain; another table's chain at the same hook still sees the packet. */
export type Verdict = 'accept' | 'drop' | 'return' | { readonly jump: string };

export function verdict(wanted: Verdict): Expression {
  const codes = { accept: NF_ACCEPT, drop: NF_DROP, return: NFT_RETURN };
  const isCode = typeof wanted === 'string';
  const parts = isCode ? [be32(NFTA_VERDICT_CODE, codes[wanted])] : [be32(NFTA_VERDICT_CODE, NFT_JUMP), text(NFTA_VERDICT_CHAIN, wanted.jump)];
  return expression('immediate', be32(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT), nested(NFTA_IMMEDIATE_DATA, nested(NFTA_DATA_VERDICT, ...parts)));
}

/** Gives the packet the address of the device it leaves by. */
export function masquerade(): Expression {
  return expression('masq');
}

/** @param registers of the address and, if it is changed too, of the port, in network order */
function nat(type: number, family: 4 | 6, registers: { readonly address: number; readonly port?: number }): Expression {
  return expression(
    'nat', be32(NFTA_NAT_TYPE, type), be32(NFTA_NAT_FAMILY, family === 4 ? NFPROTO_IPV4 : NFPROTO_IPV6), be32(NFTA_NAT_REG_ADDR_MIN, registers.address),
    ...(registers.port === undefined ? [] : [be32(NFTA_NAT_REG_PROTO_MIN, registers.port)]),
  );
}

export function dnat(family: 4 | 6, registers: { readonly address: number; readonly port?: number }): Expression {
  return nat(NFT_NAT_DNAT, family, registers);
}

export function snat(family: 4 | 6, registers: { readonly address: number; readonly port?: number }): Expression {
  return nat(NFT_NAT_SNAT, family, registers);
}

/** Counts the packets that come here and their bytes. */
export function counter(): Expression {
  return expression('counter');
}

/** The same for each element of a set, as the content of NFTA_SET_EXPR. */
export function counterOfElements(): readonly Attribute[] {
  return named('counter', []);
}
