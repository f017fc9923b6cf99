// Namespaces joined by path, beside those that are new: whose they are, what a container sees in them, and that nothing stays.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { test } from 'node:test';
import type { NamespaceType } from '../../src/oci/config/types.ts';
import { namespaceTypes } from '../../src/oci/namespaces.ts';
import { makeBundle, script, type ConfigChange, type TestConfig } from '../support/bundle.ts';
import { inUserNamespace } from '../support/capability.ts';
import { attempt, launch } from '../support/container.ts';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'busybox', 'cgroups', 'unshare');
const types = Object.keys(namespaceTypes) as NamespaceType[];

function namespacesOf(pid: number | string): Record<NamespaceType, string> {
  return Object.fromEntries(types.map((type) => [type, fs.readlinkSync(`/proc/${pid}/ns/${namespaceTypes[type].proc}`)])) as Record<NamespaceType, string>;
}

/** Namespaces by path where `joined` has them, new where it says so, none for what it leaves out. */
function withNamespaces(joined: Partial<Record<NamespaceType, string | 'new'>>, change: ConfigChange = (config) => config): ConfigChange {
  return (given) => {
    const { hostname, ...config } = change(given) as TestConfig;
    const namespaces = Object.entries(joined).map(([type, path]) => (path === 'new' ? { type } : { type, path }));
    return { ...config, ...(joined.uts === 'new' && { hostname }), linux: { ...config.linux, namespaces } };
  };
}

const everyNew = { user: 'new', mount: 'new', pid: 'new', network: 'new', uts: 'new', ipc: 'new', cgroup: 'new', time: 'new' } as const;
const idle = (joined: Parameters<typeof withNamespaces>[0], change?: ConfigChange): ConfigChange => script('exec sleep 60', withNamespaces(joined, change));

/** The mounts that may be made without a network and messages of one's own. */
const fewMounts: ConfigChange = (config) => ({ ...config, mounts: config.mounts.filter(({ type = '' }) => !['sysfs', 'cgroup', 'mqueue'].includes(type)) });

test('namespaces of another container', { skip }, async (context) => {
  const before = leaks();
  {
    using bundle = makeBundle(idle(everyNew, inUserNamespace));
    fs.chownSync(bundle.rootfs, 100_000, 100_000);
    using other = launch(bundle);
    const theirs = namespacesOf(other.pid);
    const path = (type: NamespaceType): string => `/proc/${other.pid}/ns/${namespaceTypes[type].proc}`;
    const paths = (...wanted: NamespaceType[]): Partial<Record<NamespaceType, string>> => Object.fromEntries(wanted.map((type) => [type, path(type)]));

    await context.test('all but the mounts: it is in each, sees their processes, and so does exec', () => {
      using mine = makeBundle(idle({ ...paths(...types), mount: 'new' }, inUserNamespace));
      using container = launch(mine);
      const { mount, ...found } = namespacesOf(container.pid);
      const { mount: otherMount, ...wanted } = theirs;
      assert.deepEqual(found, wanted);
      assert.notEqual(mount, otherMount);
      const { stdout, stderr } = container.exec([], ['sh', '-c', 'ps | grep -c "slee[p] 60"; id -u']);
      assert.deepEqual({ stdout, stderr }, { stdout: '2\n0\n', stderr: '' });
    });

    await context.test('its users: what is new belongs to them', () => {
      using mine = makeBundle(idle({ ...everyNew, user: path('user') }, inUserNamespace));
      using container = launch(mine);
      const found = namespacesOf(container.pid);
      assert.deepEqual(types.filter((type) => found[type] === theirs[type]), ['user']);
      // Only who is root in the owner of a network may change it.
      const { stdout, stderr } = container.exec(['--cap', 'CAP_NET_ADMIN'], ['sh', '-c', 'ip link set lo down && ip link set lo up && echo done']);
      assert.deepEqual({ stdout, stderr }, { stdout: 'done\n', stderr: '' });
      assert.match(fs.readFileSync(`/proc/${container.pid}/uid_map`, 'utf8'), /^\s+0\s+100000\s/);
    });

    await context.test('its processes, with room for one', () => {
      const limited: ConfigChange = (config) => ({ ...config, linux: { ...config.linux, resources: { pids: { limit: 1 } } } });
      using mine = makeBundle(idle({ mount: 'new', pid: path('pid'), cgroup: 'new' }, limited));
      using container = launch(mine);
      assert.equal(namespacesOf(container.pid).pid, theirs.pid);
    });
  }
  await assertNoLeaks(before);
});

