// Networks of the library, in a network namespace that plays the host.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { create, networks, run, type RunOptions } from '../../src/index.ts';
import { lockNetworks } from '../../src/network/lock.ts';
import { sweep } from '../../src/network/sweep.ts';
import { allLeases } from '../../src/network/lease.ts';
import { until } from '../support/container.ts';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { marker } from '../support/marker.ts';
import { hears, playHost, tracesOfContainers } from '../support/private-network.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'busybox', 'cgroups', 'ip', 'nft', 'ping');
if (skip === false) playHost();

const store = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-library-network-'));
after(() => fs.rmSync(store, { recursive: true, force: true }));
let count = 0;

function host(command: string, more: Partial<RunOptions> = {}): RunOptions {
  return { image: 'host', command: ['sh', '-c', command], id: `${marker}-net-${++count}`, store, ...more };
}

/** Nothing of a container is left: no lease, no element, no device once the kernel has removed its namespace. */
async function assertNoTraces(): Promise<void> {
  await until('the kernel has removed the devices', () => tracesOfContainers().devices.length === 0);
  assert.deepEqual(tracesOfContainers().elements, []);
  assert.deepEqual(allLeases(path.join(store, 'networks')), []);
}

test('run() on the bridge: an address, names, a way to the host, and nothing left', { skip }, async () => {
  // What the process keeps from its first container on.
  await run(host('true'));
  const before = leaks();
  const { exitCode, stdout, stderr } = await run(host('ip -4 -o addr show eth0; cat /etc/hosts /etc/resolv.conf; ping -c 1 -W 2 up >/dev/null && echo reached', {
    network: 'bridge', ip: '10.210.9.9', hostname: 'box', addHosts: { up: 'host-gateway' }, dns: ['9.9.9.9'],
  }));
  assert.deepEqual([exitCode, stderr.toString()], [0, '']);
  for (const line of ['inet 10.210.9.9/16', '10.210.9.9\tbox', '10.210.0.1\tup', 'nameserver 9.9.9.9', 'reached']) assert.ok(stdout.includes(line), `${line}\n${stdout}`);
  await assertNoTraces();
  await assertNoLeaks(before);
});

test('create() with a published port that is drawn; inspect() says which; wait() comes when it is taken back', { skip }, async () => {
  await using web = await create(host('echo hello | busybox nc -l -p 80', { network: 'bridge', publish: ['80'] }));
  await web.start();
  const [connected] = (await web.inspect()).networks;
  assert.deepEqual([connected?.name, connected?.interface, connected?.ports[0]?.containerPort], ['bridge', 'eth0', 80]);
  assert.equal(await hears('127.0.0.1', connected?.ports[0]?.hostPort ?? 0), 'hello\n');
  assert.equal((await web.wait()).exitCode, 0);
  await assertNoTraces();
});

test('networks are made, joined, left and removed; containers know each other by name', { skip }, async () => {
  const made = await networks.create('back', { store, subnets: ['10.78.0.0/24'], labels: { tier: 'back' } });
  assert.deepEqual([made.driver, made.subnets, made.labels, made.containers], ['bridge', [{ subnet: '10.78.0.0/24', gateway: '10.78.0.1' }], { tier: 'back' }, {}]);
  await assert.rejects(networks.create('back', { store }), { code: 'network-in-use', message: 'there is a network back already' });
  assert.deepEqual((await networks.list({ store })).map(({ name }) => name).filter((name) => name !== 'bridge'), ['back', 'host', 'none']);
  {
    await using db = await create(host('sleep 60', { network: 'back', networkAliases: ['store'] }));
    await using app = await create(host('sleep 60', { network: 'bridge' }));
    for (const container of [db, app]) await container.start();
    const finds = async (): Promise<string> => (await app.exec({ command: ['getent', 'hosts', 'store'] })).stdout.toString();
    assert.equal(await finds(), '');
    await networks.connect('back', app, { store, aliases: ['client'] });
    assert.match(await finds(), /^10\.78\.0\.2 +store\n$/);
    assert.deepEqual((await app.inspect()).networks.map(({ name }) => name), ['back', 'bridge']);
    assert.deepEqual(Object.keys((await networks.inspect('back', { store })).containers), [db.id, app.id]);
    await assert.rejects(networks.connect('back', app, { store }), { code: 'network-in-use' });
    await assert.rejects(networks.remove('back', { store }), { code: 'network-in-use' });
    await networks.disconnect('back', app, { store });
    assert.equal(await finds(), '');
    await assert.rejects(networks.disconnect('back', app, { store }), { code: 'no-network' });
  }
  await networks.remove('back', { store });
  await assert.rejects(networks.inspect('back', { store }), { code: 'no-network', message: 'there is no network back' });
  await assertNoTraces();
});

test('what cannot be is refused as the command refuses it, and leaves nothing', { skip }, async () => {
  const before = leaks();
  const refused = (more: Partial<RunOptions>, expected: object): Promise<void> => assert.rejects(run(host('true', more)), expected);
  await refused({ network: 'nowhere' }, { code: 'no-network', message: /there is no network nowhere/ });
  await refused({ network: 'none', publish: ['80'] }, { code: 'bad-usage', message: /--publish and --network none/ });
  await refused({ network: 'bridge', publish: ['x'] }, { code: 'bad-usage', message: /invalid --publish 'x'/ });
  await refused({ network: 'bridge', ip: '10.9.9.9' }, { code: 'bad-network', message: /10\.9\.9\.9 is no address of 10\.210/ });
  await refused({ network: 'cni:lab' }, { code: 'unsupported' });
  await refused({ network: 'container:x' }, { code: 'not-found' });
  await assertNoTraces();
  await assertNoLeaks(before);
});

test('an aborted signal ends the waiting for others, a time limit the container while it waits', { skip }, async () => {
  using _ = await lockNetworks(path.join(store, 'networks'));
  const before = leaks();
  const signal = AbortSignal.timeout(150);
  const aborted = { name: 'TimeoutError' };
  await assert.rejects(networks.create('late', { store, signal }), aborted);
  await assert.rejects(create(host('true', { network: 'bridge' }), { signal: AbortSignal.timeout(300) }), aborted);
  await assert.rejects(run(host('true', { network: 'bridge' }), { signal: AbortSignal.timeout(300) }), aborted);
  await assertNoLeaks(before);
});

test('a lease ends with its process, whoever was to take it back', { skip }, async () => {
  const folder = path.join(store, 'networks');
  await using container = await create(host('sleep 60', { network: 'bridge' }));
  await container.start();
  assert.deepEqual((await sweep(folder, () => false)).containers, [], 'it is alive, though no folder tells of it');
  const [lease] = allLeases(folder);
  assert.equal(lease?.process?.pid, container.pid);
});
