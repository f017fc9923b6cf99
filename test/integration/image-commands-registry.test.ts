// The commands that talk to a registry: a real one, with skopeo and podman as its other clients.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { importBusybox } from '../support/busybox-image.ts';
import { Everyday } from '../support/everyday.ts';
import { startRegistry, user } from '../support/registry-process.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'cgroups', 'busybox', 'docker-registry', 'skopeo');

function run(command: string, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  assert.equal(status, 0, `${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
  return stdout;
}

test('push and pull: docker\'s lines, and what skopeo and podman find', { skip: skip || skipUnless('podman', 'runc') }, async (context) => {
  await using everyday = new Everyday();
  const registry = await startRegistry(context);
  const id = importBusybox(everyday, 'base');
  const name = `${registry.host}/team/base`;
  everyday.output('tag', 'base', `${name}:1`);
  const pushed = everyday.output('push', `${name}:1`);
  const digest = JSON.parse(run('skopeo', 'inspect', '--tls-verify=false', `docker://${name}:1`)).Digest as string;
  assert.match(pushed, new RegExp(`^The push refers to repository \\[${name}\\]\n1: digest: ${digest} size: \\d+\n$`));
  everyday.output('tag', 'base', `${name}:2`);
  assert.equal(everyday.output('push', '-q', '-a', name), `${name}:1\n${name}:2\n`);
  const peer = ['--root', path.join(registry.folder, 'peer'), '--runroot', path.join(registry.folder, 'peer-run'), '--storage-driver', 'vfs'];
  run('podman', ...peer, 'pull', '-q', '--tls-verify=false', `${name}:1`);
  const limits = ['--network=none', '--ulimit=nofile=99:99', '--ulimit=nproc=999:999'];
  assert.equal(run('podman', '--runtime=runc', ...peer, 'run', '--rm', ...limits, `${name}:1`, 'cat', '/etc/motd'), 'welcome\n');

  assert.equal(everyday.delos('rmi', '-f', id).status, 0);
  const { stdout, stderr } = everyday.delos('pull', `${name}:1`);
  assert.equal(stdout, `1: Pulling from ${name}\nDigest: ${digest}\nStatus: Downloaded newer image for ${name}:1\n${name}:1\n`);
  assert.match(stderr, /^[0-9a-f]{12}: (Waiting|Downloading)\n[^]*[0-9a-f]{12}: Pull complete\n$/);
  assert.match(everyday.output('pull', `${name}:1`), /\nStatus: Image is up to date for /);
  assert.deepEqual(everyday.delos('pull', '-q', `${name}@${digest}`), { status: 0, signal: null, stdout: `${name}@${digest}\n`, stderr: '' });
  assert.equal(everyday.output('pull', '-q', '-a', name), `${name}:1\n${name}:2\n`);
  const short = id.slice(7, 19);
  const format = '{{.Repository}} {{.Tag}} {{.Digest}} {{.ID}}';
  assert.equal(everyday.output('images', '--digests', '--format', format), `${name} 1 ${digest} ${short}\n${name} 2 ${digest} ${short}\n`);
  assert.equal(everyday.output('run', '--network=none', '--rm', `${name}:2`, 'cat', '/etc/motd'), 'welcome\n');
  const removed = everyday.output('rmi', `${name}:1`, `${name}:2`);
  assert.match(removed, new RegExp(`^Untagged: ${name}:1\nUntagged: ${name}:2\nUntagged: ${name}@${digest}\n(Deleted: sha256:[0-9a-f]{64}\n){2}$`));
  assert.match(removed, new RegExp(`^Deleted: ${id}$`, 'm'));
  assert.match(everyday.delos('pull', `${name}:no`).stderr, /^delos: .*no.*\n$/);
  assert.match(everyday.delos('push', `${name}:1`).stderr, /^delos: no such image: .*\n$/);
});

test('what a container changed is committed, pushed, pulled and run', { skip }, async (context) => {
  await using everyday = new Everyday();
  const registry = await startRegistry(context);
  importBusybox(everyday, 'base');
  everyday.output('run', '--network=none', '--name', 'work', 'base', 'sh', '-c', 'echo changed > /etc/motd');
  const name = `${registry.host}/made`;
  everyday.output('commit', '-q', 'work', name);
  everyday.output('push', '-q', name);
  everyday.output('rm', 'work');
  everyday.output('system', 'prune', '-af');
  assert.equal(everyday.output('run', '--network=none', '--rm', '-q', name, 'cat', '/etc/motd'), 'changed\n');
  assert.equal(JSON.parse(run('skopeo', 'inspect', '--tls-verify=false', `docker://${name}`)).Layers.length, 2);
});

