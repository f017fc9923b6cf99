/**
 * The documents' demonstrations of cgroups, run: S0 demonstrate_file_cgroups, S2 part 7, S3 exercises 3.1 and 3.2. What they got wrong
 * and is done right here: the process is added when it runs already; the cgroup is removed while it is in it, and so stays; S3 takes
 * period and quota in the other order; its reading of controllers fails where v2 is not at /sys/fs/cgroup.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { readCgroupHost } from '../../src/cgroup/host.ts';
import type { LinuxResources } from '../../src/cgroup/linux-resources.ts';
import { hybridHost, legacyHost, recorded, unifiedHost } from '../../src/cgroup/recorded-hosts.ts';
import { readCgroupStats } from '../../src/cgroup/stats-read.ts';
import { makeBundle, script } from '../support/bundle.ts';
import { launch } from '../support/container.ts';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { marker } from '../support/marker.ts';
import { cgroupOf, changes, limited, limitOf, noContainers } from './claims.ts';

const MiB = 1024 * 1024;
const halfAProcessor = { quota: 50_000, period: 100_000 };

const demonstrations: readonly { readonly from: string; readonly name: string; readonly resources: LinuxResources }[] = [
  { from: 'S0 demonstrate_file_cgroups', name: 'test_container', resources: { memory: { limit: 512 * MiB }, cpu: halfAProcessor, pids: { limit: 100 } } },
  { from: 'S2 part 7', name: 'my_container', resources: { memory: { limit: 512 * MiB }, cpu: halfAProcessor, pids: { limit: 100 } } },
  { from: 'S3 exercise 3.2', name: 'odyssey-test', resources: { memory: { limit: 100 * MiB }, cpu: halfAProcessor } },
];

for (const { from, name, resources } of demonstrations) {
  test(`${from}: ${name} has its limits, its usage can be read, and it is gone afterwards`, { skip: noContainers }, async () => {
    const before = leaks();
    let directories: string[] = [];
    {
      const placed = changes(limited(resources), (config) => ({ ...config, linux: { ...config.linux, cgroupsPath: `/${marker}-${name}` } }));
      using bundle = makeBundle(script('exec sleep 60', placed));
      using container = launch(bundle);
      const cgroup = cgroupOf(container.id);
      directories = Object.values(cgroup);
      assert.ok(directories.every((directory) => path.basename(directory) === `${marker}-${name}`));
      const { memory, pids } = readCgroupStats(cgroup);
      assert.equal(memory.usage.limit, BigInt(resources.memory?.limit ?? 0));
      assert.equal(limitOf(cgroup, 'memory', 'memory.limit_in_bytes', 'memory.max'), String(resources.memory?.limit));
      const quota = cgroup['cpu'] === undefined ? limitOf(cgroup, 'cpu', '', 'cpu.max') : `${limitOf(cgroup, 'cpu', 'cpu.cfs_quota_us', '')} ${limitOf(cgroup, 'cpu', 'cpu.cfs_period_us', '')}`;
      assert.equal(quota, '50000 100000');
      assert.equal(limitOf(cgroup, 'pids', 'pids.max', 'pids.max'), String(resources.pids?.limit ?? 'max'));
      assert.ok((memory.usage.usage ?? 0n) > 0n && (memory.usage.usage ?? 0n) <= memory.usage.limit);
      assert.equal(pids.current, 1n);
    }
    assert.ok(directories.length > 0 && directories.every((directory) => !fs.existsSync(directory)));
    await assertNoLeaks(before);
  });
}

test('S3 exercise 3.1: what this host has is told, and no layout of cgroups is a crash', () => {
  const hosts = [unifiedHost, hybridHost, legacyHost].map((host) => recorded(host));
  assert.deepEqual(hosts.map(({ hierarchies, unifiedControllers }) => [hierarchies.filter(({ version }) => version === 1).length, unifiedControllers.length]), [[0, 8], [9, 1], [5, 0]]);
  const here = readCgroupHost();
  const mounted = fs.readFileSync('/proc/self/mountinfo', 'utf8').split('\n').filter((line) => / - cgroup2? /.test(line));
  assert.equal(here.hierarchies.length, mounted.length);
  for (const { own, controllers } of here.hierarchies) assert.ok(own.startsWith('/'), controllers.join());
});
