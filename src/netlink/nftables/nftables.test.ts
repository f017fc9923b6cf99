/** Payloads as nft 1.0.6 sends them (strace -e write=all), but for the number of a set beside its name, which the kernel does not need. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  IPS_DST_NAT, NFPROTO_IPV4, NFTA_COUNTER_BYTES, NFTA_COUNTER_PACKETS, NFTA_DATA_VALUE, NFTA_EXPR_DATA, NFTA_EXPR_NAME, NFTA_LIST_ELEM, NFTA_RULE_EXPRESSIONS,
  NFTA_SET_ELEM_EXPR, NFTA_SET_ELEM_KEY, NFTA_SET_ELEM_LIST_ELEMENTS, NFT_CT_STATUS, NFT_META_IIFNAME, NFT_META_L4PROTO, NFT_META_NFPROTO, NFT_META_OIFNAME,
} from '../../abi/nftables.ts';
import { Attributes, be64, bytes, encodeAttributes, nested, text } from '../attribute.ts';
import { decodeMessages, encodeRequest, type Message, type Request } from '../message.ts';
import { and, counter, ct, destinationType, dnat, equal, first, inMap, inSet, masquerade, meta, notEqual, payload, verdict, word } from './expression.ts';
import { readElements, readRule } from './read.ts';
import { concatenated, deleteElements, deviceName, interval, newElements, newSet, port } from './set.ts';
import { batch, deleteTable, newChain, newRule } from './table.ts';

function message(request: Request | undefined): Message {
  return decodeMessages(encodeRequest(request ?? assert.fail('no request'), 1, 1))[0] ?? assert.fail('no message');
}

function hex(request: Request | undefined): string {
  return Buffer.from(message(request).payload).toString('hex');
}

/** One attribute of a payload, which comes behind a header of 4 bytes. */
function attribute(payload: string, type: number): Uint8Array {
  return new Attributes(Buffer.from(payload, 'hex').subarray(4)).bytes(type) ?? assert.fail(`no attribute ${type}`);
}

/** The expressions of a rule that are no look-up, each in hexadecimal. */
function expressions(rule: string): string[] {
  const list = new Attributes(attribute(rule, NFTA_RULE_EXPRESSIONS)).entries.map(([, value]) => value);
  return list.filter((value) => new Attributes(value).text(NFTA_EXPR_NAME) !== 'lookup').map((value) => Buffer.from(value).toString('hex'));
}

test('a chain with its hook, and a table that goes', () => {
  const chain = newChain('t', 'g', { type: 'nat', hook: 'output', priority: -100, policy: 'accept' });
  assert.equal(hex(chain), '0100000006000100740000000600030067000000080007006e617400080005000000000114000480080001000000000308000200ffffff9c');
  assert.deepEqual([message(chain).type, message(chain).flags], [0xa03, 0x401]);
  assert.equal(hex(deleteTable('t')), '010000000600010074000000');
  assert.deepEqual([message(batch.begin).type, hex(batch.begin), message(batch.end).type, hex(batch.end)], [0x10, '0000000a', 0x11, '0000000a']);
});

test('sets', () => {
  assert.equal(hex(newSet('t', 'n', { key: ['ifname'] }, 1)), '010000000600010074000000060002006e00000008000300000000000800040000000029080005000000001008000a00000000010a000d000004010000000000');
  assert.equal(hex(newSet('t', 'q', { key: ['ipv6_addr'], interval: true }, 1)), '010000000600010074000000060002007100000008000300000000040800040000000008080005000000001008000a00000000010a000d000004020000000000');
  const map = hex(newSet('t', 'p', { key: ['inet_proto', 'inet_service'], data: ['ipv4_addr', 'inet_service'], counter: true }, 1));
  assert.equal(map, [
    '0100000006000100740000000600020070000000080003000000000808000400', '0000030d080005000000000808000600000001cd080007000000000808000a0000000001',
    '140011800c000100636f756e7465720004000280',
  ].join(''));
});

test('elements of a map and of a set of subnets', () => {
  const element = { key: concatenated(Uint8Array.of(17), port(53)), data: concatenated(Uint8Array.of(10, 88, 0, 3), port(5353)) };
  const [added] = newElements('t', 'p', [element]);
  const sent = '010000000600010074000000060002007000000008000400000000012800038024000180100001800c0001001100000000350000100002800c0001000a58000314e90000';
  assert.deepEqual(Buffer.from(attribute(hex(added), NFTA_SET_ELEM_LIST_ELEMENTS)), Buffer.from(attribute(sent, NFTA_SET_ELEM_LIST_ELEMENTS)));
  assert.equal(hex(deleteElements('t', 'p', [element])[0]), '01000000060001007400000006000200700000001800038014000180100001800c0001001100000000350000');
  const subnet = newElements('t', 's', interval({ address: Uint8Array.of(10, 99, 0, 0), prefix: 24 }));
  assert.equal(Buffer.from(attribute(hex(subnet[0]), NFTA_SET_ELEM_LIST_ELEMENTS)).toString('hex'), '100001800c000180080001000a6300001800018008000300000000010c000180080001000a630100');
  assert.equal(newElements('t', 'p', Array.from({ length: 1000 }, (_, number) => ({ key: port(number) }))).length, 3, 'no attribute is too long');
});

