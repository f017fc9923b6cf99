import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { encodeRequest } from '../netlink/message.ts';
import { formatAddress, formatSubnet, parseSubnet, type Subnet } from '../netlink/ip.ts';
import { entriesOfLease, entriesOfNetwork, identity } from './elements.ts';
import { containerResolverText, hostsText, outsideServers } from './files.ts';
import { reservePorts } from './host-port.ts';
import { chooseAddresses, hostInterfaceName, keepLease, leasesOf, macOf, macText, type Lease } from './lease.ts';
import { checkPort, portText, type PublishedPort } from './published-port.ts';
import { checkName, rangeOf, readRecord, type NetworkRecord } from './record.ts';
import { rulesNote, tableRequests } from './ruleset.ts';
import { findNetwork, listNetworks, writeRecord } from './store.ts';
import { chooseSubnet, chooseSubnetSix, firstAsGateway } from './subnet-choice.ts';

const record: NetworkRecord = {
  name: 'net', driver: 'bridge', device: 'delos7', four: { subnet: '10.9.0.0/29', gateway: '10.9.0.1' }, six: { subnet: 'fd00::/64', gateway: 'fd00::1' }, labels: {}, created: '2026-01-01T00:00:00.000Z',
};

function lease(more: Partial<Lease>): Lease {
  return { network: 'net', container: 'c', interface: 'eth0', hostInterface: 'dv0', mac: 'de:10:00:00:00:00', names: [], ports: [], ...more };
}

function folderOf(context: TestContext): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-network-'));
  context.after(() => fs.rmSync(folder, { recursive: true }));
  writeRecord(folder, record);
  return folder;
}

function subnets(...texts: readonly string[]): Subnet[] {
  return texts.map((text) => parseSubnet(text) ?? assert.fail(text));
}

test('a subnet is chosen beside the routes of the host', () => {
  assert.equal(formatSubnet(chooseSubnet([], 16)), '10.210.0.0/16');
  assert.equal(formatSubnet(chooseSubnet(subnets('10.210.3.0/24', '10.211.0.0/16'), 16)), '10.212.0.0/16');
  assert.equal(formatSubnet(chooseSubnet(subnets('10.210.0.0/24', '10.210.1.0/24'), 24)), '10.210.2.0/24');
  assert.equal(formatSubnet(chooseSubnet(subnets('10.0.0.0/8'), 16)), '172.20.0.0/16', 'a way to all of 10');
  assert.throws(() => chooseSubnet(subnets('0.0.0.0/1', '128.0.0.0/1'), 24), { code: 'network-in-use' });
  assert.match(formatSubnet(chooseSubnetSix()), /^fd[0-9a-f]{2}:.*::\/64$/);
  assert.deepEqual(firstAsGateway(subnets('10.5.0.0/16')[0] ?? assert.fail()), { subnet: '10.5.0.0/16', gateway: '10.5.0.1' });
});

test('records are checked', () => {
  for (const bad of ['', '.x', '../x', 'a/b', '-a', 'a b', 'x'.repeat(129)]) assert.throws(() => checkName(bad), { code: 'bad-network' }, bad);
  for (const [subnet, gateway] of [['10.0.0.1/24', '10.0.0.1'], ['10.0.0.0/31', '10.0.0.1'], ['10.0.0.0/24', '10.0.1.1'], ['10.0.0.0/24', 'x'], ['x', 'y']] as const) assert.throws(() => rangeOf({ subnet, gateway }, 'n'), { code: 'bad-network' });
  assert.deepEqual(readRecord(JSON.stringify(record)), record);
  assert.throws(() => readRecord(JSON.stringify({ ...record, device: 'x'.repeat(16) })), { code: 'bad-network' });
});

test('networks are found by name, and the two that are always there', (context) => {
  const folder = folderOf(context);
  assert.deepEqual(listNetworks(folder).map(({ name }) => name), ['host', 'net', 'none']);
  assert.deepEqual(findNetwork(folder, 'net'), record);
  assert.equal(findNetwork(folder, 'other'), undefined);
  assert.throws(() => findNetwork(folder, '../net'), { code: 'bad-network' });
});

