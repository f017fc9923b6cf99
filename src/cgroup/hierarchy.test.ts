import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cgroupHost, hierarchyOfController, parseMountinfo, parseSelfCgroup, unifiedMountPoint } from './hierarchy.ts';
import { hybridHost, legacyHost, recorded, unifiedHost } from './recorded-hosts.ts';

test('a host with systemd on v2 is unified', () => {
  assert.deepEqual(recorded(unifiedHost, true), {
    mode: 'unified',
    hierarchies: [{
      controllers: ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids', 'rdma', 'misc'],
      mountPoint: '/sys/fs/cgroup', version: 2, own: '/user.slice/user-1000.slice/session-3.scope',
    }],
    unifiedControllers: ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids', 'rdma', 'misc'],
    bfq: true,
  });
});

test('a host with both is hybrid, v2 first', () => {
  const host = recorded(hybridHost);
  assert.equal(host.mode, 'hybrid');
  assert.deepEqual(host.hierarchies[0], { controllers: ['hugetlb'], mountPoint: '/sys/fs/cgroup/unified', version: 2, own: '/' });
  assert.deepEqual(host.hierarchies.find(({ controllers }) => controllers.includes('memory')), {
    controllers: ['memory'], mountPoint: '/sys/fs/cgroup/memory', version: 1, own: '/process_api/0f78',
  });
  assert.equal(host.hierarchies.length, 10);
});

test('in v1 without a cgroup namespace, a path is relative to what the mount shows', () => {
  const host = recorded(legacyHost);
  assert.equal(host.mode, 'legacy');
  assert.deepEqual(host.unifiedControllers, []);
  assert.deepEqual(host.hierarchies.find(({ controllers }) => controllers.includes('pids')), {
    controllers: ['pids'], mountPoint: '/sys/fs/cgroup/with space', version: 1, own: '/inner',
  });
  assert.deepEqual(hierarchyOfController(host, 'cpuacct', 'cpuacct')?.mountPoint, '/sys/fs/cgroup/cpu,cpuacct');
  assert.equal(host.hierarchies.find(({ controllers }) => controllers.includes('name=systemd'))?.own, '/');
  // perf_event is not mounted.
  assert.equal(hierarchyOfController(host, 'perf_event', 'perf_event'), undefined);
});

test('a controller bound to v1 is found there, another in v2', () => {
  const host = recorded(hybridHost);
  assert.equal(hierarchyOfController(host, 'blkio', 'io')?.version, 1);
  assert.equal(hierarchyOfController(host, 'hugetlb', 'hugetlb')?.version, 2);
});

test('a host without cgroups has no hierarchies', () => {
  assert.deepEqual(cgroupHost('', '0::/\n', '', false), { mode: 'legacy', hierarchies: [], unifiedControllers: [], bfq: false });
  assert.equal(unifiedMountPoint(''), undefined);
});

test('a mount that does not show our own cgroup is passed over, as is a cgroup outside of the namespace', () => {
  const mountinfo = '1 2 0:3 /other /a rw - cgroup2 none rw\n2 2 0:3 / /b rw - cgroup2 none rw\n';
  assert.equal(cgroupHost(mountinfo, '0::/mine\n', '', false).hierarchies[0]?.mountPoint, '/b');
  assert.deepEqual(cgroupHost(mountinfo, '0::/../mine\n', '', false).hierarchies, []);
});

test('a path may hold a colon and spaces', () => {
  assert.deepEqual(parseSelfCgroup('1:cpu,cpuacct:/a:b c\n0::/\n'), [
    { controllers: ['cpu', 'cpuacct'], path: '/a:b c' }, { controllers: [], path: '/' },
  ]);
});

test('what is no such file is refused in one line', () => {
  assert.throws(() => parseSelfCgroup('nonsense\n'), { code: 'io', message: '/proc/self/cgroup: expected id:controllers:/path, found "nonsense"' });
  assert.throws(() => parseMountinfo('1 2 3\n'), { code: 'io', message: 'mountinfo: expected fields around " - ", found "1 2 3"' });
});
