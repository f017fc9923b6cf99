// Runs in the guest: a container of delos-oci where cgroup v1 is all there is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeBundle, script } from '../../support/bundle.ts';
import { runDelos } from '../../support/delos.ts';
import { assertNoLeaks, leaks } from '../../support/leaks.ts';
import { newId } from '../../support/marker.ts';

test('limits arrive in the hierarchies of cgroup v1, and the container sees its own part of each', async () => {
  const expected = {
    'memory/memory.limit_in_bytes': '67108864', 'memory/memory.soft_limit_in_bytes': '33554432', 'memory/memory.memsw.limit_in_bytes': '100663296',
    'pids/pids.max': '9', 'cpu/cpu.shares': '512', 'cpu/cpu.cfs_quota_us': '50000', 'cpuset/cpuset.cpus': '1', 'cpuacct/cpu.cfs_period_us': '100000',
    'hugetlb/hugetlb.2MB.limit_in_bytes': '4194304', 'net_cls/net_cls.classid': '1048577',
  };
  const text = `cd /sys/fs/cgroup; for file in ${Object.keys(expected).join(' ')}; do echo "$file=$(cat $file)"; done; cut -d: -f3 /proc/self/cgroup | sort -u`;
  using bundle = makeBundle(script(text, (config) => ({
    ...config,
    linux: {
      ...config.linux,
      resources: {
        ...config.linux.resources,
        cpu: { shares: 512, quota: 50_000, period: 100_000, cpus: '1' },
        memory: { limit: 64 << 20, reservation: 32 << 20, swap: 96 << 20 },
        pids: { limit: 9 },
        hugepageLimits: [{ pageSize: '2MB', limit: 4 << 20 }],
        network: { classID: 0x100001 },
      },
    },
  })));
  const before = leaks();
  const { stdout, stderr, status } = runDelos(['run', newId()], { bundle, timeoutMs: 60_000 });
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  assert.deepEqual(stdout.trim().split('\n'), [...Object.entries(expected).map(([file, value]) => `${file}=${value}`), '/']);
  await assertNoLeaks(before, 5000);
});
