import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cgroupDirectories, cgroupPaths, systemdPath } from './path.ts';
import { hybridHost, legacyHost, recorded, unifiedHost } from './recorded-hosts.ts';

test('an absolute path counts from the mount point', () => {
  const [directory] = cgroupDirectories(recorded(unifiedHost), '/machine/./web//1', 'id');
  assert.equal(directory?.path, '/machine/web/1');
  assert.equal(directory?.directory, '/sys/fs/cgroup/machine/web/1');
  assert.deepEqual(directory?.create, ['/sys/fs/cgroup/machine', '/sys/fs/cgroup/machine/web', '/sys/fs/cgroup/machine/web/1']);
});

test('a relative path, or the id, counts from our own cgroup in v1 and from its parent in v2', () => {
  const hybrid = cgroupPaths(cgroupDirectories(recorded(hybridHost), undefined, 'web'));
  assert.equal(hybrid['memory'], '/sys/fs/cgroup/memory/process_api/0f78/web');
  assert.equal(hybrid['pids'], '/sys/fs/cgroup/pids/web');
  assert.equal(hybrid[''], '/sys/fs/cgroup/unified/web');
  const unified = cgroupPaths(cgroupDirectories(recorded(unifiedHost), 'a/b', 'web'));
  assert.deepEqual(unified, { '': '/sys/fs/cgroup/user.slice/user-1000.slice/a/b' });
  assert.equal(cgroupPaths(cgroupDirectories(recorded(unifiedHost), '', 'web'))[''], '/sys/fs/cgroup/user.slice/user-1000.slice/web');
});

test('every hierarchy gets a directory, under each of its controllers', () => {
  const paths = cgroupPaths(cgroupDirectories(recorded(hybridHost), '/delos/web', 'web'));
  assert.deepEqual(Object.keys(paths).toSorted(), ['', 'blkio', 'cpu', 'cpuacct', 'cpuset', 'devices', 'freezer', 'memory', 'name=systemd', 'pids']);
  const legacy = cgroupPaths(cgroupDirectories(recorded(legacyHost), '/delos/web', 'web'));
  assert.equal(legacy['cpu'], '/sys/fs/cgroup/cpu,cpuacct/delos/web');
  assert.equal(legacy['cpuacct'], legacy['cpu']);
});

test('a path that leaves its parent or names no cgroup is refused', () => {
  const of = (path: string) => () => cgroupDirectories(recorded(hybridHost), path, 'web');
  for (const path of ['..', '/a/../../b', 'a/..']) {
    assert.throws(of(path), { code: 'bad-config', message: `linux.cgroupsPath: expected a path without "..", found ${JSON.stringify(path)}` });
  }
  for (const path of ['/', '.', '//']) assert.throws(of(path), { code: 'bad-config', message: /expected a cgroup below the root/ });
  assert.throws(of('/a\nb'), { code: 'bad-config' });
  assert.throws(of(`/${'a'.repeat(256)}`), { code: 'bad-config' });
});

test('slice:prefix:name is the directory of a systemd scope', () => {
  assert.equal(systemdPath('user-1000.slice:podman:web', 'id', false), '/user.slice/user-1000.slice/podman-web.scope');
  assert.equal(systemdPath('machine.slice:libpod:abc', 'id', false), '/machine.slice/libpod-abc.scope');
  assert.equal(systemdPath('-.slice::web', 'id', false), '/web.scope');
  assert.equal(systemdPath('system.slice::pod.slice', 'id', false), '/system.slice/pod.slice');
  assert.equal(systemdPath('', 'id', false), '/system.slice/delos-id.scope');
  assert.equal(systemdPath('', 'id', true), '/user.slice/delos-id.scope');
  const [directory] = cgroupDirectories(recorded(unifiedHost), 'a-b.slice:x:y', 'id', { systemdCgroup: true });
  assert.equal(directory?.directory, '/sys/fs/cgroup/a.slice/a-b.slice/x-y.scope');
});

test('what is no slice:prefix:name is refused', () => {
  for (const path of ['/a/b', 'a.slice:b', 'a.slice:b:c:d', 'a:b:c', 'a--b.slice:b:c', '../x.slice:b:c', 'a.slice:b:../c']) {
    assert.throws(() => systemdPath(path, 'id', false), { code: 'bad-config', message: /^linux\.cgroupsPath: expected / }, path);
  }
});
