// What a registry may do to us: refused in one line that names the place, and nothing of it is left in the store.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import type http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { listImages } from '../../src/images/catalogue.ts';
import { collectGarbage } from '../../src/images/garbage.ts';
import { pullImage, type PullOptions } from '../../src/images/pull.ts';
import { openStore, type ImageStore } from '../../src/images/store.ts';
import { DelosError, type ErrorCode } from '../../src/lib/errors.ts';
import { digestOf } from '../../src/registry/digest.ts';
import { mediaTypes } from '../../src/registry/media-types.ts';
import { parseReference } from '../../src/registry/reference.ts';
import { imageOf, tarOf, type MadeImage } from '../support/layer-image.ts';
import { isLayer, scriptedRegistry, sendBlob, type Script, type ScriptedRegistry } from '../support/scripted-registry.ts';

const content = randomBytes(100_000);
const image = imageOf([tarOf({ 'etc/one': content }), tarOf({ 'etc/two': 'two' })]);
const layer = image.blobs.get(image.layers[0]!) as Buffer;
const quick: PullOptions = { limits: { pauseMs: 1, longestPauseMs: 20, attempts: 3, stallMs: 5000 }, environment: {}, rules: [], credentials: null };
const secret = 'PASSWORD-5up3r';

function storeFor(context: TestContext): ImageStore {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-images-'));
  context.after(() => fs.rmSync(root, { recursive: true, force: true }));
  return openStore(root);
}

function pull(store: ImageStore, { host }: ScriptedRegistry, options: PullOptions = {}): Promise<unknown> {
  return pullImage(store, parseReference(`${host}/team/app:1`), { ...quick, ...options });
}

/** Pulls from a registry with this script, which must be refused; then from a good one, which must succeed. */
async function refuses(
  context: TestContext, script: Script, code: ErrorCode, message: RegExp, options: PullOptions & { image?: MadeImage } = {},
): Promise<ScriptedRegistry> {
  const store = storeFor(context);
  const registry = await scriptedRegistry(context, options.image ?? image, script);
  await assert.rejects(pull(store, registry, options), (error) => {
    assert.ok(error instanceof DelosError, String((error as Error).stack));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert.ok(!error.message.includes('\n') && !error.message.includes(secret), error.message);
    return true;
  });
  assert.deepEqual(listImages(store), []);
  for (const hex of fs.readdirSync(path.join(store.root, 'blobs/sha256'))) {
    assert.equal(digestOf(fs.readFileSync(path.join(store.root, 'blobs/sha256', hex))), `sha256:${hex}`);
  }
  await collectGarbage(store, { keepPartialMs: 0 });
  for (const folder of ['blobs/sha256', 'layers', 'partial', 'unpacking', 'leases', 'trash']) {
    assert.deepEqual(fs.readdirSync(path.join(store.root, folder)), [], folder);
  }
  await pull(store, await scriptedRegistry(context, image));
  assert.deepEqual(fs.readFileSync(path.join(store.root, 'layers', image0, 'tree/etc/one')), content);
  return registry;
}

const image0 = digestOf(tarOf({ 'etc/one': content })).slice(7);

const onLayer = (answer: (request: http.IncomingMessage, response: http.ServerResponse) => void): Script => (request, response) => {
  if (!isLayer(request, image)) return false;
  answer(request, response);
  return true;
};
const onManifest = (answer: (response: http.ServerResponse, request: http.IncomingMessage) => void): Script => (request, response) => {
  if (request.url?.includes('/manifests/') !== true) return false;
  answer(response, request);
  return true;
};

test('a blob of the right length with other content', async (context) => void await refuses(context, onLayer((_, response) => {
  response.writeHead(200, { 'Content-Length': layer.length }).end(randomBytes(layer.length));
}), 'registry', /blobs\/sha256:.* the content is not what its name says: expected sha256:/));

test('a body without an end', async (context) => {
  await refuses(context, onLayer((_, response) => {
    response.writeHead(200);
    const more = (): void => {
      if (!response.destroyed) response.write(Buffer.alloc(1 << 16), more);
    };
    more();
  }), 'registry', /longer than the \d+ bytes it should have/);
});

test('a body that is announced with another length', async (context) => void await refuses(context, onLayer((_, response) => {
  response.writeHead(200, { 'Content-Length': 1e15 }).write('x');
}), 'registry', /expected \d+ bytes, the registry announces 1000000000000000/));

