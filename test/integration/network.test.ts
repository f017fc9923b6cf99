import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { attach, type Attachment, type AttachRequest } from '../../src/network/attach.ts';
import { createNetwork, removeNetwork } from '../../src/network/create.ts';
import { detach } from '../../src/network/detach.ts';
import { allLeases } from '../../src/network/lease.ts';
import { trace } from '../../src/network/trace.ts';
import { Elsewhere, World, hears, ip, playHost, tracesOfContainers } from '../support/private-network.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'ip', 'nft', 'ping', 'nsenter');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-network-'));
after(() => fs.rmSync(folder, { recursive: true }));
if (skip === false) playHost();

/** A container of a test: its namespace, and the networks it is in until it is disposed of. */
async function connected(container: string, request: Partial<AttachRequest> = {}): Promise<AsyncDisposable & { place: Elsewhere; attachment: Attachment }> {
  const place = new Elsewhere();
  const attachment = await attach(folder, { container, network: 'bridge', namespace: place.path, ...request });
  return {
    place, attachment,
    [Symbol.asyncDispose]: async () => {
      await detach(folder, container);
      place[Symbol.dispose]();
    },
  };
}

/** What Delos has of containers. */
function traces(): unknown {
  return { ...tracesOfContainers(), leases: allLeases(folder) };
}

const nothing = { devices: [], elements: [], leases: [] };

test('two containers reach each other, the host and the world, and leave nothing', { skip }, async () => {
  using world = new World();
  {
    await using one = await connected('one');
    await using two = await connected('two');
    assert.match(one.attachment.four ?? '', /^10\.210\.0\.\d+$/);
    assert.deepEqual(one.attachment.changed, ['net.ipv4.ip_forward = 1 (was 0)']);
    assert.ok(one.place.pings(two.attachment.four ?? ''), 'a neighbour');
    assert.ok(one.place.pings('10.210.0.1'), 'the host at the gateway');
    assert.ok(one.place.pings('127.0.0.1'), 'its own loopback');
    using _ = world.greets(7000, 'world');
    assert.equal(await one.place.hears('203.0.113.2', 7000), 'world 203.0.113.1', 'the world sees the host');
    assert.equal(execFileSync('ping', ['-c', '1', '-W', '2', two.attachment.four ?? '']).includes('1 received'), true, 'the host reaches a container');
    assert.ok(!world.pings('10.210.0.2'), 'the world knows no way to containers');
  }
  assert.deepEqual(traces(), nothing);
});

test('a container has its address, hardware address, MTU and route; the host its marks', { skip }, async () => {
  using _ = new World();
  await using one = await connected('marked');
  const { four, mac, hostInterface, device } = one.attachment;
  const text = one.place.output('ip', '-o', 'addr', 'show', 'dev', 'eth0');
  assert.ok(text.includes(`inet ${four}/16 brd 10.210.255.255 scope global eth0`), text);
  assert.match(mac, /^de:10:0a:d2:00:[0-9a-f]{2}$/);
  assert.match(one.place.output('ip', '-o', 'link', 'show', 'eth0'), new RegExp(`mtu 1400 .*link/ether ${mac} `), 'the MTU of the way out');
  assert.match(one.place.output('ip', 'route'), /^default via 10\.210\.0\.1 dev eth0 metric 100 \n10\.210\.0\.0\/16 dev eth0 /);
  assert.match(one.place.output('ip', '-o', 'link', 'show', 'lo'), /<LOOPBACK,UP,/);
  assert.match(hostInterface, /^dv[0-9a-f]{12}$/);
  assert.match(ip(`-d -o link show ${hostInterface}`), new RegExp(`mtu 1400 .*master ${device} .*hairpin on.*alias delos:[0-9a-f]{6}:marked`, 's'));
});

test('a published port answers the world, the host, its loopback, a neighbour and the container itself', { skip }, async () => {
  using world = new World();
  await using server = await connected('server', {
    ports: [{ protocol: 'tcp', hostPort: 8080, containerPort: 80 }, { protocol: 'tcp', hostPort: 8081, containerPort: 80, hostAddress: '127.0.0.1' }, { protocol: 'tcp', hostPort: 0, containerPort: 80 }],
  });
  await using neighbour = await connected('neighbour');
  using _ = server.place.greets(80, 'hello');
  const drawn = server.attachment.ports[2]?.hostPort ?? 0;
  assert.ok(drawn > 1024, 'a free port was drawn');
  assert.equal(await world.hears('203.0.113.1', 8080), 'hello 203.0.113.2', 'the address of the world is kept');
  assert.equal(await world.hears('203.0.113.1', drawn), 'hello 203.0.113.2');
  assert.match(await hears('203.0.113.1', 8080), /^hello /);
  assert.equal(await hears('127.0.0.1', 8080), 'hello 10.210.0.1', 'by the loopback, with the address of the bridge');
  assert.equal(await hears('127.0.0.1', 8081), 'hello 10.210.0.1');
  await assert.rejects(world.hears('203.0.113.1', 8081), 'published at the loopback alone');
  assert.equal(await neighbour.place.hears('203.0.113.1', 8080), 'hello 10.210.0.1', 'a neighbour by the host');
  assert.equal(await neighbour.place.hears('10.210.0.1', 8080), 'hello 10.210.0.1');
  assert.equal(await server.place.hears('203.0.113.1', 8080), 'hello 10.210.0.1', 'hairpin');
  const [traced] = trace(folder, 'server');
  assert.deepEqual(traced?.ports.map(({ text, present }) => ({ text, present })), [
    { text: '0.0.0.0:8080->80/tcp', present: true }, { text: '127.0.0.1:8081->80/tcp', present: true }, { text: `0.0.0.0:${drawn}->80/tcp`, present: true },
  ]);
  assert.ok((traced?.ports[0]?.count.packets ?? 0n) >= 6n, 'connections are counted');
  assert.ok((traced?.received[server.attachment.four ?? '']?.packets ?? 0n) > 0n);
  await detach(folder, 'server');
  await assert.rejects(world.hears('203.0.113.1', 8080), 'not published any more');
});

