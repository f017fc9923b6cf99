import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { eraseCredentials, storeCredentials } from './stored-credentials.ts';
import { findCredentials } from './credentials.ts';

function homeFor(context: TestContext): string {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-home-'));
  context.after(() => fs.rmSync(home, { recursive: true }));
  return home;
}

function environmentOf(home: string): Record<string, string> {
  return { HOME: home, XDG_RUNTIME_DIR: path.join(home, 'run'), PATH: `${home}:${process.env['PATH'] ?? ''}` };
}

function write(home: string, name: string, content: object): void {
  fs.mkdirSync(path.dirname(path.join(home, name)), { recursive: true });
  fs.writeFileSync(path.join(home, name), JSON.stringify(content));
}

const auth = (pair: string): { auth: string } => ({ auth: Buffer.from(pair).toString('base64') });

test('docker\'s config.json: by host, by the old URLs, by the name of docker\'s own registry', async (context) => {
  const home = homeFor(context);
  write(home, '.docker/config.json', { auths: {
    'a.example': auth('a:1:2'), 'https://b.example/v1/': auth('b:2'), 'https://index.docker.io/v1/': auth('hub:3'), 'c.example': { identitytoken: 'id' },
    'd.example': {},
  } });
  const environment = environmentOf(home);
  assert.deepEqual(await findCredentials('a.example/x', environment), { username: 'a', password: '1:2' });
  assert.deepEqual(await findCredentials('b.example/x', environment), { username: 'b', password: '2' });
  assert.deepEqual(await findCredentials('docker.io/library/x', environment), { username: 'hub', password: '3' });
  assert.deepEqual(await findCredentials('c.example/x', environment), { username: '', password: '', identityToken: 'id' });
  for (const name of ['d.example/x', 'a.example:5000/x', '__proto__/x', 'example/x']) assert.equal(await findCredentials(name, environment), undefined, name);
});

test('auth.json: the longest name counts, and it counts before docker\'s', async (context) => {
  const home = homeFor(context);
  write(home, '.docker/config.json', { auths: { 'a.example': auth('docker:1'), 'b.example': auth('docker:2') } });
  write(home, 'run/containers/auth.json', { auths: { 'a.example': auth('host:1'), 'a.example/team': auth('team:1'), 'a.example/team/app': auth('app:1') } });
  const usernames = await Promise.all(['a.example/x', 'a.example/team/x', 'a.example/team/app', 'a.example/teams/x', 'b.example/x'].map(
    async (name) => (await findCredentials(name, environmentOf(home)))?.username,
  ));
  assert.deepEqual(usernames, ['host', 'team', 'app', 'host', 'docker']);
});

test('helpers: asked for the registry, tokens told apart, one that fails has nothing', async (context) => {
  const home = homeFor(context);
  const helper = `#!/bin/sh
read -r server
echo "$1 $server" >> ${home}/calls
case "$1 $server" in
  "get a.example") echo '{"ServerURL":"a.example","Username":"u","Secret":"s"}' ;;
  "get https://index.docker.io/v1/") echo '{"Username":"<token>","Secret":"t"}' ;;
  get*) echo 'credentials not found'; exit 1 ;;
esac
`;
  fs.writeFileSync(path.join(home, 'docker-credential-test'), helper, { mode: 0o755 });
  write(
    home, '.docker/config.json',
    { credHelpers: { 'a.example': 'test', 'b.example': 'missing', 'c.example': '../../bin/sh' }, credsStore: 'test', keep: { me: 1 } },
  );
  const environment = environmentOf(home);
  assert.deepEqual(await findCredentials('a.example/x', environment), { username: 'u', password: 's' });
  assert.deepEqual(await findCredentials('docker.io/x', environment), { username: '', password: '', identityToken: 't' });
  for (const name of ['b.example/x', 'c.example/x', 'd.example/x']) assert.equal(await findCredentials(name, environment), undefined, name);
  assert.deepEqual(await storeCredentials('d.example', { username: 'u', password: 'p' }, environment), { helper: 'test' });
  assert.deepEqual(await eraseCredentials('d.example', environment), { helper: 'test' });
  assert.match(fs.readFileSync(path.join(home, 'calls'), 'utf8'), /store \{"ServerURL":"d.example","Username":"u","Secret":"p"\}\nerase d.example\n$/);
  await assert.rejects(storeCredentials('b.example', { username: 'u', password: 'geheim' }, environment), (error: Error) => !error.message.includes('geheim'));
});

test('what is stored is found again, is nobody else\'s to read, and leaves the rest of the file', async (context) => {
  const home = homeFor(context);
  const environment = environmentOf(home);
  const file = path.join(home, '.docker/config.json');
  assert.deepEqual(await storeCredentials('docker.io', { username: 'u', password: 'p:q' }, environment), { file });
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(await findCredentials('docker.io/library/x', environment), { username: 'u', password: 'p:q' });
  write(home, '.docker/config.json', { ...JSON.parse(fs.readFileSync(file, 'utf8')), detachKeys: 'ctrl-x' });
  assert.deepEqual(await eraseCredentials('docker.io', environment), { file });
  assert.equal(await eraseCredentials('docker.io', environment), undefined);
  assert.deepEqual(JSON.parse(fs.readFileSync(file, 'utf8')), { auths: {}, detachKeys: 'ctrl-x' });
});

test('a file that makes no sense is named, but not quoted', async (context) => {
  const home = homeFor(context);
  for (const text of ['{"auths":{"a":{"auth":"geheim"', '[]', '"geheim"', '{"auths":5}']) {
    fs.mkdirSync(path.join(home, '.docker'), { recursive: true });
    fs.writeFileSync(path.join(home, '.docker/config.json'), text);
    await assert.rejects(
      findCredentials('a/x', environmentOf(home)), (error: Error) => error.message.includes('config.json: expected') && !error.message.includes('geheim'),
    );
  }
});
