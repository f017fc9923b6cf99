import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { NETLINK_ROUTE } from '../../src/abi/netlink.ts';
import { getLink, newLink, readLink } from '../../src/netlink/link.ts';
import { NetlinkSocket } from '../../src/netlink/socket.ts';
import { attach } from '../../src/network/attach.ts';
import { createNetwork, removeNetwork } from '../../src/network/create.ts';
import { detach } from '../../src/network/detach.ts';
import { allLeases } from '../../src/network/lease.ts';
import { sweep } from '../../src/network/sweep.ts';
import { trace } from '../../src/network/trace.ts';
import { until } from '../support/container.ts';
import { Elsewhere, ip, playHost, tracesOfContainers } from '../support/private-network.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'ip', 'nft', 'ping', 'nsenter');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-network-'));
after(() => fs.rmSync(folder, { recursive: true }));
if (skip === false) playHost();

/** What Delos has of containers: devices, elements, leases, files other than records. */
function traces(): unknown {
  const files = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('leases/'));
  return { ...tracesOfContainers(), leases: allLeases(folder), files };
}

const nothing = { devices: [], elements: [], leases: [], files: [] };

/** What Delos has for networks, whether there are containers or not. */
function standing(): unknown {
  return { bridges: ip('-br link show').match(/^delos\S*/gm), tables: execFileSync('nft', ['list', 'tables'], { encoding: 'utf8' }) };
}