test('UDP is published, and a range of ports', { skip }, async () => {
  using world = new World();
  const ports = Array.from({ length: 20 }, (_, index) => ({ protocol: 'udp' as const, hostPort: 6000 + index, containerPort: 7000 + index }));
  await using server = await connected('udp', { ports });
  const script = 'const s=require("dgram").createSocket("udp4");s.on("message",(m,r)=>{s.send("got "+m,r.port,r.address,()=>s.close())}).bind(7019,()=>console.log("ready"))';
  const child = spawn('nsenter', [`--net=${server.place.path}`, process.execPath, '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const ask = 'const s=require("dgram").createSocket("udp4");s.on("message",(m)=>{console.log(String(m));s.close()}).send("it",6019,"203.0.113.1");setTimeout(()=>process.exit(1),9000).unref()';
  assert.equal(world.output(process.execPath, '-e', ask), 'got it\n');
  child.kill();
});

test('a client that goes on sending datagrams from one port reaches whoever has the published port now', { skip }, async () => {
  using world = new World();
  // With a container there are rules, and with rules the kernel follows connections.
  await using _ = await connected('keeper');
  const ports = [{ protocol: 'udp', hostPort: 6100, containerPort: 7000 }] as const;
  const echo = 'require("dgram").createSocket("udp4").on("message",function(m,r){this.send(process.argv[1],r.port,r.address)}).bind(7000,()=>console.log("ready"))';
  const ask = 'const s=require("dgram").createSocket("udp4");const say=(what)=>{console.log(String(what));process.exit()};'
    .concat('s.on("message",say).bind(5555,()=>s.send("it",6100,"203.0.113.1"));setTimeout(say,2500,"nobody")');
  const heard = (): string => world.output(process.execPath, '-e', ask).split('\n')[0] ?? '';
  assert.equal(heard(), 'nobody', 'and the kernel knows that way now');
  for (const name of ['first', 'second']) {
    await using server = await connected(name, { ports });
    const child = spawn('nsenter', [`--net=${server.place.path}`, process.execPath, '-e', echo, name], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    try {
      assert.equal(heard(), name);
    } finally {
      child.kill();
    }
  }
});

test('IPv6: neighbours, the world by the host, published ports', { skip }, async () => {
  using world = new World();
  await createNetwork(folder, { name: 'six', ipv6: true });
  {
    await using server = await connected('six-server', { network: 'six', ports: [{ protocol: 'tcp', hostPort: 8088, containerPort: 80 }] });
    await using client = await connected('six-client', { network: 'six' });
    assert.match(server.attachment.six ?? '', /^fd[0-9a-f:]+::2$/);
    assert.ok(client.place.pings(server.attachment.six ?? '', '-6'));
    using _ = server.place.greets(80, 'six');
    using _world = world.greets(7001, 'world');
    assert.equal(await client.place.hears('2001:db8::2', 7001), 'world 2001:db8::1');
    assert.equal(await world.hears('2001:db8::1', 8088), 'six 2001:db8::2');
    assert.match(await hears('2001:db8::1', 8088), /^six /);
    assert.match(await server.place.hears('2001:db8::1', 8088), /^six fd/, 'hairpin');
    await assert.rejects(hears('::1', 8088), /ECONNREFUSED/, 'refused at once, so that who asks for localhost goes on to 127.0.0.1');
    assert.match(await hears('127.0.0.1', 8088), /^six /);
    assert.match(server.attachment.changed.join('\n'), /net\.ipv6\.conf\.all\.forwarding = 1 \(was 0\)/);
  }
  await removeNetwork(folder, 'six');
  assert.deepEqual(traces(), nothing);
});

test('networks are apart; from outside only what is published; an internal network has no outside; an isolated one no neighbours', { skip }, async () => {
  using world = new World();
  await createNetwork(folder, { name: 'inner', internal: true });
  await createNetwork(folder, { name: 'lonely', isolated: true });
  {
    await using one = await connected('apart-one');
    await using other = await connected('apart-other', { network: 'inner' });
    await using inner = await connected('apart-inner', { network: 'inner' });
    await using lonely = await connected('lonely-one', { network: 'lonely' });
    await using alone = await connected('lonely-two', { network: 'lonely' });
    world.output('ip', 'route', 'add', '10.210.0.0/16', 'via', '203.0.113.1');
    assert.ok(!world.pings(one.attachment.four ?? ''), 'who knows the way is not let in');
    assert.ok(!other.place.pings(one.attachment.four ?? ''));
    assert.ok(other.place.pings(inner.attachment.four ?? ''));
    assert.ok(!other.place.pings('203.0.113.2'));
    assert.ok(!lonely.place.pings(alone.attachment.four ?? ''));
    assert.ok(lonely.place.pings('203.0.113.2'));
  }
});