test('addresses are given one after the other, round the subnet, none twice', (context) => {
  const folder = folderOf(context);
  const given: string[] = [];
  const give = (container: string): Lease => {
    const { four, six } = chooseAddresses(folder, record);
    const one = lease({ container, four: formatAddress(four ?? assert.fail()), six: formatAddress(six ?? assert.fail()) });
    keepLease(folder, one);
    given.push(one.four ?? '');
    return one;
  };
  const first = give('a');
  assert.deepEqual([first.four, first.six], ['10.9.0.2', 'fd00::2']);
  for (const name of ['b', 'c', 'd', 'e']) give(name);
  assert.deepEqual(given, ['10.9.0.2', '10.9.0.3', '10.9.0.4', '10.9.0.5', '10.9.0.6']);
  assert.throws(() => give('f'), { code: 'network-in-use', message: 'network net: all addresses of 10.9.0.0/29 are taken' });
  assert.throws(() => keepLease(folder, first), { code: 'network-in-use', message: 'network net: the address 10.9.0.2 is taken' });
  for (const name of ['10.9.0.2', '10.9.0.4']) fs.rmSync(path.join(folder, 'net/leases', name));
  give('g');
  give('h');
  assert.deepEqual(given.slice(5), ['10.9.0.2', '10.9.0.4']);
  assert.equal(leasesOf(folder, 'net').length, 5);
});

test('an address that is asked for is given, if it is one and free', (context) => {
  const folder = folderOf(context);
  const { four, six } = chooseAddresses(folder, record, { four: '10.9.0.5', six: 'fd00::abcd' });
  assert.deepEqual([four, six].map((address) => formatAddress(address ?? assert.fail())), ['10.9.0.5', 'fd00::abcd']);
  for (const wrong of ['10.9.0.0', '10.9.0.1', '10.9.0.7', '10.9.0.8', 'x', 'fd00::5']) assert.throws(() => chooseAddresses(folder, record, { four: wrong }), { code: 'bad-network' }, wrong);
  keepLease(folder, lease({ container: 'has-it', four: '10.9.0.5', six: 'fd00::abcd' }));
  assert.throws(() => chooseAddresses(folder, record, { four: '10.9.0.5' }), { message: 'network net: container has-it has the address 10.9.0.5' });
  assert.throws(() => chooseAddresses(folder, record, { four: '10.9.0.6', six: 'fd00::abcd' }), { code: 'network-in-use' });
});

test('a lease that was cut off counts as none, and its address as taken until a sweep', (context) => {
  const folder = folderOf(context);
  fs.writeFileSync(path.join(folder, 'net/leases/10.9.0.2'), '{"network":"n');
  assert.deepEqual(leasesOf(folder, 'net'), []);
  assert.throws(() => keepLease(folder, lease({ four: '10.9.0.2' })), { code: 'network-in-use' });
});

test('names of devices and hardware addresses', () => {
  assert.match(hostInterfaceName('c'.repeat(64), 'net'), /^dv[0-9a-f]{12}$/);
  assert.equal(new Set([hostInterfaceName('a', 'b'), hostInterfaceName('ab', ''), hostInterfaceName('a', 'b', 1), hostInterfaceName('a', 'c')]).size, 4);
  assert.equal(macText(macOf({ four: Uint8Array.of(10, 210, 0, 2) })), 'de:10:0a:d2:00:02');
});

test('what a network and a container put into the packet filter', () => {
  assert.deepEqual(entriesOfNetwork({ ...record, internal: true }).map(({ set }) => set), ['bridges', 'internal', 'within', 'subnets4', 'subnets4', 'gateways4', 'subnets6', 'subnets6', 'gateways6']);
  assert.ok(!entriesOfNetwork({ ...record, isolated: true }).some(({ set }) => set === 'within'));
  const ports: PublishedPort[] = [
    { protocol: 'tcp', hostPort: 8080, containerPort: 80 }, { protocol: 'udp', hostPort: 53, containerPort: 53, hostAddress: '192.0.2.1' }, { protocol: 'tcp', hostPort: 81, containerPort: 80, hostAddress: '0.0.0.0' },
  ];
  assert.deepEqual(entriesOfLease(lease({ four: '10.9.0.2', six: 'fd00::2', ports })).map(identity), [
    'from4 0a090002', 'to4 0a090002', 'publish4 060000001f900000', 'publish4_at c00002011100000000350000', 'publish4 0600000000510000',
    'from6 fd000000000000000000000000000002', 'to6 fd000000000000000000000000000002', 'publish6 060000001f900000',
  ]);
});

