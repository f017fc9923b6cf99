/** Messages as iproute2 6.1 sends them (strace -e write=3), with 0 for its sequence number. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NLM_F_ACK, NLM_F_REQUEST, NLMSG_ERROR, NLM_F_ACK_TLVS, NLM_F_CAPPED, NLMSGERR_ATTR_MISS_TYPE, NLMSGERR_ATTR_MSG, NLMSGERR_ATTR_OFFS } from '../abi/netlink.ts';
import { newAddress, readAddress } from './address.ts';
import { Attributes, encodeAttributes, nested, pathAt, text, u16, u32, u64, u8, be16, be32, be64 } from './attribute.ts';
import { formatAddress, formatSubnet, overlap, parseAddress, parseSubnet, addressAt, contains, type Subnet } from './ip.ts';
import { deleteLink, newLink, newVeth, readLink, setLink, setPort } from './link.ts';
import { decodeMessages, encodeMessage, encodeRequest, type Request } from './message.ts';
import { newNeighbour, readNeighbour } from './neighbour.ts';
import { NetlinkError, readAcknowledgement } from './refusal.ts';
import { newRoute, readRoute } from './route.ts';
import { newRule, readRule } from './rule.ts';

function subnet(words: string, isHost = false): Subnet {
  const [address = '', prefix = ''] = words.split('/');
  return isHost ? { address: parseAddress(address) ?? assert.fail(words), prefix: Number(prefix) } : parseSubnet(words) ?? assert.fail(words);
}

function hex(request: Request): string {
  return Buffer.from(encodeRequest(request, 0, NLM_F_REQUEST | NLM_F_ACK)).toString('hex');
}

/** Header, struct and attributes, apart for who reads them. */
function bytesOf(...parts: readonly string[]): string {
  return parts.join('');
}

const gateway = Uint8Array.of(10, 0, 0, 254);
const mac = Uint8Array.of(0xde, 0x10, 0x0a, 0, 0, 7);

const sent: readonly (readonly [command: string, request: Request, hex: string])[] = [
  ['ip link add vh type veth peer name vc', newVeth({ name: 'vh' }, { name: 'vc' }),
    bytesOf('5400000010000506000000000000000000000000000000000000000000000000',
      '07000300766800002c0012000800010076657468200002001c000100000000000000000000000000000000000700030076630000')],
  ['ip link add br0 type bridge', newLink('bridge', { name: 'br0' }),
    bytesOf('3800000010000506000000000000000000000000000000000000000000000000', '0800030062723000100012000a0001006272696467650000')],
  ['ip link set vh master br0', setLink(3, { master: 4 }),
    bytesOf('2800000010000500000000000000000000000000030000000000000000000000', '08000a0004000000')],
  ['ip link set br0 up', setLink(4, { up: true }), '2000000010000500000000000000000000000000040000000100000001000000'],
  ['ip link set vc mtu 1400 address de:10:0a:00:00:02', setLink(2, { mtu: 1400, mac: Uint8Array.of(0xde, 0x10, 0x0a, 0, 0, 2) }),
    bytesOf('3400000010000500000000000000000000000000020000000000000000000000', '08000400780500000a000100de100a0000020000')],
  ['ip link set vh alias hello', setLink(3, { alias: 'hello' }),
    bytesOf('2c00000010000500000000000000000000000000030000000000000000000000', '0900140068656c6c6f000000')],
  ['ip link set vc netns 1', setLink(2, { namespacePid: 1 }),
    bytesOf('2800000010000500000000000000000000000000020000000000000000000000', '0800130001000000')],
  ['ip link delete br0', deleteLink(4), '2000000011000500000000000000000000000000040000000000000000000000'],
  ['ip address add 10.0.0.1/24 brd 10.0.0.255 dev br0', newAddress(4, subnet('10.0.0.1/24', true), Uint8Array.of(10, 0, 0, 255)),
    bytesOf('30000000140005060000000000000000', '0218000004000000', '080002000a000001080004000a0000ff080001000a000001')],
  ['ip address add fd00::1/64 dev br0 nodad', newAddress(4, subnet('fd00::1/64', true)),
    bytesOf('40000000140005060000000000000000', '0a40020004000000', '14000200fd00000000000000000000000000000114000100fd000000000000000000000000000001')],
  ['ip route add default via 10.0.0.254 dev br0', newRoute({ destination: subnet('0.0.0.0/0'), gateway, index: 4 }),
    bytesOf('2c000000180005060000000000000000', '02000000fe03000100000000', '080005000a0000fe0800040004000000')],
  ['ip route add 10.5.0.0/16 dev br0', newRoute({ destination: subnet('10.5.0.0/16'), index: 4 }),
    bytesOf('2c000000180005060000000000000000', '02100000fe03fd0100000000', '080001000a0500000800040004000000')],
  ['ip neigh replace 10.0.0.7 lladdr de:10:0a:00:00:07 dev br0', newNeighbour(4, Uint8Array.of(10, 0, 0, 7), mac),
    bytesOf('300000001c0005050000000000000000', '020000000400000080000000', '080001000a0000070a000200de100a0000070000')],
  ['ip rule add from 10.0.0.0/24 table 77 priority 500', newRule({ family: 4, source: subnet('10.0.0.0/24'), table: 77, priority: 500 }),
    bytesOf('2c000000200005060000000000000000', '020018004d00000100000000', '080002000a00000008000600f4010000')],
];

