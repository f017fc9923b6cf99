/**
 * Number 9, references 2.10.9.a-h: user namespaces, their maps, and a container without root. What the document got wrong and is
 * checked right here: setgroups has to be denied only where the writer is without privilege (and then takes additionalGids with it),
 * a map is one write, and it is the process outside that writes it while init waits.
 */
import assert from 'node:assert/strict';
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { defaultConfig } from '../../src/oci/default-config.ts';
import type { ExplainedStep } from '../../src/plan/explain.ts';
import { makeBundle, script, testConfig, type Bundle, type ConfigChange, type TestConfig } from '../support/bundle.ts';
import { attempt } from '../support/container.ts';
import { runtime } from '../support/delos.ts';
import { inUserNamespace } from '../support/capability.ts';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { marker, newId } from '../support/marker.ts';
import { skipUnless } from '../support/skip.ts';
import { capable, noContainers, planned } from './claims.ts';

/** An ordinary user without any subordinate ids and without a name. */
const user = 61234;
const noUser = noContainers || skipUnless('setpriv', 'user namespaces');
const asUser = ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--clear-groups', '--inh-caps=-all'];

/** `spec --rootless` of that user, running a script. */
function rootless(text: string, change: (config: TestConfig) => unknown = (config) => config): ConfigChange {
  return script(text, (config) => {
    const { linux, mounts } = defaultConfig({ rootless: true, uid: user, gid: user });
    return change({ ...config, mounts: mounts ?? [], linux: { ...linux, namespaces: linux?.namespaces ?? [] } });
  });
}

/** Words of `delos-oci` as that user, who owns the bundle. */
function runAsUser(bundle: Bundle, ...words: readonly string[]): SpawnSyncReturns<string> {
  return runThrough([], bundle, ...words);
}

/** The same by way of another command, which runs what follows it. */
function runThrough(command: readonly string[], bundle: Bundle, ...words: readonly string[]): SpawnSyncReturns<string> {
  fs.chownSync(bundle.rootfs, user, user);
  const root = path.join(bundle.path, 'root');
  fs.mkdirSync(root, { recursive: true });
  fs.chownSync(root, user, user);
  const [program = '', ...rest] = [...command, ...asUser, ...runtime, '--root', root, ...words, '--bundle', bundle.path, newId()];
  return spawnSync(program, rest, { encoding: 'utf8', env: { PATH: process.env['PATH'], DELOS_TEST: marker, XDG_RUNTIME_DIR: root }, timeout: 20_000 });
}

function writesTo(file: string, steps: readonly ExplainedStep[]): number {
  return steps.findIndex(({ call, arguments: words }) => call === 'openat' && words['path'] === `"${file}"`);
}

