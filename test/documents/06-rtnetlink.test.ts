/**
 * Number 6, references 2.10.6.a-h: a conversation with rtnetlink of our own. Each request of the document is encoded byte for byte, sent,
 * acknowledged, and its effect seen with `ip`; an acknowledgement with an error becomes a NetlinkError. What the document got wrong and is
 * checked right here: its calls are commented out, and the namespace is that of a pid, which may be another process' by then.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { NETLINK_ROUTE, NLM_F_ACK, NLM_F_REQUEST } from '../../src/abi/netlink.ts';
import { getAddresses, newAddress, readAddress } from '../../src/netlink/address.ts';
import { getLink, getLinks, newLink, newVeth, readLink, setLink } from '../../src/netlink/link.ts';
import { encodeRequest, type Request } from '../../src/netlink/message.ts';
import { insideNetwork } from '../../src/netlink/namespace.ts';
import { getNeighbours, newNeighbour, readNeighbour } from '../../src/netlink/neighbour.ts';
import { NetlinkError } from '../../src/netlink/refusal.ts';
import { getRoutes, newRoute, readRoute } from '../../src/netlink/route.ts';
import { getRules, newRule, readRule } from '../../src/netlink/rule.ts';
import { NetlinkSocket } from '../../src/netlink/socket.ts';
import { Elsewhere, ip, playHost } from '../support/private-network.ts';
import { skipUnless } from '../support/skip.ts';

test('test_rtnetlink', { skip: skipUnless('root', 'ip', 'nsenter') }, async (context) => {
  using _ = playHost();
  using container = new Elsewhere();
  using socket = new NetlinkSocket(NETLINK_ROUTE);
  const index = (name: string): number => readLink(socket.request(getLink(name))[0] ?? assert.fail(name)).index;
  const done = (request: Request, bytes: string): void => {
    assert.equal(Buffer.from(encodeRequest(request, 0, NLM_F_REQUEST | NLM_F_ACK)).toString('hex'), bytes);
    assert.deepEqual(socket.request(request), [], 'acknowledged');
  };
  const address = { address: Uint8Array.of(10, 0, 0, 1), prefix: 24 };

  await context.test('a veth pair', () => {
    done(newVeth({ name: 'veth_host' }, { name: 'veth_box' }), [
      '64000000100005060000000000000000', '00000000000000000000000000000000', '0e000300766574685f686f7374000000',
      '34001200', '0800010076657468', '28000200', '24000100', '00000000000000000000000000000000', '0d000300766574685f626f7800000000',
    ].join(''));
    assert.match(ip('-d -o link show veth_host'), /veth_host@veth_box: .* veth /s);
  });

  await context.test('a bridge', () => {
    done(newLink('bridge', { name: 'br0' }), [
      '38000000100005060000000000000000', '00000000000000000000000000000000', '0800030062723000', '100012000a0001006272696467650000',
    ].join(''));
    assert.match(ip('-d -o link show br0'), / bridge /);
  });

  await context.test('a port of it', () => {
    const [port, bridge] = [index('veth_host'), index('br0')];
    done(setLink(port, { master: bridge }), `28000000100005000000000000000000${'00000000'}0${port}000000${'00000000'}${'00000000'}08000a000${bridge}000000`);
    assert.match(ip('-o link show veth_host'), / master br0 /);
  });

  await context.test('an end is moved to the network of a process', async () => {
    const process = spawn('unshare', ['--net', 'sh', '-c', 'echo; exec sleep 60'], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(process.stdout, 'data');
    const pid = Buffer.from(Uint32Array.of(process.pid ?? 0).buffer).toString('hex');
    const end = index('veth_box');
    done(setLink(end, { namespacePid: process.pid ?? 0 }), `28000000100005000000000000000000${'00000000'}0${end}000000${'00000000'}${'00000000'}08001300${pid}`);
    assert.doesNotMatch(ip('-o link'), /veth_box/);
    process.kill();
    await once(process, 'close');
  });

  await context.test('an address, and up', () => {
    const bridge = index('br0');
    done(newAddress(bridge, address), `28000000140005060000000000000000${'02180000'}0${bridge}000000${'080002000a000001'}${'080001000a000001'}`);
    done(setLink(bridge, { up: true }), `20000000100005000000000000000000${'00000000'}0${bridge}000000${'01000000'}${'01000000'}`);
    assert.match(ip('-o -4 address show br0'), /inet 10\.0\.0\.1\/24 /);
    assert.match(ip('-o link show br0'), /<[^>]*\bUP\b/);
  });

  await context.test('a network by descriptor, and a conversation in it: the thread is where it was', () => {
    socket.request(newVeth({ name: 'dvhost' }, { name: 'eth0', namespaceFd: container.descriptor }));
    using inside = insideNetwork(container.descriptor, () => new NetlinkSocket(NETLINK_ROUTE));
    assert.deepEqual(inside.dump(getLinks()).map((message) => readLink(message).name).toSorted(), ['eth0', 'lo']);
    const eth0 = readLink(inside.request(getLink('eth0'))[0] ?? assert.fail());
    for (const request of [
      newAddress(eth0.index, { address: Uint8Array.of(10, 0, 0, 2), prefix: 24 }), setLink(eth0.index, { up: true }), setLink(1, { up: true }),
      newRoute({ destination: { address: new Uint8Array(4), prefix: 0 }, gateway: Uint8Array.of(10, 0, 0, 1), index: eth0.index }),
      newNeighbour(eth0.index, Uint8Array.of(10, 0, 0, 9), Uint8Array.of(2, 0, 0, 0, 0, 9)), newRule({ family: 4, priority: 500, table: 77 }),
    ]) inside.request(request);
    assert.match(container.output('ip', 'route'), /^default via 10\.0\.0\.1 dev eth0/);
    assert.ok(inside.dump(getAddresses()).map(readAddress).some((one) => one.prefix === 24 && one.address[3] === 2));
    assert.ok(inside.dump(getRoutes()).map(readRoute).some((one) => one?.destination.prefix === 0 && one.gateway?.[0] === 10));
    assert.ok(inside.dump(getNeighbours()).map(readNeighbour).some((one) => one.address[3] === 9 && one.mac?.[5] === 9));
    assert.ok(inside.dump(getRules()).map(readRule).some((one) => one?.priority === 500 && one.table === 77));
    assert.deepEqual(ip('-br link').includes('br0'), true);
    assert.throws(() => insideNetwork(container.descriptor, () => assert.fail('inside')), /inside/);
    assert.match(ip('-br link'), /br0/, 'after an error too');
  });

  await context.test('what the kernel refuses is a NetlinkError with a sentence', () => {
    const refusal = (request: Request): unknown => {
      try {
        socket.request(request);
        return 'done';
      } catch (error) {
        return error instanceof NetlinkError ? [error.errno, error.message] : error;
      }
    };
    assert.deepEqual(refusal(newLink('bridge', { name: 'br0' })), ['EEXIST', 'cannot make the bridge device br0: EEXIST']);
    assert.deepEqual(refusal(getLink('none')), ['ENODEV', 'cannot find the device none: ENODEV']);
    assert.deepEqual(refusal(setLink(index('br0') + 1000, { up: true }, 'it')), ['ENODEV', 'cannot change it: ENODEV']);
    const [errno, sentence] = refusal(newLink('bridge', { name: 'a-name-of-sixteen' })) as [string, string];
    assert.equal(errno, 'ERANGE');
    assert.match(sentence, /^cannot make the bridge device a-name-of-sixteen: ERANGE: .* \(attribute 3\)$/, 'the words of the kernel, and IFLA_IFNAME');
    assert.deepEqual((refusal(newAddress(index('br0'), address)) as string[])[0], 'EEXIST');
  });
});