/** A process with the fixture; its output is what it has attached. */
function startMany(...words: readonly string[]): { readonly kill: () => void; readonly ended: Promise<{ status: number | null; addresses: string[] }> } {
  const child = spawn(process.execPath, [path.resolve(import.meta.dirname, '../fixtures/attach-many.ts'), folder, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (some: string) => (text += some));
  return { kill: () => child.kill('SIGKILL'), ended: new Promise((resolve) => child.once('close', (status) => resolve({ status, addresses: text.split('\n').filter(Boolean) }))) };
}

test('two hundred containers of one process at once: each another address, all reach the gateway, nothing is left', { skip }, async () => {
  const places = Array.from({ length: 200 }, () => new Elsewhere());
  const attached = await Promise.all(places.map((place, number) => attach(folder, { container: `many${number}`, network: 'bridge', namespace: place.path })));
  assert.equal(new Set(attached.map(({ four }) => four)).size, 200);
  assert.equal(new Set(attached.map(({ hostInterface }) => hostInterface)).size, 200);
  for (const place of places.slice(0, 200).filter((_, number) => number % 20 === 0)) assert.ok(place.pings('10.210.0.1'));
  // The namespaces go first, as they do with containers that have ended.
  for (const place of places) place[Symbol.dispose]();
  await Promise.all(attached.map(({ container }) => detach(folder, container)));
  assert.deepEqual(traces(), nothing);
});

test('ten processes give no address and no port twice', { skip }, async () => {
  const processes = Array.from({ length: 10 }, (_, number) => startMany(`p${number}-`, '12', 'keep'));
  const ended = await Promise.all(processes.map(({ ended }) => ended));
  assert.deepEqual(ended.map(({ status }) => status), ended.map(() => 0));
  const leases = allLeases(folder);
  assert.equal(leases.length, 120);
  assert.deepEqual(new Set(ended.flatMap(({ addresses }) => addresses)), new Set(leases.map(({ four }) => four)));
  assert.equal(new Set(leases.map(({ ports }) => ports[0]?.hostPort)).size, 120);
  const swept = await sweep(folder, (container) => container === 'p3-7');
  assert.equal(swept.containers.length, 119);
  assert.deepEqual(allLeases(folder).map(({ container }) => container), ['p3-7'], 'one that is alive is left alone');
  await sweep(folder, () => false);
  assert.deepEqual(traces(), nothing);
});

test('whatever a process that is killed leaves, a sweep removes', { skip }, async () => {
  for (let round = 0; round < 12; round++) {
    const running = [startMany(`k${round}a`, '1000', 'detach'), startMany(`k${round}b`, '1000', 'keep')];
    await sleep(350 + round * 17);
    for (const { kill } of running) kill();
    await Promise.all(running.map(({ ended }) => ended));
    await sweep(folder, () => false);
    assert.deepEqual([traces(), standing()], [nothing, { bridges: null, tables: '' }], `round ${round}`);
  }
});

test('devices, elements and files of nobody are swept, those of others stay', { skip }, async () => {
  using place = new Elsewhere();
  const { hostInterface, four = '' } = await attach(folder, { container: 'alive', network: 'bridge', namespace: place.path });
  for (const words of ['link add dv0123456789ab type veth peer name other0', 'link set dv0123456789ab master delos0', 'link add dvmine type bridge', 'link add dvbaba00000000 type veth peer name other1']) ip(words);
  const table = /table inet (\S+)/.exec(execFileSync('nft', ['list', 'tables'], { encoding: 'utf8' }))?.[1] ?? '';
  execFileSync('nft', ['add', 'element', 'inet', table, 'from4', '{ 10.210.77.77 }']);
  fs.writeFileSync(path.join(folder, 'bridge/leases/10.210.9.9'), '{"network":');
  const swept = await sweep(folder, () => true);
  assert.deepEqual(swept, { containers: [], devices: ['dv0123456789ab'], entries: 1 });
  assert.ok(place.pings('10.210.0.1'));
  assert.match(ip('-br link show'), new RegExp(`${hostInterface}.*\\n`));
  assert.match(ip('-br link show'), /dvmine|dvbaba/);
  assert.deepEqual(fs.readdirSync(path.join(folder, 'bridge/leases')), [four]);
  await detach(folder, 'alive');
  for (const name of ['dvmine', 'dvbaba00000000']) ip(`link delete ${name}`);
  assert.deepEqual(traces(), nothing);
});

test('a bridge waits for its next container; a sweep does not take it for something left, but away', { skip }, async () => {
  using place = new Elsewhere();
  await attach(folder, { container: 'last', network: 'bridge', namespace: place.path });
  const before = standing();
  await detach(folder, 'last');
  assert.deepEqual([traces(), standing()], [nothing, before]);
  assert.deepEqual(await sweep(folder, () => true), { containers: [], devices: [], entries: 0 });
  assert.deepEqual(standing(), { bridges: null, tables: '' });
});

test('a bridge of a folder that is gone is removed when the next one is made, unless a container is on it', { skip }, async () => {
  await sweep(folder, () => false);
  const [used = '', unused = ''] = ['used', 'unused'].map((name) => fs.mkdtempSync(path.join(os.tmpdir(), `delos-network-${name}-`)));
  using place = new Elsewhere();
  using other = new Elsewhere();
  await attach(used, { container: 'apart', network: 'bridge', namespace: place.path });
  await attach(unused, { container: 'apart', network: 'bridge', namespace: other.path });
  await detach(unused, 'apart');
  fs.rmSync(unused, { recursive: true });
  fs.renameSync(used, `${used}.gone`);
  assert.equal(countOfTables(), 2);
  await createNetwork(folder, { name: 'third' });
  await attach(folder, { container: 'next', network: 'third', namespace: other.path });
  assert.equal(countOfTables(), 2, 'that of the folder that is there, and that of the one with a container');
  await detach(folder, 'next');
  fs.renameSync(`${used}.gone`, used);
  for (const one of [folder, used]) await sweep(one, () => false);
  assert.deepEqual([traces(), standing()], [nothing, { bridges: null, tables: '' }]);
  fs.rmSync(used, { recursive: true });
});

function countOfTables(): number {
  return execFileSync('nft', ['list', 'tables'], { encoding: 'utf8' }).split('\n').length - 1;
}

test('a container that has ended goes with its namespace, and nothing passes through what somebody keeps of it', { skip }, async () => {
  const keeper = new Elsewhere();
  using next = new Elsewhere();
  const { four = '' } = await attach(folder, { container: 'kept', network: 'bridge', namespace: keeper.path });
  assert.ok(keeper.pings('10.210.0.1'));
  await detach(folder, 'kept', { ended: true });
  assert.ok(!keeper.pings('10.210.0.1'), 'it has no lease any more');
  await attach(folder, { container: 'kept', network: 'bridge', namespace: next.path, addresses: { four } });
  assert.ok(next.pings('10.210.0.1'), 'its address can be given to another at once');
  await detach(folder, 'kept');
  keeper[Symbol.dispose]();
  await until('the kernel has removed the pair', () => tracesOfContainers().devices.length === 0);
  assert.deepEqual(traces(), nothing);
});

test('several requests in one datagram: each is answered, and one that is refused keeps none from being done', { skip }, () => {
  using socket = new NetlinkSocket(NETLINK_ROUTE);
  const [made, found] = socket.requests([newLink('bridge', { name: 'many0' }), getLink('many0')]);
  assert.deepEqual([made, found?.map(readLink).map(({ name }) => name)], [[], ['many0']]);
  const again = [newLink('bridge', { name: 'many0' }), newLink('bridge', { name: 'many1' })];
  assert.throws(() => socket.requests(again), { errno: 'EEXIST', what: 'make the bridge device many0' });
  assert.throws(() => socket.requests(again.toReversed(), 'ENODEV'), { errno: 'EEXIST', what: 'make the bridge device many1' });
  assert.deepEqual(socket.requests([...again, getLink('many1')], 'EEXIST').map(({ length }) => length), [0, 0, 1], 'answers are not mixed up after a refusal');
  for (const name of ['many0', 'many1']) ip(`link delete ${name}`);
});

test('an attachment that fails is undone, and a second detach does nothing', { skip }, async () => {
  await createNetwork(folder, { name: 'both', ipv6: true });
  using place = new Elsewhere();
  place.output('sh', '-c', 'echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6');
  const request = { container: 'fails', network: 'both', namespace: place.path, ports: [{ protocol: 'tcp', hostPort: 9001, containerPort: 1 }] } as const;
  await assert.rejects(attach(folder, request), { code: 'kernel-refused', message: /^container fails, network both: cannot give device \d+ the address fd/ });
  assert.deepEqual(traces(), nothing);
  assert.doesNotMatch(place.output('ip', 'link'), /eth0/);
  place.output('sh', '-c', 'echo 0 > /proc/sys/net/ipv6/conf/default/disable_ipv6');
  await attach(folder, request);
  await assert.rejects(attach(folder, request), { code: 'network-in-use', message: 'container fails is in network both already' });
  using other = new Elsewhere();
  await assert.rejects(attach(folder, { ...request, container: 'late', namespace: other.path }), { code: 'network-in-use', message: '0.0.0.0:9001->1/tcp: the port is published by container fails' });
  assert.deepEqual(await detach(folder, 'fails'), ['both']);
  assert.deepEqual(await detach(folder, 'fails'), []);
  assert.deepEqual(traces(), nothing);
});

test('a container in two networks has a way out by the first, and by the second when that goes', { skip }, async () => {
  await createNetwork(folder, { name: 'second', subnets: ['10.99.0.0/24'], gateways: ['10.99.0.254'] });
  using place = new Elsewhere();
  await attach(folder, { container: 'two', network: 'bridge', namespace: place.path });
  const { interface: name, four } = await attach(folder, { container: 'two', network: 'second', namespace: place.path, addresses: { four: '10.99.0.7' } });
  assert.deepEqual([name, four], ['eth1', '10.99.0.7']);
  assert.match(place.output('ip', 'route'), /^default via 10\.210\.0\.1 dev eth0 metric 100 \ndefault via 10\.99\.0\.254 dev eth1 metric 101/);
  assert.deepEqual(await detach(folder, 'two', { network: 'bridge' }), ['bridge']);
  assert.match(place.output('ip', 'route'), /^default via 10\.99\.0\.254 dev eth1/);
  assert.ok(place.pings('10.99.0.254'));
  await detach(folder, 'two');
  assert.deepEqual(traces(), nothing);
});

test('rules that somebody flushed are made again with all that was published, by the next container', { skip }, async () => {
  using one = new Elsewhere();
  using two = new Elsewhere();
  await attach(folder, { container: 'flushed', network: 'bridge', namespace: one.path, ports: [{ protocol: 'tcp', hostPort: 9100, containerPort: 80 }] });
  execFileSync('nft', ['flush', 'ruleset']);
  assert.equal(trace(folder, 'flushed')[0]?.ports[0]?.present, false);
  await attach(folder, { container: 'next', network: 'bridge', namespace: two.path });
  assert.equal(trace(folder, 'flushed')[0]?.ports[0]?.present, true);
  for (const container of ['flushed', 'next']) await detach(folder, container);
  assert.deepEqual(traces(), nothing);
});

test('a bridge that somebody removed is made again', { skip }, async () => {
  using one = new Elsewhere();
  using two = new Elsewhere();
  await attach(folder, { container: 'lost', network: 'bridge', namespace: one.path });
  ip('link delete delos0');
  await attach(folder, { container: 'found', network: 'bridge', namespace: two.path });
  assert.ok(two.pings('10.210.0.1'));
  for (const container of ['lost', 'found']) await detach(folder, container);
  assert.deepEqual(traces(), nothing);
});

test('subnets and devices of the host are not taken', { skip }, async () => {
  await sweep(folder, () => false);
  const apart = path.join(folder, 'apart');
  ip('link add taken0 type bridge');
  for (const words of ['link set taken0 up', 'addr add 10.210.0.1/16 dev taken0', 'link add delos1 type bridge']) ip(words);
  const chosen = await createNetwork(apart, { name: 'beside' });
  assert.deepEqual([chosen.device, chosen.four?.subnet], ['delos2', '10.211.0.0/24']);
  await assert.rejects(createNetwork(apart, { name: 'over', subnets: ['10.210.5.0/24'] }), { code: 'network-in-use', message: /10\.210\.5\.0\/24 has addresses in common with 10\.210\.0\.0\/16, which is in use$/ });
  await assert.rejects(createNetwork(apart, { name: 'same', device: 'taken0' }), { code: 'network-in-use' });
  await assert.rejects(createNetwork(apart, { name: 'beside' }), { code: 'network-in-use', message: 'there is a network beside already' });
  await removeNetwork(apart, 'beside');
  await assert.rejects(removeNetwork(apart, 'beside'), { code: 'no-network' });
  await createNetwork(apart, { name: 'mine', device: 'mine0' });
  ip('link add mine0 type bridge');
  ip('link set mine0 alias somebody');
  using place = new Elsewhere();
  await assert.rejects(attach(apart, { container: 'x', network: 'mine', namespace: place.path }), { code: 'network-in-use', message: 'network mine: the host has another device mine0' });
  assert.match(ip('-br link show mine0'), /mine0/, 'and it is left where it was');
});
