import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpusetWrites, subtreeWrites } from './ancestors.ts';
import { cgroupDirectories, type CgroupDirectory } from './path.ts';
import { hybridHost, recorded, unifiedHost } from './recorded-hosts.ts';

function directoryOf(host: typeof unifiedHost, controller: string): CgroupDirectory {
  const found = cgroupDirectories(recorded(host), '/a/b', 'id').find(({ hierarchy }) => hierarchy.controllers.includes(controller));
  assert.ok(found);
  return found;
}

test('every ancestor hands down what is needed, and tries the rest one by one', () => {
  const writes = subtreeWrites(directoryOf(unifiedHost, 'pids'), ['cpu', 'memory', 'pids', 'io'], ['memory', 'cpu'], { '/sys/fs/cgroup': ['memory', 'pids'] });
  assert.deepEqual(writes.map(({ directory, value, optional }) => [directory, value, optional ?? false]), [
    ['/sys/fs/cgroup', '+cpu', false],
    ['/sys/fs/cgroup', '+io', true],
    ['/sys/fs/cgroup/a', '+cpu +memory', false],
    ['/sys/fs/cgroup/a', '+pids', true],
    ['/sys/fs/cgroup/a', '+io', true],
  ]);
  assert.ok(writes.every(({ file }) => file === 'cgroup.subtree_control'));
});

test('nothing is written where all is handed down already', () => {
  const all = ['cpu', 'memory'];
  assert.deepEqual(subtreeWrites(directoryOf(unifiedHost, 'pids'), all, ['cpu'], { '/sys/fs/cgroup': all, '/sys/fs/cgroup/a': all }), []);
});

test('a v1 cpuset is filled from above, before the one below it', () => {
  const directory = directoryOf(hybridHost, 'cpuset');
  const parent = { cpus: '0-1', mems: '0' };
  assert.deepEqual(cpusetWrites(directory, ['/sys/fs/cgroup/cpuset/a', '/sys/fs/cgroup/cpuset/a/b'], parent).map((write) => `${write.directory}/${write.file} ${write.value}`), [
    '/sys/fs/cgroup/cpuset/a/cpuset.cpus 0-1',
    '/sys/fs/cgroup/cpuset/a/cpuset.mems 0',
    '/sys/fs/cgroup/cpuset/a/b/cpuset.cpus 0-1',
    '/sys/fs/cgroup/cpuset/a/b/cpuset.mems 0',
  ]);
  assert.deepEqual(cpusetWrites(directory, [], parent), []);
});