test('a body that always ends early', async (context) => {
  const registry = await refuses(context, onLayer((request, response) => {
    const begun = request.headers.range !== undefined;
    sendBlob(request, response, layer, begun ? 0 : 5000);
  }), 'registry', /breaks off after 5000 of \d+ bytes/);
  assert.equal(registry.requests.filter((line) => line.endsWith(image.layers[0]!)).length, 4, 'the first, and three that brought nothing');
});

test('a registry that sends nothing more', async (context) => void await refuses(context, onLayer((_, response) => {
  response.writeHead(200, { 'Content-Length': layer.length }).write(layer.subarray(0, 100));
}), 'registry', /breaks off after 100 of/, { limits: { ...quick.limits, stallMs: 50, attempts: 2 } }));

test('a range that was not asked for', async (context) => void await refuses(context, onLayer((request, response) => {
  if (request.headers.range === undefined) sendBlob(request, response, layer, 1000);
  else response.writeHead(206, { 'Content-Range': 'bytes 0-9/10' }).end('0123456789');
}), 'registry', /expected the bytes from 1000 on, found the range bytes 0-9\/10/));

test('redirects in a circle', async (context) => {
  const registry = await refuses(context, onLayer((request, response) => {
    response.writeHead(307, { Location: request.url ?? '' }).end();
  }), 'registry', /more than 10 redirects/);
  assert.equal(registry.requests.filter((line) => line.endsWith(image.layers[0]!)).length, 11);
});

for (const [location, message] of [
  ['file:///etc/shadow', /no http or https URL/], ['ftp://127.0.0.1/', /no http or https URL/], ['http://user:pass@127.0.0.1/', /password in it/],
  ['http://[', /usable Location/],
  ['http://registry.invalid/x', /plain http is refused/],
] as const) {
  test(`a redirect to ${location}`, async (context) => void await refuses(context, onLayer((_, response) => {
    response.writeHead(302, { Location: location }).end();
  }), 'registry', message));
}

test('a manifest that is huge, announced or not', async (context) => {
  for (const told of [true, false]) {
    await refuses(context, onManifest((response) => {
      response.writeHead(200, { 'Content-Type': mediaTypes.ociManifest, ...(told && { 'Content-Length': 5 << 20 }) });
      response.end(Buffer.alloc(5 << 20, ' '));
    }), 'registry', /longer than 4194304 bytes/);
  }
});

test('a manifest that is none', async (context) => {
  const bodies: [string, RegExp][] = [
    ['', /is not JSON/], ['[]', /expected an object/], ['null', /expected an object/], ['{"schemaVersion":1}', /schema 1/],
    ['{"layers":[],"manifests":[]}', /both/],
    ['{"mediaType":"text/html"}', /says it is a text\/html/], [image.manifest.toString().replace(/"size":\d+/, '"size":-1'), /expected a size/],
    [image.manifest.toString().replaceAll('sha256:', 'sha256:../'), /expected a sha256 digest/], [`${'['.repeat(100_000)}`, /is not JSON/],
    [image.manifest.toString().replaceAll('tar+gzip', 'tar+lzma'), /no layer of an image/],
    [image.manifest.toString().replace(/"layers":\[.*\]/, '"layers":[]'), /0 layers, the configuration 2/],
  ];
  for (const [body, message] of bodies) {
    await refuses(context, onManifest((response) => response.writeHead(200, { 'Content-Type': mediaTypes.ociManifest }).end(body)), 'bad-image', message);
  }
});

test('a manifest under a digest that it does not have', async (context) => {
  await refuses(
    context, onManifest((response) => response.writeHead(200, { 'Docker-Content-Digest': digestOf('x') }).end(image.manifest)), 'registry',
    /calls it sha256:.* but its digest is/,
  );
  const store = storeFor(context);
  const { host } = await scriptedRegistry(context, image);
  await assert.rejects(
    pullImage(store, parseReference(`${host}/app@${digestOf('x')}`), quick), { code: 'registry', message: /expected content of sha256:.*, found/ },
  );
});