test('rules', () => {
  const leaving = newRule('t', 'c', [
    meta(NFT_META_NFPROTO), equal(Uint8Array.of(NFPROTO_IPV4)), payload('network', 12, 4), inSet('s'), meta(NFT_META_OIFNAME), notEqual(deviceName('br0')), counter(), masquerade(),
  ], 'hi');
  const sentLeaving = '01000000060001007400000006000200630000003801048024000180090001006d6574610000000014000280080002000000000f08000100000000012c00018008000100636d700020000280080001000000000108000200000000000c0003800500010002000000340001800c0001007061796c6f6164002400028008000100000000010800020000000001080003000000000c08000400000000042c0001800b0001006c6f6f6b757000001c00028008000200000000010600010073000000080004000000000224000180090001006d6574610000000014000280080002000000000708000100000000013800018008000100636d70002c00028008000100000000010800020000000001180003801400010062723000000000000000000000000000140001800c000100636f756e746572000400028014000180090001006d6173710000000004000280090007000003686900000000';
  assert.deepEqual(expressions(hex(leaving)), expressions(sentLeaving));
  assert.ok(hex(leaving).endsWith('090007000003686900000000'), 'the comment');
  assert.deepEqual(readRule(message(leaving)), { chain: 'c', handle: 0n, comment: 'hi', expressions: ['meta', 'cmp', 'payload', 'lookup', 'meta', 'cmp', 'counter', 'masq'], count: { packets: 0n, bytes: 0n } });
  const published = newRule('t', 'd', [destinationType(), equal(Uint8Array.of(2, 0, 0, 0)), meta(NFT_META_L4PROTO), payload('transport', 2, 2, word(1)), inMap('p'), dnat(4, { address: first, port: word(1) })]);
  const sentPublished = '0100000006000100740000000600020064000000140104802800018008000100666962001c0002800800030000000002080002000000000308000100000000012c00018008000100636d700020000280080001000000000108000200000000000c000380080001000200000024000180090001006d657461000000001400028008000200000000100800010000000001340001800c0001007061796c6f616400240002800800010000000009080002000000000208000300000000020800040000000002340001800b0001006c6f6f6b7570000024000280080002000000000108000300000000010600010070000000080004000000000130000180080001006e617400240002800800010000000001080002000000000208000300000000010800050000000009';
  assert.deepEqual(expressions(hex(published)), expressions(sentPublished));
  assert.ok(hex(published).includes(`0b0001006c6f6f6b757000001c0002800800020000000001080003000000000106000100700000`), 'the look-up, by hand: from register 1, to register 1, p');
});

test('rules without a look-up are the same byte for byte', () => {
  assert.equal(
    hex(newRule('t', 'f', [ct(NFT_CT_STATUS), and(Uint8Array.of(IPS_DST_NAT, 0, 0, 0)), notEqual(new Uint8Array(4)), verdict('accept')])),
    '0100000006000100740000000600020066000000c40004802000018007000100637400001400028008000200000000020800010000000001440001800c0001006269747769736500340002800800010000000001080002000000000108000300000000040c00048008000100200000000c00058008000100000000002c00018008000100636d700020000280080001000000000108000200000000010c0003800800010000000000300001800e000100696d6d6564696174650000001c0002800800010000000000100002800c0002800800010000000001',
  );
  assert.equal(
    hex(newRule('t', 'f', [meta(NFT_META_IIFNAME), equal(deviceName('br0')), meta(NFT_META_NFPROTO), equal(Uint8Array.of(2)), payload('network', 16, 1), equal(Uint8Array.of(127)), verdict('drop')])),
    '01000000060001007400000006000200660000004001048024000180090001006d6574610000000014000280080002000000000608000100000000013800018008000100636d70002c0002800800010000000001080002000000000018000380140001006272300000000000000000000000000024000180090001006d6574610000000014000280080002000000000f08000100000000012c00018008000100636d700020000280080001000000000108000200000000000c0003800500010002000000340001800c0001007061796c6f6164002400028008000100000000010800020000000001080003000000001008000400000000012c00018008000100636d700020000280080001000000000108000200000000000c000380050001007f000000300001800e000100696d6d6564696174650000001c0002800800010000000000100002800c0002800800010000000000',
  );
});

test('elements with their counters are read back; those that are cut off are not', () => {
  const counted = nested(NFTA_SET_ELEM_EXPR, text(NFTA_EXPR_NAME, 'counter'), nested(NFTA_EXPR_DATA, be64(NFTA_COUNTER_BYTES, 255n), be64(NFTA_COUNTER_PACKETS, 3n)));
  const element = nested(NFTA_LIST_ELEM, nested(NFTA_SET_ELEM_KEY, bytes(NFTA_DATA_VALUE, Uint8Array.of(6, 0, 0, 0))), counted);
  const payload = Buffer.concat([new Uint8Array(4), encodeAttributes([nested(NFTA_SET_ELEM_LIST_ELEMENTS, element)])]);
  const read = (some: Uint8Array): unknown => readElements({ type: 0, flags: 0, sequence: 0, port: 0, payload: some });
  assert.deepEqual(read(payload), [{ key: Buffer.from([6, 0, 0, 0]), count: { packets: 3n, bytes: 255n } }]);
  for (let length = 8; length < payload.length; length++) assert.throws(() => read(payload.subarray(0, length)), { name: 'MalformedMessage' }, `${length} bytes`);
});
