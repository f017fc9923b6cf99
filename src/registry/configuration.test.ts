import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { DelosError } from '../lib/errors.ts';
import { parseChallenges } from './challenge.ts';
import { endpointsOf } from './endpoints.ts';
import { isLoopback, proxyFor } from './proxy.ts';
import { parseReference } from './reference.ts';
import { parseRegistryRules } from './registries-conf.ts';
import { defaultLimits } from './limits.ts';
import { pauseBefore } from './retry.ts';
import { parseToml } from './toml.ts';

test('challenges: several in one header, quoted and plain, broken ones', () => {
  assert.deepEqual(parseChallenges('Bearer realm="https://a/t?x=1,2",service="s",scope="repository:a/b:pull,push"'), [
    { scheme: 'bearer', parameters: { realm: 'https://a/t?x=1,2', service: 's', scope: 'repository:a/b:pull,push' } },
  ]);
  assert.deepEqual(parseChallenges('Basic realm="a \\"b\\"", Bearer realm = x , error=invalid_token').map(({ scheme, parameters }) => [
    scheme, { ...parameters },
  ]), [
    ['basic', { realm: 'a "b"' }], ['bearer', { realm: 'x', error: 'invalid_token' }],
  ]);
  assert.deepEqual(parseChallenges(undefined), []);
  assert.deepEqual(parseChallenges('="x"'), []);
  assert.equal(parseChallenges('Bearer __proto__="x"')[0]?.parameters['realm'], undefined);
});

test('property: any header is read', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-z ="\\,]{0,40}$/)), (text) => {
    for (const { scheme } of parseChallenges(text)) assert.match(scheme, /^\S+$/);
  }));
});

test('toml: what registries.conf is written in', () => {
  const text = [
    'unqualified-search-registries = ["a", \'b\', # one', '  "c",]', 'short-name-mode="disabled"', '[aliases]', '"x/y" = "a/x/y"', '[[registry]]',
    'prefix = "p\\u0041"', 'insecure=true',
    '[[registry.mirror]]', 'location = "m1"', '[[registry.mirror]]', 'location="m2"', '[[registry]]', 'n = 1_000', 't = { a = 1, "b" = [true] }', 'a.b.c = -5',
  ].join('\r\n');
  assert.deepEqual(JSON.parse(JSON.stringify(parseToml(text, 'f'))), {
    'unqualified-search-registries': ['a', 'b', 'c'], 'short-name-mode': 'disabled', aliases: { 'x/y': 'a/x/y' },
    registry: [{ prefix: 'pA', insecure: true, mirror: [{ location: 'm1' }, { location: 'm2' }] }, { n: 1000, t: { a: 1, b: [true] }, a: { b: { c: -5 } } }],
  });
  for (const [broken, line] of [
    ['a = 1\na = 2', 2], ['a', 1], ['[x', 1], ['a = "b', 1], ['a = 1 b = 2', 1], ['\n\na = [1 2]', 3], ['a=1\n[a]', 2], ['a = 1.5', 1],
    [`a = ${'['.repeat(100)}`, 1],
  ] as const) {
    assert.throws(() => parseToml(broken, 'the file'), (error) => error instanceof DelosError && error.message.startsWith(`the file: line ${line}: `), broken);
  }
  const names = parseToml('__proto__.polluted = 1\nconstructor = 2', 'f');
  assert.equal(({} as Record<string, unknown>)['polluted'], undefined);
  assert.equal(names['constructor'], 2);
});

const conf = `
[[registry]]
prefix = "images.example/team"
location = "mirror.example:5000/copy"
insecure = true
[[registry.mirror]]
location = "m1.example"
[[registry.mirror]]
location = "m2.example/x"
pull-from-mirror = "digest-only"
[[registry]]
prefix = "*.corp.example"
location = "cache.example"
[[registry]]
location = "bad.example"
blocked = true
[[registry]]
location = "docker.io"
[[registry.mirror]]
location = "hub.example"
insecure = true
`;