test('the table notes its own rules, and only them', () => {
  const hash = createHash('sha256');
  for (const request of tableRequests('delos')) hash.update(encodeRequest(request, 0, 0));
  assert.equal(Buffer.from(rulesNote).toString('hex'), hash.digest('hex').slice(0, 32), 'rules that change take another note, or tables that are there keep the old ones');
});

test('ports of the host: one that somebody listens at, one that another container has, one that is drawn', async (context) => {
  const server = net.createServer().listen(0, '127.0.0.1');
  context.after(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as net.AddressInfo;
  const wanted: PublishedPort = { protocol: 'tcp', hostPort: port, containerPort: 80 };
  assert.throws(() => reservePorts([wanted], []), { code: 'network-in-use', message: `0.0.0.0:${port}->80/tcp: a process of the host listens at this port` });
  const [drawn] = reservePorts([{ ...wanted, hostPort: 0 }], []);
  assert.ok((drawn?.hostPort ?? 0) >= 1024);
  const other = lease({ container: 'other', ports: [{ protocol: 'udp', hostPort: 4444, containerPort: 1, hostAddress: '127.0.0.1' }] });
  const udp: PublishedPort = { protocol: 'udp', hostPort: 4444, containerPort: 9 };
  assert.throws(() => reservePorts([udp], [other]), { message: '0.0.0.0:4444->9/udp: the port is published by container other' });
  assert.deepEqual(reservePorts([{ ...udp, hostAddress: '127.0.0.2' }], [other]).length, 1, 'at another address');
  assert.throws(() => reservePorts([udp, udp], []), { code: 'network-in-use' });
  assert.throws(() => reservePorts([{ ...udp, hostAddress: '192.0.2.200' }], []), { code: 'bad-network', message: /the host does not have this address/ });
});

test('published ports are checked and told', () => {
  const port: PublishedPort = { protocol: 'tcp', hostPort: 1, containerPort: 2 };
  for (const bad of [{ hostPort: 65536 }, { hostPort: -1 }, { containerPort: 0 }, { hostPort: 1.5 }, { hostAddress: 'x' }, { protocol: 'sctp' }]) assert.throws(() => checkPort({ ...port, ...bad } as PublishedPort), { code: 'bad-network' });
  assert.deepEqual([portText(port), portText({ ...port, hostAddress: '::1' })], ['0.0.0.0:1->2/tcp', '[::1]:1->2/tcp']);
});

test('/etc/hosts', () => {
  assert.equal(
    hostsText([{ address: '10.210.0.2', names: ['3f2a', 'web'] }]),
    '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n10.210.0.2\t3f2a web\n',
  );
});

test('/etc/resolv.conf: servers that only the host reaches are replaced, the rest is kept', () => {
  const host = '# made by hand\ndomain old.example\nsearch one.example two.example\nnameserver 127.0.0.53\nnameserver 192.0.2.1 ; a comment\nnameserver fe80::1%eth0\nnameserver nonsense\noptions ndots:2 edns0\n';
  assert.equal(containerResolverText(host), 'search one.example two.example\nnameserver 192.0.2.1\noptions ndots:2 edns0\n');
  assert.equal(containerResolverText(host, { servers: ['10.210.0.1'], search: ['.'], options: [] }), 'nameserver 10.210.0.1\n');
  assert.deepEqual(outsideServers('nameserver 127.0.0.53\n', 'nameserver 192.0.2.7\n'), ['192.0.2.7'], 'what systemd-resolved asks');
  assert.deepEqual(outsideServers('nameserver ::1\nnameserver 127.1.1.1\n', ''), ['9.9.9.9', '2620:fe::9']);
});
