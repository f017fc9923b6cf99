/**
 * Number 2, references 2.10.2 and 2.5.28.b: the eight kinds of namespace, where /proc shows them, and that unshare, setns and
 * clone make and join them. What the document got wrong and is checked right here: it leaves out the time namespace ("empty
 * flags"), opens /proc/PID/ns with any errno told as ENOENT, and calls setns with flag 0, which takes a namespace of any kind.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { namespaceTypes } from '../../src/oci/namespaces.ts';
import { makeBundle, script, type TestConfig } from '../support/bundle.ts';
import { inUserNamespace } from '../support/capability.ts';
import { launch } from '../support/container.ts';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { noContainers, planned, refusal } from './claims.ts';

const names = ['pid', 'net', 'mnt', 'uts', 'ipc', 'user', 'cgroup', 'time'] as const;

function everyNamespace(config: TestConfig): TestConfig {
  const changed = inUserNamespace(config) as TestConfig;
  return { ...changed, linux: { ...changed.linux, namespaces: [...changed.linux.namespaces, { type: 'time' }] } };
}

function namespacesOf(pid: number | string): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, fs.readlinkSync(`/proc/${pid}/ns/${name}`)]));
}

test('test_namespaces_overview', { skip: noContainers }, async (context) => {
  await context.test('there are eight kinds, each with its own name in /proc/PID/ns', () => {
    assert.deepEqual(Object.values(namespaceTypes).map(({ proc }) => proc).toSorted(), names.toSorted());
    for (const [name, link] of Object.entries(namespacesOf('self'))) assert.match(link, new RegExp(`^${name}:\\[\\d+\\]$`));
  });

  await context.test('a container has all eight of its own, and exec joins every one of them', async () => {
    const before = leaks();
    {
      using bundle = makeBundle(script('exec sleep 60', everyNamespace as typeof inUserNamespace));
      using container = launch(bundle);
      const inside = namespacesOf(container.pid);
      for (const [name, link] of Object.entries(namespacesOf('self'))) assert.notEqual(inside[name], link, name);
      const links = names.map((name) => `/proc/self/ns/${name}`).join(' ');
      const { stdout } = container.exec([], ['sh', '-c', `for link in ${links}; do readlink $link; done`]);
      assert.deepEqual(stdout.trimEnd().split('\n'), Object.values(inside));
    }
    await assertNoLeaks(before);
  });

  await context.test('clone3 makes them, unshare those that have to wait, setns joins a given one', () => {
    const calls = planned((config) => {
      const changed = everyNamespace(config);
      const namespaces = changed.linux.namespaces.map((entry) => (entry.type === 'uts' ? { ...entry, path: '/proc/self/ns/uts' } : entry));
      return { ...changed, hostname: undefined, linux: { ...changed.linux, namespaces } };
    }).filter(({ call }) => ['clone3', 'unshare', 'setns'].includes(call)).map(({ call, arguments: words }) => `${call} ${Object.values(words).join(' ')}`);
    assert.ok(calls.some((one) => /^clone3 .*CLONE_NEWIPC\|CLONE_NEWNET\|CLONE_NEWNS\|CLONE_NEWPID\|CLONE_NEWUSER/.test(one)), calls.join('\n'));
    for (const wanted of ['setns <uts namespace> CLONE_NEWUTS', 'unshare CLONE_NEWCGROUP', 'unshare CLONE_NEWTIME']) assert.ok(calls.includes(wanted), calls.join('\n'));
  });

  await context.test('a path to a namespace of another kind is EINVAL, a missing one ENOENT, each told with its field', async () => {
    const joining = (path: string) => (config: TestConfig): unknown =>
      ({ ...config, hostname: undefined, linux: { ...config.linux, namespaces: config.linux.namespaces.map((entry) => (entry.type === 'uts' ? { ...entry, path } : entry)) } });
    assert.match(await refusal(joining('/proc/self/ns/ipc')), /^linux\.namespaces\[3\]\.path: setns\(.*CLONE_NEWUTS\): EINVAL/);
    assert.match(await refusal(joining('/proc/self/ns/nothing')), /^linux\.namespaces\[3\]\.path: openat\(.*\/proc\/self\/ns\/nothing.*\): ENOENT/);
  });
});