test('test_user_namespace', { skip: noUser }, async (context) => {
  await context.test('made by root: the map is as configured, root inside is somebody else outside', async () => {
    const { status, stdout } = await attempt({
      config: script('cat /proc/self/uid_map /proc/self/gid_map; id -u; id -g; touch /tmp/made; stat -c "%u %g" /tmp/made', inUserNamespace),
      image: (rootfs) => fs.chmodSync(path.join(rootfs, 'tmp'), 0o1777),
    });
    assert.equal(status, 0);
    assert.deepEqual(stdout.trimEnd().split('\n').map((line) => line.trim().replace(/\s+/g, ' ')), ['0 100000 65536', '0 100000 65536', '0', '0', '0 0']);
  });

  await context.test('a file made by that root belongs to the mapped user on the host', async () => {
    const before = leaks();
    {
      using bundle = makeBundle(script('touch /tmp/made', inUserNamespace));
      const [program = '', ...words] = [...runtime, '--root', path.join(bundle.path, 'root'), 'run', '--bundle', bundle.path, newId()];
      const { status, stderr } = spawnSync(program, words, { encoding: 'utf8' });
      assert.equal(status, 0, stderr);
      const { uid, gid } = fs.statSync(path.join(bundle.rootfs, 'tmp/made'));
      assert.deepEqual([uid, gid], [100000, 100000]);
    }
    await assertNoLeaks(before);
  });

  await context.test('root denies no setgroups, so additional groups work', async () => {
    assert.equal(writesTo('setgroups', planned(inUserNamespace)), -1);
    const { stdout } = await attempt({ config: script('id -G', (config) => {
      const changed = inUserNamespace(config) as TestConfig;
      return { ...changed, process: { ...changed.process, user: { uid: 0, gid: 0, additionalGids: [7, 8] } } };
    }) });
    assert.equal(stdout, '0 7 8\n');
  });

  await context.test('an ordinary user writes "0 UID 1", and "deny" before gid_map', () => {
    using bundle = makeBundle(rootless('true'));
    const { status, stdout, stderr } = runAsUser(bundle, '--explain=json', 'run');
    assert.equal(status, 0, stderr);
    const steps = JSON.parse(stdout) as ExplainedStep[];
    const [uidMap, deny, gidMap] = [writesTo('uid_map', steps), writesTo('setgroups', steps), writesTo('gid_map', steps)];
    assert.ok(uidMap >= 0 && deny >= 0 && deny < gidMap, `${uidMap} ${deny} ${gidMap}`);
    for (const [at, text] of [[uidMap, `0 ${user} 1`], [deny, 'deny'], [gidMap, `0 ${user} 1`]] as const) assert.match(steps[at + 1]?.arguments['buffer'] ?? '', new RegExp(`^"${text}(\\\\n)?"$`));
  });

  await context.test('the kernel wants it so: without "deny" gid_map is EPERM', () => {
    const text = [
      'unshare --user sleep 5 & pid=$!', 'while [ "$(readlink /proc/$pid/ns/user)" = "$(readlink /proc/self/ns/user)" ]; do sleep 0.02; done',
      `for step in "0 ${user} 1:gid_map" "deny:setgroups" "0 ${user} 1:gid_map"; do (printf %s "\${step%:*}" > /proc/$pid/\${step#*:}) && echo "\${step#*:} yes" || echo "\${step#*:} no"; done`,
      'kill $pid',
    ].join('\n');
    const [program = '', ...rest] = [...asUser, 'bash', '-c', text];
    const { stdout, stderr } = spawnSync(program, rest, { encoding: 'utf8' });
    assert.equal(stdout, 'gid_map no\nsetgroups yes\ngid_map yes\n');
    assert.match(stderr, /Operation not permitted/);
  });

  await context.test('a whole container without root: uid 0 inside, the user outside, and no more rights than before', async () => {
    const before = leaks();
    {
      const text = 'cat /proc/self/uid_map; id -u; cat /proc/self/setgroups; touch /made; echo x >> /mnt/shadow; cat /mnt/shadow > /dev/null; mount -t tmpfs x /sys/kernel';
      using bundle = makeBundle(rootless(text, (config) => ({ ...config, mounts: [...config.mounts, { destination: '/mnt', type: 'bind', source: '/etc', options: ['rbind'] }] })));
      const { stdout, stderr } = runAsUser(bundle, 'run');
      assert.deepEqual(stdout.trimEnd().split('\n').map((line) => line.trim().replace(/\s+/g, ' ')), [`0 ${user} 1`, '0', 'deny'], stderr);
      assert.match(stderr, /can't create \/mnt\/shadow: Permission denied/);
      assert.match(stderr, /cat: can't open '\/mnt\/shadow': Permission denied/);
      assert.match(stderr, /mount: permission denied|Operation not permitted/);
      assert.equal(fs.statSync(path.join(bundle.rootfs, 'made')).uid, user);
    }
    await assertNoLeaks(before);
  });

  await context.test('with a range of one\'s own, newuidmap and newgidmap map it', { skip: skipUnless('newuidmap', 'newgidmap') || (fs.existsSync('/etc/subuid') && fs.existsSync('/etc/subgid') ? false : 'no /etc/subuid to cover') }, async () => {
    const before = leaks();
    {
      const ranges = [{ containerID: 0, hostID: user, size: 1 }, { containerID: 1, hostID: 300000, size: 1000 }];
      const text = 'cat /proc/self/uid_map /proc/self/gid_map; chown 5:6 /tmp/file && stat -c "%u %g" /tmp/file; cat /proc/self/setgroups';
      using bundle = makeBundle(rootless(text, (config) => capable('CAP_CHOWN')({ ...config, linux: { ...config.linux, uidMappings: ranges, gidMappings: ranges } })));
      const file = path.join(bundle.rootfs, 'tmp/file');
      fs.writeFileSync(file, '');
      fs.chownSync(file, user, user);
      const [users, range] = ['passwd', 'range'].map((name) => path.join(bundle.path, name));
      fs.writeFileSync(users ?? '', `delos:x:${user}:${user}::/:/bin/sh\n`);
      fs.writeFileSync(range ?? '', 'delos:300000:1000\n');
      // Over the host's own files, for this one command.
      const cover = ['unshare', '--mount', 'sh', '-c', 'mount --bind $0 /etc/passwd && mount --bind $1 /etc/subuid && mount --bind $1 /etc/subgid && shift && exec "$@"', users ?? '', range ?? ''];
      const { stdout, stderr } = runThrough(cover, bundle, 'run');
      const map = [`0 ${user} 1`, '1 300000 1000'];
      assert.deepEqual(stdout.trimEnd().split('\n').map((line) => line.trim().replace(/\s+/g, ' ')), [...map, ...map, '5 6', 'allow'], stderr);
      const { uid, gid } = fs.statSync(file);
      assert.deepEqual([uid, gid], [300004, 300005]);
    }
    await assertNoLeaks(before);
  });

  await context.test('a map of others\' ids is refused to an ordinary user, and the field is named', () => {
    using bundle = makeBundle(rootless('true', (config) => ({ ...config, linux: { ...config.linux, uidMappings: [{ containerID: 0, hostID: 0, size: 1 }] } })));
    const { status, stderr } = runAsUser(bundle, 'run');
    assert.equal(status, 1);
    // newuidmap(1) says why in a line of its own.
    assert.match(stderr, /^time=.*level=error msg="linux\.uidMappings: .*\n$/m);
  });

  await context.test('maps that overlap or are too long are refused before anything is done', async () => {
    const overlapping: ConfigChange = (config) => {
      const changed = inUserNamespace(config) as TestConfig;
      return { ...changed, linux: { ...changed.linux, uidMappings: [{ containerID: 0, hostID: 100000, size: 10 }, { containerID: 5, hostID: 200000, size: 10 }] } };
    };
    const { status, stderr } = await attempt({ config: overlapping });
    assert.equal(status, 1);
    assert.match(stderr, /linux\.uidMappings/);
    assert.equal(testConfig().linux.uidMappings, undefined);
  });
});