test('mounts that somebody else has prepared', { skip }, async () => {
  const holder = spawn('unshare', ['--mount', 'sh', '-c', 'mount -t tmpfs none /mnt && touch /mnt/prepared && echo ready && exec sleep 60'], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await once(holder.stdout, 'data');
    const bind = { destination: '/tmp', source: '/mnt', type: 'bind', options: ['bind'] };
    const outcome = await attempt({
      config: script('ls /tmp', withNamespaces({ ...everyNew, user: '/proc/self/ns/user', mount: `/proc/${holder.pid}/ns/mnt` }, (config) => ({ ...config, mounts: [...config.mounts, bind] }))),
    });
    assert.deepEqual(outcome, { ...outcome, status: 0, stderr: '', stdout: 'prepared\n' });
  } finally {
    holder.kill('SIGKILL');
  }
});

test('namespaces of the host', { skip }, async (context) => {
  const host = namespacesOf('self');

  await context.test('beside users of its own', async () => {
    const joined = { user: 'new', mount: 'new', pid: 'new', network: '/proc/self/ns/net', uts: '/proc/self/ns/uts', ipc: '/proc/self/ns/ipc' };
    const outcome = await attempt({
      config: script('for type in net uts ipc; do readlink /proc/self/ns/$type; done', withNamespaces(joined, (config) => fewMounts(inUserNamespace(config) as TestConfig))),
      image: (rootfs) => fs.chownSync(rootfs, 100_000, 100_000),
    });
    assert.deepEqual(outcome, { ...outcome, status: 0, stderr: '', stdout: `${host.network}\n${host.uts}\n${host.ipc}\n` });
  });

  await context.test('its users: the same as none', async () => {
    const outcome = await attempt({ config: script('readlink /proc/self/ns/user; id -u', withNamespaces({ ...everyNew, user: '/proc/self/ns/user' })) });
    assert.deepEqual(outcome, { ...outcome, status: 0, stderr: '', stdout: `${host.user}\n0\n` });
  });

  await context.test('time of its own beside a network that is joined', async () => {
    const offset: ConfigChange = (config) => {
      const changed = inUserNamespace(fewMounts(config) as TestConfig) as TestConfig;
      return { ...changed, linux: { ...changed.linux, timeOffsets: { boottime: { secs: 1_000_000, nanosecs: 0 } } } };
    };
    const outcome = await attempt({
      config: script('cut -d. -f1 /proc/uptime', withNamespaces({ ...everyNew, network: '/proc/self/ns/net' }, offset)),
      image: (rootfs) => fs.chownSync(rootfs, 100_000, 100_000),
    });
    assert.equal(outcome.stderr, '');
    assert.ok(Number(outcome.stdout) >= 1_000_000, outcome.stdout);
  });
});

test('what cannot be joined is told with its field, and leaves nothing', { skip }, async () => {
  for (const [type, path, told] of [
    ['user', '/proc/self/ns/uts', /linux\.namespaces\[0\]\.path: setns\(.*CLONE_NEWUSER\): EINVAL/],
    ['user', '/nowhere', /linux\.namespaces\[0\]\.path: openat\(.*nowhere.*\): ENOENT/],
    ['pid', '/proc/self/ns/net', /linux\.namespaces\[0\]\.path: setns\(.*CLONE_NEWPID\): EINVAL/],
  ] as const) {
    const { status, stderr } = await attempt({ config: withNamespaces({ [type]: path, mount: 'new' }) });
    assert.equal(status, 1);
    assert.match(stderr, told);
  }
});
