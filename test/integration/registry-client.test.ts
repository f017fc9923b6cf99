// The distribution client against registries that are right, but not simple: broken connections, tokens, redirects, mirrors, TLS, proxies.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { checkCredentials, findImage, openRepository, type RegistryOptions } from '../../src/registry/client.ts';
import { digestOf } from '../../src/registry/digest.ts';
import { mediaTypes } from '../../src/registry/media-types.ts';
import { parseReference } from '../../src/registry/reference.ts';
import { uploadBlob } from '../../src/registry/upload.ts';
import { Readable } from 'node:stream';
import { imageOf, tarOf } from '../support/layer-image.ts';
import { isLayer, scriptedRegistry, sendBlob, type Script } from '../support/scripted-registry.ts';
import { skipUnless } from '../support/skip.ts';

const image = imageOf([tarOf({ file: randomBytes(20_000) })]);
const layer = { mediaType: mediaTypes.ociLayerGzip, digest: image.layers[0]!, size: image.blobs.get(image.layers[0]!)!.length };
const bytes = image.blobs.get(layer.digest)!;
const quick: RegistryOptions = { limits: { pauseMs: 1, longestPauseMs: 50, attempts: 3, stallMs: 5000 }, environment: {}, rules: [], credentials: null };

async function download(host: string, options: RegistryOptions = {}): Promise<Buffer> {
  using connection = await findImage(parseReference(`${host}/app:1`), { ...quick, ...options });
  const hash = createHash('sha256');
  const chunks: Buffer[] = [];
  for await (const chunk of connection.repository.blob(layer)) {
    hash.update(chunk);
    chunks.push(chunk);
  }
  assert.equal(`sha256:${hash.digest('hex')}`, layer.digest);
  return Buffer.concat(chunks);
}

test('a connection that is cut after every so many bytes: the rest is asked for, nothing twice', async (context) => {
  for (const every of [977, 4096, layer.size - 1]) {
    const registry = await scriptedRegistry(context, image, (request, response) => {
      if (isLayer(request, image)) sendBlob(request, response, bytes, every);
      return isLayer(request, image);
    });
    assert.deepEqual(await download(registry.host), bytes);
    assert.equal(registry.requests.filter((line) => line.endsWith(layer.digest)).length, Math.ceil(layer.size / every));
  }
});

test('a registry without ranges: what is there already is passed over', async (context) => {
  let most = 5000;
  const registry = await scriptedRegistry(context, image, (request, response) => {
    if (!isLayer(request, image)) return false;
    delete request.headers.range;
    sendBlob(request, response, bytes, most += 7001);
    return true;
  });
  assert.deepEqual(await download(registry.host), bytes);
});

test('passing trouble is waited out: 429 with Retry-After, 503, a connection that is cut before the answer', async (context) => {
  const troubles: Script[] = [
    (_, response) => Boolean(response.writeHead(429, { 'Retry-After': '1' }).end()),
    (_, response) => Boolean(response.writeHead(503).end('{}')),
    (_, response) => Boolean(response.socket?.destroy()),
  ];
  for (const trouble of troubles) {
    let left = 2;
    const registry = await scriptedRegistry(
      context, image, (request, response) => (isLayer(request, image) && left-- > 0 ? trouble(request, response) : false),
    );
    assert.deepEqual(await download(registry.host), bytes);
  }
  const always = await scriptedRegistry(context, image, (request, response) => isLayer(request, image) && Boolean(response.writeHead(503).end()));
  await assert.rejects(download(always.host), { code: 'registry', message: /status 503 after 3 tries/ });
});

test('a token for the repository, with the credentials; one that was withdrawn is replaced', async (context) => {
  const asked: string[] = [];
  let token = 0;
  const registry = await scriptedRegistry(context, image, (request, response) => {
    if (request.url?.startsWith('/token') === true) {
      asked.push(`${request.url} ${request.headers.authorization ?? ''}`);
      response.end(JSON.stringify({ access_token: `t${++token}`, expires_in: 300 }));
      return true;
    }
    const good = request.headers.authorization === `Bearer t${isLayer(request, image) ? 2 : token}` && token > 0;
    if (good) return false;
    response.writeHead(401, { 'WWW-Authenticate': `Bearer realm="http://${request.headers.host}/token",service="the service",scope="ignored"` }).end('{}');
    return true;
  });
  assert.deepEqual(await download(registry.host, { credentials: { username: 'me', password: 'pä:ss' } }), bytes);
  assert.equal(asked.length, 2, asked.join('\n'));
  assert.equal(asked[0], `/token?service=the+service&scope=repository%3Aapp%3Apull&account=me Basic ${Buffer.from('me:pä:ss').toString('base64')}`);
});

