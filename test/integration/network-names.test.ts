import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import dgram from 'node:dgram';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { after, test } from 'node:test';
import { attach } from '../../src/network/attach.ts';
import { createNetwork } from '../../src/network/create.ts';
import { detach } from '../../src/network/detach.ts';
import { encodeResponse, readQuery } from '../../src/network/names/message.ts';
import { serveNames } from '../../src/network/names/serve.ts';
import { Elsewhere, playHost } from '../support/private-network.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'ip', 'nsenter');
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-network-'));
after(() => fs.rmSync(folder, { recursive: true }));
if (skip === false) playHost();

/** What a resolver of Node says in a container: its results in order, or the code of its error. */
async function resolved(place: Elsewhere, server: string, ...questions: readonly [method: string, ...args: string[]][]): Promise<unknown[]> {
  const script = `
    const resolver = new (require('node:dns').promises.Resolver)({ timeout: 2000, tries: 1 });
    resolver.setServers([process.argv[1]]);
    (async () => {
      const results = [];
      for (const [method, ...args] of JSON.parse(process.argv[2])) results.push(await resolver[method](...args).catch((error) => error.code));
      console.log(JSON.stringify(results));
    })()`;
  const { stdout } = await promisify(execFile)('nsenter', [`--net=${place.path}`, process.execPath, '-e', script, server, JSON.stringify(questions)], { timeout: 20_000 });
  return JSON.parse(stdout) as unknown[];
}

/** A server of the host: it knows known.example, and answers no other name. */
async function upstream(): Promise<{ readonly port: number; readonly asked: string[]; [Symbol.dispose]: () => void }> {
  const socket = dgram.createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', (message, from) => {
    const query = readQuery(message);
    asked.push(query.question.name);
    const known = query.question.name === 'known.example';
    socket.send(encodeResponse(message, query, known ? 0 : 3, known ? [{ type: 1, data: Uint8Array.of(192, 0, 2, 9) }] : [], 512), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', () => resolve()));
  return { port: socket.address().port, asked, [Symbol.dispose]: () => void socket.close() };
}

test('names of containers are answered, others passed on, and the server ends with the last container', { skip }, async () => {
  await createNetwork(folder, { name: 'named', subnets: ['10.66.0.0/24', 'fd00:66::/64'] });
  using host = await upstream();
  using one = new Elsewhere();
  using two = new Elsewhere();
  await attach(folder, { container: 'c'.repeat(64), network: 'named', namespace: one.path, names: ['Web', 'www'] });
  const server = (await serveNames(folder, 'named', { servers: ['127.0.0.1'], forwardPort: host.port })) ?? assert.fail('no server');
  assert.equal(await serveNames(folder, 'named'), undefined, 'there is one already');
  await attach(folder, { container: 'd'.repeat(64), network: 'named', namespace: two.path, names: ['db'] });
  const questions: [string, ...string[]][] = [
    ['resolve4', 'web'], ['resolve4', 'WWW'], ['resolve6', 'db'], ['resolve4', 'cccccccccccc'], ['reverse', '10.66.0.3'], ['reverse', 'fd00:66::2'],
    ['reverse', '10.66.0.99'], ['resolveTxt', 'web'], ['resolve4', 'known.example'], ['resolve4', 'nobody.example'],
  ];
  assert.deepEqual(await resolved(two, '10.66.0.1', ...questions), [
    ['10.66.0.2'], ['10.66.0.2'], ['fd00:66::3'], ['10.66.0.2'], ['db'], ['web'], 'ENOTFOUND', 'ENODATA', ['192.0.2.9'], 'ENOTFOUND',
  ]);
  assert.deepEqual(await resolved(one, 'fd00:66::1', ['resolve4', 'db']), [['10.66.0.3']], 'by IPv6');
  assert.deepEqual(host.asked, ['known.example', 'nobody.example'], 'names of containers are told nobody');
  await detach(folder, 'c'.repeat(64));
  assert.deepEqual(await resolved(two, '10.66.0.1', ['resolve4', 'web']), ['ENOTFOUND'], 'who is gone has no name');
  await detach(folder, 'd'.repeat(64));
  await server.ended;
});

test('an internal network is told nothing of the outside; when nobody answers the client hears that', { skip }, async () => {
  using host = await upstream();
  await createNetwork(folder, { name: 'inside', internal: true, subnets: ['10.67.0.0/24'] });
  await createNetwork(folder, { name: 'mute', subnets: ['10.68.0.0/24'] });
  using place = new Elsewhere();
  await attach(folder, { container: 'in', network: 'inside', namespace: place.path });
  await attach(folder, { container: 'in', network: 'mute', namespace: place.path });
  const inside = (await serveNames(folder, 'inside', { servers: ['127.0.0.1'], forwardPort: host.port })) ?? assert.fail();
  const mute = (await serveNames(folder, 'mute', { servers: ['127.0.0.1'], forwardPort: 1 })) ?? assert.fail();
  assert.deepEqual(await resolved(place, '10.67.0.1', ['resolve4', 'known.example']), ['ENOTFOUND']);
  assert.deepEqual(await resolved(place, '10.68.0.1', ['resolve4', 'known.example']), ['ESERVFAIL']);
  assert.deepEqual(host.asked, []);
  await Promise.all([inside.close(), mute.close(), inside.ended, mute.ended]);
  await detach(folder, 'in');
});