for (const [command, request, bytes] of sent) test(`the message of ${command}`, () => assert.equal(hex(request), bytes));

test('a bridge port, by hand: IFLA_LINKINFO { IFLA_INFO_SLAVE_KIND, IFLA_INFO_SLAVE_DATA { IFLA_BRPORT_MODE } }', () => {
  assert.equal(hex(setPort(3, { hairpin: true })), bytesOf('3c00000010000500000000000000000000000000030000000000000000000000', '1c0012000a0004006272696467650000', '0c000580') + '0500040001000000');
  // ip link set vh type bridge_slave learning off locked on state 0 fdb_flush
  assert.equal(hex(setPort(3, { closed: true })), bytesOf('5000000010000500000000000000000000000000030000000000000000000000', '300012000a0004006272696467650000', '20000580',
    '0500080000000000', '0500270001000000', '0500010000000000', '04001800'));
});

test('a peer is made where it belongs, with its namespace in its own attributes', () => {
  const request = newVeth({ name: 'vh' }, { name: 'eth0', mtu: 1400, mac, namespaceFd: 9, up: true });
  assert.ok(hex(request).endsWith(bytesOf('01000000', '01000000', '0900030065746830000000000800040078050000', '0a000100de100a0000070000', '08001c0009000000')));
});

test('what was encoded is read back', () => {
  const back = (request: Request): ReturnType<typeof decodeMessages>[number] => decodeMessages(encodeRequest(request, 7, 0))[0] ?? assert.fail();
  assert.deepEqual(readLink(back(setLink(5, { name: 'x', up: true, mtu: 9000, mac, master: 2, alias: 'a' }))), { index: 5, name: 'x', up: true, mtu: 9000, mac, master: 2, alias: 'a' });
  const address = readAddress(back(newAddress(3, subnet('10.0.0.1/24', true))));
  assert.deepEqual([formatSubnet(address), address.index, address.scope], ['10.0.0.1/24', 3, 0]);
  const route = readRoute(back(newRoute({ destination: subnet('fd00::/8'), gateway: subnet('fd00::1/128').address, index: 3, metric: 5, table: 1000 }))) ?? assert.fail();
  assert.deepEqual([formatSubnet(route.destination), formatAddress(route.gateway ?? assert.fail()), route.index, route.metric, route.table], ['fd00::/8', 'fd00::1', 3, 5, 1000]);
  const neighbour = readNeighbour(back(newNeighbour(4, gateway, mac)));
  assert.deepEqual([neighbour.index, neighbour.state, formatAddress(neighbour.address)], [4, 0x80, '10.0.0.254']);
  const rule = readRule(back(newRule({ family: 4, priority: 9, table: 300, destination: subnet('10.0.0.0/8'), from: 'eth0', mark: 3 }))) ?? assert.fail();
  assert.deepEqual([rule.family, rule.priority, rule.table, rule.from, rule.mark, formatSubnet(rule.destination ?? assert.fail())], [4, 9, 300, 'eth0', 3, '10.0.0.0/8']);
});

test('attributes of every kind, padded to four', () => {
  const encoded = encodeAttributes([u8(1, 255), u16(2, 0x1234), u32(3, 0xdeadbeef), u64(4, 1n), be16(5, 0x1234), be32(6, -1), be64(7, 2n), text(8, 'ab'), nested(9, u8(1, 1))]);
  assert.equal(Buffer.from(encoded).toString('hex'), [
    '05000100ff000000', '0600020034120000', '08000300efbeadde', '0c0004000100000000000000', '0600050012340000', '08000600ffffffff', '0c0007000000000000000002', '0700080061620000', '0c0009800500010001000000',
  ].join(''));
  const read = new Attributes(encoded);
  assert.deepEqual([read.u8(1), read.u16(2), read.u32(3), read.be32(6), read.be64(7), read.text(8), read.nested(9)?.u8(1), read.u32(99)], [255, 0x1234, 0xdeadbeef, 0xffffffff, 2n, 'ab', 1, undefined]);
  assert.throws(() => read.u32(1), { name: 'MalformedMessage', message: 'attribute 1 has 1 bytes where 4 are needed' });
  assert.throws(() => encodeAttributes([text(1, 'x'.repeat(70_000))]), RangeError);
});

