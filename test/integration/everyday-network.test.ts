// `delos run --network` and the commands about networks, in a network namespace that plays the host.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { until } from '../support/container.ts';
import { Everyday } from '../support/everyday.ts';
import { playHost, tracesOfContainers } from '../support/private-network.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'busybox', 'cgroups', 'ip', 'nft', 'ping', 'nsenter');
if (skip === false) playHost();

/** A server that greets one client after the other. */
const serve = 'while true; do echo hello | busybox nc -l -p 80; done';
const ask = (address: string): string[] => ['busybox', 'nc', '-w', '3', address, '8080'];

/** Of a container that has ended the devices go with its namespace, a moment later. */
async function assertNoTraces(): Promise<void> {
  await until('the kernel has removed the devices', () => tracesOfContainers().devices.length === 0);
  assert.deepEqual(tracesOfContainers().elements, []);
}

test('a container on the bridge: an address, names, a way out, and nothing left', { skip }, async () => {
  await using everyday = new Everyday();
  const text = everyday.output('run', '--rm', '--network', 'bridge', '-h', 'box', '--add-host', 'up:host-gateway', '--dns', '9.9.9.9', '--dns-search', 'example.org', 'host',
    'sh', '-c', 'ip -4 -o addr show eth0; ip route; cat /etc/hosts /etc/resolv.conf; ping -c 1 -W 2 up >/dev/null && echo reached');
  const [, address = ''] = /inet (10\.210\.0\.\d+)\/16/.exec(text) ?? assert.fail(text);
  for (const line of ['default via 10.210.0.1 dev eth0', `${address}\tbox`, '10.210.0.1\tup', 'nameserver 9.9.9.9', 'search example.org', 'reached']) assert.ok(text.includes(line), `${line}\n${text}`);
  await assertNoTraces();
});

test('a published port: from the host, from a neighbour, in ps, port and inspect; stop takes all of it back, start gives it again', { skip }, async () => {
  await using everyday = new Everyday();
  everyday.output('run', '-d', '--name', 'web', '--network', 'bridge', '-p', '8080:80', 'host', 'sh', '-c', serve);
  await until('the server answers', () => spawnSync('setsid', ask('127.0.0.1'), { encoding: 'utf8' }).stdout === 'hello\n');
  assert.equal(everyday.output('run', '--rm', '--network', 'bridge', 'host', ...ask('10.210.0.1')), 'hello\n');
  assert.equal(everyday.output('ps', '--format', '{{.Ports}}'), '0.0.0.0:8080->80/tcp\n');
  assert.equal(everyday.output('port', 'web'), '80/tcp -> 0.0.0.0:8080\n');
  assert.equal(everyday.output('inspect', '-f', '{{json .NetworkSettings.Ports}}', 'web'), '{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"8080"}]}\n');
  assert.match(everyday.output('network', 'trace', 'web'), /port 0\.0\.0\.0:8080->80\/tcp +[1-9]\d* packets/);
  assert.match(everyday.delos('run', '--rm', '--network', 'bridge', '-p', '8080:80', 'host', 'true').stderr, /^delos: [^\n]*8080[^\n]*\n$/);
  everyday.output('stop', '-t', '0', 'web');
  await assertNoTraces();
  everyday.output('start', 'web');
  assert.equal(everyday.output('port', 'web', '80'), '0.0.0.0:8080\n');
  everyday.output('rm', '-f', 'web');
  await assertNoTraces();
});

test('networks are made, listed, joined, left and removed', { skip }, async () => {
  await using everyday = new Everyday();
  assert.equal(everyday.output('network', 'create', '--subnet', '10.77.0.0/24', '--label', 'tier=back', 'back'), 'back\n');
  assert.equal(everyday.output('network', 'ls', '-q'), 'back\nhost\nnone\n');
  everyday.output('run', '-d', '--name', 'db', '--network', 'back', '--ip', '10.77.0.9', 'host', 'sleep', '60');
  everyday.output('run', '-d', '--name', 'app', '--network', 'bridge', 'host', 'sleep', '60');
  const reaches = (): number | null => everyday.delos('exec', 'app', 'ping', '-c', '1', '-W', '1', '10.77.0.9').status;
  assert.notEqual(reaches(), 0);
  everyday.output('network', 'connect', '--alias', 'store', 'back', 'app');
  assert.equal(reaches(), 0);
  assert.equal(everyday.output('exec', 'app', 'sh', '-c', 'getent hosts db'), '10.77.0.9       db\n');
  assert.match(everyday.output('exec', 'db', 'getent', 'hosts', 'store'), /^10\.77\.0\.\d+ +store\n$/);
  const [{ Containers, Labels }] = JSON.parse(everyday.output('network', 'inspect', 'back')) as [{ Containers: Record<string, { Name: string }>; Labels: object }];
  assert.deepEqual([Object.values(Containers).map(({ Name }) => Name).toSorted(), Labels], [['app', 'db'], { tier: 'back' }]);
  assert.match(everyday.delos('network', 'rm', 'back').stderr, /^delos: network back is used by container (app|db): [^\n]*\n$/);
  everyday.output('network', 'disconnect', 'back', 'app');
  assert.notEqual(reaches(), 0);
  everyday.output('rm', '-f', 'db', 'app');
  assert.equal(everyday.output('network', 'prune'), 'back\n');
  assert.match(everyday.delos('run', '--rm', '--network', 'back', 'host', 'true').stderr, /^delos: [^\n]*no network back\n$/);
  await assertNoTraces();
});