test('an index that leads to other content, nowhere, or to another platform', async (context) => {
  const index = (entry: object): Buffer => Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [entry] }));
  const [host, other] = [{ os: 'linux', architecture: 'amd64' }, { os: 'plan9', architecture: 'mips' }];
  const serve = (entry: object): Script => (request, response) => {
    if (request.url?.endsWith('/manifests/1') !== true) return false;
    response.writeHead(200, { 'Content-Type': mediaTypes.ociIndex }).end(index(entry));
    return true;
  };
  const entry = { mediaType: mediaTypes.ociManifest, digest: image.digest, size: image.manifest.length, platform: host };
  const platform = { os: 'linux', architecture: 'amd64' };
  await refuses(context, serve({ ...entry, digest: digestOf('x') }), 'registry', /expected content of/, { platform });
  await refuses(context, serve({ ...entry, platform: other }), 'no-image', /no image for linux\/amd64, only for plan9\/mips/, { platform });
  await refuses(context, serve({ ...entry, mediaType: mediaTypes.ociIndex }), 'no-image', /only for nothing/, { platform });
});

test('a configuration that names other layers, or none of ours', async (context) => {
  const wrong = imageOf([tarOf({ 'etc/one': content })], { diffIds: [digestOf('x')] });
  await refuses(context, () => false, 'bad-image', /expected the diffID sha256:.*, found sha256:/, { image: wrong });
  const foreign = imageOf([tarOf({ a: 'a' })], { platform: { os: 'windows', architecture: 'amd64' } });
  await refuses(context, () => false, 'bad-image', /made for windows\/amd64, not for linux/, { image: foreign });
});

test('a layer that is no archive, and one that grows without measure', async (context) => {
  await refuses(context, () => false, 'bad-archive', /./, { image: imageOf([Buffer.from('no archive'.repeat(200))]) });
  const store = openStore(storeFor(context).root, { whiteouts: 'overlay', limits: { bytes: 1 << 20 } });
  const registry = await scriptedRegistry(context, imageOf([tarOf({ big: Buffer.alloc(4 << 20) })]));
  await assert.rejects(pull(store, registry), { code: 'too-large' });
  assert.deepEqual(fs.readdirSync(path.join(store.root, 'layers')), []);
  assert.deepEqual(fs.readdirSync(path.join(store.root, 'unpacking')), []);
});

test('401 for ever, with a token that was asked for and one that was not', async (context) => {
  for (const challenge of ['Basic realm="x"', 'Bearer realm="http://HOST/token",service="s"']) {
    const registry = await refuses(context, (request, response) => {
      if (request.url?.startsWith('/token') === true) response.end('{"token":"abc"}');
      else response.writeHead(401, { 'WWW-Authenticate': challenge.replace('HOST', request.headers.host ?? '') }).end();
      return true;
    }, 'registry', /denies it/, { credentials: { username: 'u', password: secret } });
    assert.ok(registry.requests.length < 8, registry.requests.join(', '));
  }
});

test('challenges and token servers that lie', async (context) => {
  const bearer = (realm: string): string => `Bearer realm="${realm}"`;
  const cases: [string | undefined, string, RegExp][] = [
    [undefined, '', /expected Bearer or Basic/], ['Negotiate', '', /expected Bearer or Basic/], ['Bearer', '', /names no server/],
    [bearer('file:///etc/passwd'), '', /http or https URL/],
    [bearer('http://u:p@127.0.0.1/'), '', /password in it/], [bearer('http://token.invalid/'), '', /plain http is refused/],
    [bearer('http://HOST/token'), '<html>', /expected a token/],
    [bearer('http://HOST/token'), '{"token":"a\\r\\nX: y"}', /in the form of RFC 6750/], [bearer('http://HOST/token'), '{"token":5}', /expected a token/],
    [bearer('http://HOST/token'), `{"token":"${'a'.repeat(2 << 20)}"}`, /longer than/],
    [bearer('http://HOST/token'), `{"token":"${'a'.repeat(1 << 17)}"}`, /expected a token/],
  ];
  for (const [challenge, body, message] of cases) {
    await refuses(context, (request, response) => {
      if (request.url?.startsWith('/token') === true) response.end(body);
      else response.writeHead(401, challenge === undefined ? {} : { 'WWW-Authenticate': challenge.replace('HOST', request.headers.host ?? '') }).end();
      return true;
    }, 'registry', message, { credentials: { username: 'u', password: secret } });
  }
});

test('what a registry says is told in one line, whatever is in it', async (context) => void await refuses(context, onManifest((response) => {
  response.writeHead(418).end(JSON.stringify({ errors: [{ code: 'X', message: `two\nlines \u001b[31m${'long'.repeat(1000)}` }] }));
}), 'registry', /418: X: two\\nlines \\u001b\[31mlong/));

test('a header without an end', async (context) => void await refuses(context, onManifest((response) => {
  response.socket?.end(`HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(20_000)}`);
}), 'registry', /header of the answer is too long|cut/));