test('messages and attributes whose lengths lie are refused', () => {
  const good = encodeMessage({ type: 16, flags: 0, sequence: 1, port: 0, payload: new Uint8Array(16) });
  for (const length of [0, 15, 33, 0xffffffff]) {
    const bad = good.slice();
    new DataView(bad.buffer).setUint32(0, length, true);
    assert.throws(() => decodeMessages(bad), { name: 'MalformedMessage' }, `${length}`);
  }
  for (const bytes of ['03000100', '0900010000000000', 'ffff0100']) assert.throws(() => new Attributes(Buffer.from(bytes, 'hex')), { name: 'MalformedMessage' }, bytes);
  assert.deepEqual(new Attributes(Buffer.from('0400010000', 'hex')).entries.length, 1, 'padding that is cut off');
});

test('a refusal is a sentence with the errno, the words of the kernel and the attribute', () => {
  const request = newVeth({ name: 'vh' }, { name: 'vc' });
  const answer = (flags: number, errno: number, ...details: Parameters<typeof encodeAttributes>[0]): ReturnType<typeof readAcknowledgement> => {
    const number = new Uint8Array(Int32Array.of(-errno).buffer);
    const sent = encodeRequest(request, 3, 0);
    const echoed = (flags & NLM_F_CAPPED) === 0 ? sent : sent.subarray(0, 16);
    const [message] = decodeMessages(encodeMessage({ type: NLMSG_ERROR, flags, sequence: 3, port: 0, payload: Buffer.concat([number, echoed, encodeAttributes(details)]) }));
    return readAcknowledgement(message ?? assert.fail());
  };
  assert.equal(new NetlinkError(request, answer(NLM_F_CAPPED, 17)).message, 'cannot make the veth device vh: EEXIST');
  assert.equal(new NetlinkError(request, answer(NLM_F_CAPPED | NLM_F_ACK_TLVS, 34, text(NLMSGERR_ATTR_MSG, 'too long'), u32(NLMSGERR_ATTR_OFFS, 32))).message, 'cannot make the veth device vh: ERANGE: too long (attribute 3)');
  assert.equal(new NetlinkError(request, answer(NLM_F_ACK_TLVS, 95, u32(NLMSGERR_ATTR_OFFS, 40))).message, 'cannot make the veth device vh: EOPNOTSUPP (attribute 18)', 'with the whole request in front');
  assert.equal(new NetlinkError(request, answer(NLM_F_ACK_TLVS, 22, u32(NLMSGERR_ATTR_MISS_TYPE, 47))).message, 'cannot make the veth device vh: EINVAL (attribute 47 is missing)');
  assert.deepEqual(pathAt(request.attributes, 12), [18, 1]);
  assert.equal(pathAt(request.attributes, 1000), undefined);
});

test('addresses as text', () => {
  for (const good of ['0.0.0.0', '255.255.255.255', '::', '::1', 'fe80::1', '2001:db8::8:800:200c:417a', '1:2:3:4:5:6:7:8', '1::8', '2001:db8:0:1:1:1:1:1']) assert.equal(formatAddress(parseAddress(good) ?? assert.fail(good)), good);
  assert.equal(formatAddress(parseAddress('2001:DB8:0:0:1:0:0:1') ?? assert.fail()), '2001:db8::1:0:0:1', 'the first of two runs');
  assert.equal(formatAddress(parseAddress('::ffff:10.0.0.1') ?? assert.fail()), '::ffff:a00:1');
  for (const bad of ['', '1.2.3', '1.2.3.4.5', '01.2.3.4', '256.1.1.1', '1.2.3.4 ', ':::', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1::2::3', 'g::', '1:2:3:4:5:6:7::8', '::1.2.3', '12345::', 'fe80::1%eth0']) assert.equal(parseAddress(bad), undefined, bad);
  assert.equal(parseSubnet('10.0.0.1/24'), undefined, 'bits behind the prefix');
  for (const bad of ['10.0.0.0', '10.0.0.0/33', '10.0.0.0/08', '::/129', '/8']) assert.equal(parseSubnet(bad), undefined, bad);
  assert.equal(formatSubnet(parseSubnet('10.1.2.3/12', true) ?? assert.fail()), '10.0.0.0/12');
});

test('subnets contain and overlap', () => {
  assert.ok(contains(subnet('10.0.0.0/8'), Uint8Array.of(10, 255, 0, 1)));
  assert.ok(!contains(subnet('10.0.0.0/9'), Uint8Array.of(10, 128, 0, 1)));
  assert.ok(overlap(subnet('10.0.0.0/8'), subnet('10.9.0.0/16')) && overlap(subnet('10.9.0.0/16'), subnet('10.0.0.0/8')));
  assert.ok(!overlap(subnet('10.8.0.0/16'), subnet('10.9.0.0/16')));
  assert.ok(!overlap(subnet('0.0.0.0/0'), subnet('::/0')), 'of different families');
  assert.equal(addressAt(subnet('255.255.255.0/24').address, 256), undefined);
});