test('where to look for an image', () => {
  const rules = parseRegistryRules(conf, 'registries.conf');
  const at = (name: string, purpose: 'pull' | 'push' = 'pull'): string[] =>
    endpointsOf(parseReference(name), rules, purpose).map(({ host, path, insecure }) => `${host} ${path}${insecure ? ' insecure' : ''}`);
  assert.deepEqual(at('images.example/team/app:1'), ['m1.example app', 'mirror.example:5000 copy/app insecure']);
  assert.deepEqual(at(`images.example/team/app@sha256:${'0'.repeat(64)}`), ['m1.example app', 'm2.example x/app', 'mirror.example:5000 copy/app insecure']);
  assert.deepEqual(at('images.example/team/app:1', 'push'), ['mirror.example:5000 copy/app insecure']);
  assert.deepEqual(at('images.example/teams/app'), ['images.example teams/app']);
  assert.deepEqual(at('a.corp.example:80/x'), ['cache.example x']);
  assert.deepEqual(at('corp.example/x'), ['corp.example x']);
  assert.deepEqual(at('alpine'), ['hub.example library/alpine insecure', 'registry-1.docker.io library/alpine']);
  assert.throws(() => at('bad.example/x'), { code: 'registry', message: /blocked/ });
  for (const text of [
    '[[registry]]', 'registry = 5', '[[registry]]\nlocation = 5', '[[registry]]\nlocation="a"\ninsecure="yes"',
    '[[registry]]\nlocation="a"\n[[registry.mirror]]',
  ]) {
    assert.throws(() => parseRegistryRules(text, 'f'), (error) => error instanceof DelosError && error.message.startsWith('f: '), text);
  }
});

test('proxies: by scheme, never for this host, not for exceptions', () => {
  const environment = {
    HTTPS_PROXY: 'secure.example:3128', http_proxy: 'http://u:p@plain.example',
    NO_PROXY: 'a.example, .b.example,*.c.example,10.0.0.0/8,fd00::/8,d.example:444',
  };
  const proxy = (url: string): string | undefined => proxyFor(new URL(url), environment)?.host;
  assert.equal(proxy('https://x.example'), 'secure.example:3128');
  assert.equal(proxy('http://x.example'), 'plain.example');
  for (const url of [
    'https://localhost', 'https://127.1.2.3', 'http://[::1]:5000', 'https://a.example', 'https://x.a.example', 'https://x.b.example', 'https://x.c.example',
    'https://10.1.2.3', 'https://d.example:444', 'https://[fd00::1]',
  ]) {
    assert.equal(proxy(url), undefined, url);
  }
  for (const url of ['https://b.example', 'https://aa.example', 'https://11.1.2.3', 'https://d.example', 'https://[fe00::1]']) {
    assert.equal(proxy(url), 'secure.example:3128', url);
  }
  assert.equal(proxyFor(new URL('https://x'), { HTTPS_PROXY: 'p', NO_PROXY: '*' }), undefined);
  assert.throws(
    () => proxyFor(new URL('https://x'), { HTTPS_PROXY: 'socks5://u:geheim@p' }),
    (error: Error) => error.message.includes('HTTPS_PROXY') && !error.message.includes('geheim'),
  );
  assert.ok(!isLoopback('127.example') && !isLoopback('localhost.example') && isLoopback('a.localhost'));
});

test('pauses: longer each time, as the registry asks, never longer than allowed', () => {
  const limits = { ...defaultLimits, pauseMs: 100, longestPauseMs: 1000 };
  assert.deepEqual([1, 2, 3, 9].map((attempt) => pauseBefore(attempt, limits, undefined, 0, 0)), [100, 200, 400, 1000]);
  assert.equal(pauseBefore(1, limits, undefined, 0, 1), 50);
  assert.equal(pauseBefore(1, limits, '0'), 0);
  assert.equal(pauseBefore(1, limits, '86400'), 1000);
  assert.equal(pauseBefore(1, limits, new Date(1500).toUTCString(), 500), 500);
  assert.equal(pauseBefore(1, limits, 'soon', 0, 0), 100);
});