test('login, what it opens, and logout', { skip }, async (context) => {
  await using everyday = new Everyday();
  const registry = await startRegistry(context, true);
  const config = path.join(registry.folder, 'docker/config.json');
  process.env['DOCKER_CONFIG'] = path.dirname(config);
  context.after(() => delete process.env['DOCKER_CONFIG']);
  fs.mkdirSync(path.dirname(config));
  fs.writeFileSync(config, '{"detachKeys": "ctrl-x", "auths": {"other.example": {"auth": "YTpi"}}}');
  importBusybox(everyday, `${registry.host}/base`);
  assert.match(everyday.delos('push', '-q', `${registry.host}/base`).stderr, /^delos: .*\n$/);
  assert.match(everyday.feed('wrong\n', 'login', '-u', user.name, '--password-stdin', registry.host).stderr, /^delos: .*\n$/);
  assert.doesNotMatch(fs.readFileSync(config, 'utf8'), new RegExp(registry.host));
  const { status, stdout, stderr } = everyday.feed(`${user.password}\n`, 'login', '-u', user.name, '--password-stdin', registry.host);
  assert.deepEqual([status, stdout], [0, 'Login Succeeded\n']);
  assert.match(stderr, /^delos: the password is stored unencrypted in .*\n$/);
  assert.equal(fs.statSync(config).mode & 0o777, 0o600);
  const stored = JSON.parse(fs.readFileSync(config, 'utf8')) as { detachKeys: string; auths: Record<string, { auth: string }> };
  assert.equal(stored.detachKeys, 'ctrl-x');
  assert.deepEqual(Object.keys(stored.auths), ['other.example', registry.host]);
  // skopeo reads the same file.
  assert.equal(spawnSync('skopeo', ['login', '--get-login', '--authfile', config, registry.host], { encoding: 'utf8' }).stdout, `${user.name}\n`);
  assert.equal(everyday.output('push', '-q', `${registry.host}/base`), `${registry.host}/base:latest\n`);
  assert.equal(everyday.output('logout', registry.host), `Removing login credentials for ${registry.host}\n`);
  assert.equal(everyday.output('logout', registry.host), `Not logged in to ${registry.host}\n`);
  assert.match(everyday.delos('pull', '-q', `${registry.host}/base`).stderr, /^delos: .*\n$/);
  assert.deepEqual(Object.keys((JSON.parse(fs.readFileSync(config, 'utf8')) as { auths: object }).auths), ['other.example']);
});

test('a credential helper keeps what login is given, and the file does not', { skip }, async (context) => {
  await using everyday = new Everyday();
  const registry = await startRegistry(context, true);
  const { folder } = registry;
  const [config, helper, vault] = [path.join(folder, 'docker/config.json'), path.join(folder, 'bin/docker-credential-testvault'), path.join(folder, 'vault')];
  for (const file of [config, helper]) fs.mkdirSync(path.dirname(file));
  fs.writeFileSync(config, JSON.stringify({ credHelpers: { [registry.host]: 'testvault' } }));
  // The protocol of docker-credential-helpers: `store` takes JSON; `get` and `erase` take the registry's name.
  const cases = [`store) cat > ${vault} ;;`, `get) cat > /dev/null; cat ${vault} 2>/dev/null || exit 1 ;;`, `erase) cat > /dev/null; rm ${vault} ;;`];
  fs.writeFileSync(helper, ['#!/bin/sh', 'case $1 in', ...cases, 'esac', ''].join('\n'), { mode: 0o755 });
  const before = process.env['PATH'];
  Object.assign(process.env, { DOCKER_CONFIG: path.dirname(config), PATH: `${path.dirname(helper)}:${before}` });
  context.after(() => {
    delete process.env['DOCKER_CONFIG'];
    process.env['PATH'] = before;
  });
  const { status, stderr } = everyday.feed(user.password, 'login', '-u', user.name, '--password-stdin', registry.host);
  assert.deepEqual([status, stderr], [0, '']);
  assert.deepEqual(JSON.parse(fs.readFileSync(vault, 'utf8')), { ServerURL: registry.host, Username: user.name, Secret: user.password });
  assert.doesNotMatch(fs.readFileSync(config, 'utf8'), /auth"/);
  importBusybox(everyday, `${registry.host}/base`);
  assert.equal(everyday.output('push', '-q', `${registry.host}/base`), `${registry.host}/base:latest\n`);
  assert.equal(everyday.output('logout', registry.host), `Removing login credentials for ${registry.host}\n`);
  assert.equal(fs.existsSync(vault), false);
});

test('login: mistakes', { skip }, async () => {
  await using everyday = new Everyday();
  for (const [words, stderr] of [
    [['login', 'word'], /^delos: 'word' is no registry: .*\n$/],
    [['login', '-u', 'a', '-p', 'b', '--password-stdin', '127.0.0.1:1'], /^delos: conflicting options: .*\n$/],
    [['login', '-u', 'a', '127.0.0.1:1'], /^delos: stdin is no terminal: use --password-stdin\n$/],
    [['login', '-u', 'a', '--password-stdin', '127.0.0.1:1'], /^delos: the password is empty\n$/],
    [['login', '--password-stdin', '127.0.0.1:1'], /^delos: a user name is needed: .*\n$/],
  ] as const) assert.match(everyday.delos(...words).stderr, stderr, words.join(' '));
});