test('an identity token is exchanged; basic credentials are sent as they are; login checks them', async (context) => {
  const registry = await scriptedRegistry(context, image, (request, response) => {
    if (request.url === '/token' && request.method === 'POST') {
      let form = '';
      request.on('data', (chunk) => (form += String(chunk))).on('end', () => {
        const fields = new URLSearchParams(form);
        const good = ['grant_type', 'refresh_token', 'scope'].map((name) => fields.get(name)).join(' ') === 'refresh_token identity repository:app:pull';
        response.writeHead(good ? 200 : 401).end('{"token":"good"}');
      });
      return true;
    }
    if (request.headers.authorization === 'Bearer good') return false;
    response.writeHead(401, { 'WWW-Authenticate': `Bearer realm="http://${request.headers.host}/token"` }).end();
    return true;
  });
  assert.deepEqual(await download(registry.host, { credentials: { username: '', password: '', identityToken: 'identity' } }), bytes);
  await assert.rejects(
    download(registry.host, { credentials: { username: '', password: '', identityToken: 'other' } }), { message: /credentials were refused: status 401/ },
  );
  const basic = await scriptedRegistry(context, image, (request, response) => {
    if (request.headers.authorization === `Basic ${Buffer.from('a:b').toString('base64')}`) return false;
    response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="here", charset="UTF-8"' }).end();
    return true;
  });
  assert.deepEqual(await download(basic.host, { credentials: { username: 'a', password: 'b' } }), bytes);
  await checkCredentials(basic.host, { username: 'a', password: 'b' }, quick);
  await assert.rejects(checkCredentials(basic.host, { username: 'a', password: 'c' }, quick), { message: /denies it/ });
});

test('a redirect to another host carries no credentials, and ranges go there too', async (context) => {
  const seen: (string | undefined)[] = [];
  const storage = await scriptedRegistry(context, image, (request, response) => {
    seen.push(request.headers.authorization);
    sendBlob(request, response, bytes, 9000);
    return true;
  });
  const registry = await scriptedRegistry(context, image, (request, response) => {
    if (request.headers.authorization === undefined) response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="r"' }).end();
    else if (isLayer(request, image)) response.writeHead(307, { Location: `http://${storage.host}/object?signature=secret` }).end();
    else return false;
    return true;
  });
  assert.deepEqual(await download(registry.host, { credentials: { username: 'a', password: 'b' } }), bytes);
  assert.deepEqual(new Set(seen), new Set([undefined]));
  assert.equal(seen.length, 3);
});

test('mirrors are asked first, in order; what they do not have comes from the registry', async (context) => {
  const none = await scriptedRegistry(context, image, (request, response) => request.url !== '/v2/' && Boolean(response.writeHead(404).end('{}')));
  const mirror = await scriptedRegistry(context, image);
  const registry = await scriptedRegistry(context, image);
  const rule = (mirrors: string[]): RegistryOptions => ({
    rules: [{
      prefix: 'images.example', location: registry.host, insecure: false, blocked: false, mirrors: mirrors.map((location) => ({ location, insecure: false })),
    }],
  });
  await download('images.example', rule(['127.0.0.1:1', `${none.host}/cache`, `${mirror.host}/cache/all`]));
  assert.ok(none.requests.includes('GET /v2/cache/app/manifests/1'));
  assert.ok(mirror.requests.includes('GET /v2/cache/all/app/manifests/1'));
  assert.equal(registry.requests.length, 0);
  await download('images.example', rule([none.host]));
  assert.ok(registry.requests.includes('GET /v2/app/manifests/1'));
});

test('tags, page by page, and referrers, with the API and without', async (context) => {
  const index = JSON.stringify({
    schemaVersion: 2, mediaType: mediaTypes.ociIndex,
    manifests: [{ mediaType: mediaTypes.ociManifest, digest: image.digest, size: 1, artifactType: 'application/x' }],
  });
  for (const hasApi of [true, false]) {
    const registry = await scriptedRegistry(context, image, (request, response) => {
      const { url = '' } = request;
      if (url === '/v2/app/tags/list') response.writeHead(200, { Link: '</v2/app/tags/list?last=b>; rel="next"' }).end('{"name":"app","tags":["a","b"]}');
      else if (url.startsWith('/v2/app/tags/list?')) response.end('{"tags":["c"]}');
      else if (url.includes('/referrers/') && !hasApi) response.writeHead(404).end();
      else if (url.includes('/referrers/') || url.includes('/manifests/sha256-')) response.writeHead(200, { 'Content-Type': mediaTypes.ociIndex }).end(index);
      else return false;
      return true;
    });
    using connection = await openRepository(parseReference(`${registry.host}/app`), quick);
    assert.deepEqual(await connection.repository.tags(), ['a', 'b', 'c']);
    assert.deepEqual((await connection.repository.referrers(image.digest)).map(({ artifactType }) => artifactType), ['application/x']);
  }
});

