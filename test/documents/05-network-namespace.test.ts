/**
 * Number 5, references 2.10.5.a-h: a network of its own, its loopback, a device of the host that is moved into it; pairs, a bridge and
 * addresses. What the document got wrong and is checked right here: its container end gets neither address nor state nor route, and
 * nothing brings `lo` up; the host's address is on the port and not on the bridge; the names of its devices are free for one container alone, and
 * `eth0` is made on the host, which may have one.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { attach } from '../../src/network/attach.ts';
import { detach } from '../../src/network/detach.ts';
import type { TestConfig } from '../support/bundle.ts';
import { Elsewhere, playHost } from '../support/private-network.ts';
import { skipUnless } from '../support/skip.ts';
import { capable, noContainers, printed, refusal } from './claims.ts';

/** Of a veth pair; IFNAMSIZ leaves 15 letters. */
const [outside, moved] = [`dl${process.pid}h`, `dl${process.pid}c`];

function ip(...words: readonly string[]): string {
  return execFileSync('ip', words, { encoding: 'utf8' });
}

function withDevice(name: string): (config: TestConfig) => TestConfig {
  return (config) => ({ ...config, linux: { ...config.linux, netDevices: { [name]: { name: 'eth0' } } } });
}

test('test_network_namespace', { skip: noContainers }, async (context) => {
  await context.test('a new one has lo and nothing else, and it is down: the check below can fail', () => {
    const { stdout, status } = spawnSync('unshare', ['--net', 'sh', '-c', 'grep -o "[a-z0-9]*:" /proc/net/dev; busybox ping -c 1 -W 1 127.0.0.1 2>&1'], { encoding: 'utf8' });
    assert.match(stdout, /^lo:\n.*unreachable/s);
    assert.notEqual(status, 0);
  });

  await context.test('a container has lo alone, up, and 127.0.0.1 answers', async () => {
    assert.equal(await printed('ls /sys/class/net; ping -c 1 -W 5 127.0.0.1 > /dev/null && echo it answers', capable('CAP_NET_RAW')), 'lo\nit answers\n');
  });

  await context.test('a device is moved: gone from the host, in the container by its new name, with its address and up', { skip: skipUnless('ip') }, async () => {
    ip('link', 'add', outside, 'type', 'veth', 'peer', 'name', moved);
    try {
      ip('address', 'add', '10.213.7.2/24', 'dev', moved);
      for (const name of [outside, moved]) ip('link', 'set', name, 'up');
      const output = await printed('ls /sys/class/net; ip -o -4 address show dev eth0; ip route; cat /sys/class/net/eth0/operstate', withDevice(moved));
      assert.match(output, /^eth0\nlo\n\d+: eth0 +inet 10\.213\.7\.2\/24 .*\n10\.213\.7\.0\/24 dev eth0 .*\nup\n$/);
      assert.ok(!fs.existsSync(`/sys/class/net/${moved}`));
    } finally {
      // The one goes with the container's network, and takes the other with it, but not at once.
      spawnSync('ip', ['link', 'delete', outside]);
    }
  });

  await context.test('a pair, a bridge, addresses: two containers, on a host that has an eth0 itself', { skip: skipUnless('ip', 'ping') }, async () => {
    using _ = playHost();
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-network-'));
    ip('link', 'add', 'eth0', 'type', 'bridge');
    ip('link', 'add', 'br0', 'type', 'bridge');
    using one = new Elsewhere();
    using two = new Elsewhere();
    try {
      const attached = [];
      for (const [container, { path: namespace }] of [['one', one], ['two', two]] as const) attached.push(await attach(folder, { container, network: 'bridge', namespace }));
      const [first = assert.fail(), second = assert.fail()] = attached;
      for (const [{ hostInterface, device, interface: name, four }, place] of [[first, one], [second, two]] as const) {
        assert.match(ip('-d', '-o', 'link', 'show', hostInterface), new RegExp(`<[^>]*UP[^>]*> .*master ${device} .*veth`, 's'), 'the port of the bridge');
        assert.doesNotMatch(ip('-o', 'address', 'show', hostInterface), /inet/, 'which has no address');
        assert.equal(name, 'eth0');
        assert.match(place.output('ip', '-o', '-4', 'address', 'show', 'eth0'), new RegExp(`inet ${four}/16 `));
        assert.match(place.output('ip', '-o', 'link'), /lo: <LOOPBACK,UP,.*eth0@if\d+: <[^>]*,UP,/s);
        assert.match(place.output('ip', 'route'), /^default via 10\.210\.0\.1 dev eth0/);
      }
      assert.match(ip('-o', '-4', 'address', 'show', first.device), /inet 10\.210\.0\.1\/16 /, 'the address of the host is on the bridge');
      assert.notEqual(first.hostInterface, second.hostInterface);
      assert.ok(one.pings(second.four ?? '') && two.pings(first.four ?? ''));
    } finally {
      for (const container of ['one', 'two']) await detach(folder, container);
      fs.rmSync(folder, { recursive: true });
    }
    assert.deepEqual(ip('-br', 'link').split('\n').map((line) => line.split(' ')[0]), ['lo', 'eth0', 'br0', 'delos0', ''], 'the bridge waits for the next container');
  });

  await context.test('a device that is not there is refused by its name', async () => {
    assert.match(await refusal(withDevice('delos-none')), /^linux\.netDevices\.delos-none: /);
  });
});