test('an upload that breaks off goes on with what the registry has', async (context) => {
  let stored = Buffer.alloc(0);
  let cuts = 4;
  const blob = randomBytes(50_000);
  const registry = await scriptedRegistry(context, image, (request, response) => {
    const chunks: Buffer[] = [];
    const range = (): Record<string, string> => ({ Range: `0-${Math.max(0, stored.length - 1)}`, Location: '/v2/app/blobs/uploads/1?state=x' });
    if (request.method === 'HEAD') response.writeHead(404).end();
    else if (request.method === 'POST') response.writeHead(202, range()).end();
    else if (request.method === 'GET' && request.url?.includes('/uploads/') === true) response.writeHead(204, range()).end();
    else if (request.method === 'PATCH' || request.method === 'PUT') {
      const cut = cuts-- > 0 ? 7000 : Infinity;
      let taken = 0;
      request.on('data', (chunk: Buffer) => {
        chunks.push(chunk.subarray(0, cut - taken));
        taken += chunk.length;
        if (taken < cut) return;
        stored = Buffer.concat([stored, ...chunks.splice(0)]);
        request.destroy();
      }).on('error', () => undefined).on('end', () => {
        stored = Buffer.concat([stored, ...chunks]);
        response.writeHead(request.method === 'PUT' ? 201 : 202, range()).end();
      });
    } else return false;
    return true;
  });
  using connection = await openRepository(parseReference(`${registry.host}/app`), quick);
  const source = { open: (start: number, end: number) => Readable.from([blob.subarray(start, end)]) };
  const sent: number[] = [];
  assert.equal(
    await uploadBlob(
      connection.repository, { mediaType: '', digest: digestOf(blob), size: blob.length }, source, { chunkBytes: 20_000, onProgress: (at) => sent.push(at) },
    ),
    'uploaded',
  );
  assert.equal(digestOf(stored), digestOf(blob));
  assert.deepEqual(sent, [7000, 14_000, 21_000, 28_000, 48_000, 50_000]);
});

/** A certificate of an authority of its own for localhost and registry.example, by openssl. */
function certificates(context: TestContext): { folder: string; ca: string; key: Buffer; cert: Buffer } {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-ca-'));
  context.after(() => fs.rmSync(folder, { recursive: true }));
  const run = (...args: string[]): void => assert.equal(spawnSync('openssl', args, { cwd: folder }).status, 0, args.join(' '));
  run('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=our authority', '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '2');
  run('req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=registry.example', '-keyout', 'key', '-out', 'csr');
  fs.writeFileSync(path.join(folder, 'ext'), 'subjectAltName=DNS:registry.example');
  run('x509', '-req', '-in', 'csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-out', 'crt', '-days', '2', '-extfile', 'ext');
  return { folder, ca: path.join(folder, 'ca.crt'), key: fs.readFileSync(path.join(folder, 'key')), cert: fs.readFileSync(path.join(folder, 'crt')) };
}

test('TLS through a proxy: verified with a private authority, refused without', { skip: skipUnless('openssl') }, async (context) => {
  const { folder, ca, key, cert } = certificates(context);
  const plain = await scriptedRegistry(context, image);
  const secure = https.createServer({ key, cert }, (request, response) => {
    request.pipe(http.request({
      host: '127.0.0.1', port: plain.host.split(':')[1], method: request.method, path: request.url, headers: request.headers,
    }, (answer) => {
      response.writeHead(answer.statusCode ?? 0, answer.headers);
      answer.pipe(response);
    }));
  }).listen(0, '127.0.0.1');
  const proxied: string[] = [];
  const proxy = http.createServer().listen(0, '127.0.0.1');
  await Promise.all([once(secure, 'listening'), once(proxy, 'listening')]);
  proxy.on('connect', (request, socket) => {
    proxied.push(`${request.url} ${request.headers['proxy-authorization']}`);
    const target = net.connect((secure.address() as AddressInfo).port, '127.0.0.1', () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
    target.on('error', () => undefined);
    socket.on('error', () => undefined);
    socket.pipe(target).pipe(socket);
  });
  context.after(() => [secure, proxy].forEach((server) => {
    server.closeAllConnections();
    server.close();
  }));
  const environment = { HTTPS_PROXY: `http://user:word@127.0.0.1:${(proxy.address() as AddressInfo).port}`, HOME: folder };
  await assert.rejects(download('registry.example', { environment }), { code: 'registry', message: /certificate/ });
  assert.deepEqual(await download('registry.example', { environment: { ...environment, NODE_EXTRA_CA_CERTS: ca } }), bytes);
  assert.equal(proxied.at(-1), `registry.example:443 Basic ${Buffer.from('user:word').toString('base64')}`);
  fs.mkdirSync(path.join(folder, '.config/containers/certs.d/registry.example'), { recursive: true });
  fs.copyFileSync(ca, path.join(folder, '.config/containers/certs.d/registry.example/ca.crt'));
  assert.deepEqual(await download('registry.example', { environment }), bytes);
  const insecure = [{ prefix: 'registry.example', location: 'registry.example', insecure: true, blocked: false, mirrors: [] }];
  assert.deepEqual(await download('registry.example', { environment: { ...environment, HOME: '/nonexistent' }, rules: insecure }), bytes);
  const refused = download('registry.example', { environment: { ...environment, HTTPS_PROXY: `http://u:geheim@${plain.host}` } });
  await assert.rejects(refused, (error: Error) => /proxy http:\/\/127\.0\.0\.1/.test(error.message) && !error.message.includes('geheim'));
});
