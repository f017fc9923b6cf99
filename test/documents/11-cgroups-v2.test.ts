/**
 * Number 11, references 2.10.11.a-h and 2.5.28.c: cgroups: where a container's are, how they are made, handed controllers, joined and
 * removed. What the documents got wrong and is checked right here: they write below /sys/fs/cgroup whatever is mounted there; they
 * join an unchecked name to it; they write the cgroup's own subtree_control, where its ancestors' count; they add a process that
 * runs already; and they leave the cgroup behind, since they remove it while they are in it. What a pure v2 host does is
 * shown in a virtual machine (test/vm); here it is what this host mounts, and v2 in the plans.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { subtreeWrites } from '../../src/cgroup/ancestors.ts';
import { readControlFile, writeControlFile } from '../../src/cgroup/control-file.ts';
import { CGROUP2_SUPER_MAGIC, CGROUP_SUPER_MAGIC, readCgroupHost, requireCgroupFilesystem } from '../../src/cgroup/host.ts';
import { cgroupDirectories } from '../../src/cgroup/path.ts';
import { recorded, unifiedHost } from '../../src/cgroup/recorded-hosts.ts';
import { makeBundle, script, type TestConfig } from '../support/bundle.ts';
import { launch } from '../support/container.ts';
import { runDelos } from '../support/delos.ts';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { marker } from '../support/marker.ts';
import { cgroupOf, noContainers, planned, printed, refusal } from './claims.ts';

const host = readCgroupHost();
const unified = host.hierarchies.find(({ version }) => version === 2);
const noUnified = unified !== undefined && host.unifiedControllers.length > 0 ? false : 'no controller is in cgroup v2 here';

function at(cgroupsPath: string): (config: TestConfig) => TestConfig {
  return (config) => ({ ...config, linux: { ...config.linux, cgroupsPath } });
}

/** Without a cgroup namespace, so that the whole path is seen. */
function seenWhole(config: TestConfig): TestConfig {
  return { ...config, linux: { ...config.linux, namespaces: config.linux.namespaces.filter(({ type }) => type !== 'cgroup') } };
}

test('test_cgroups_v2', { skip: noContainers }, async (context) => {
  await context.test('what is mounted as a cgroup is one: 0x63677270 is v2', () => {
    assert.equal(CGROUP2_SUPER_MAGIC, 0x63677270);
    for (const { mountPoint, version } of host.hierarchies) {
      assert.equal(fs.statfsSync(mountPoint).type, version === 2 ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC);
      assert.equal(requireCgroupFilesystem(mountPoint), version);
    }
    assert.throws(() => requireCgroupFilesystem('/tmp'), { code: 'unsupported', message: /expected a cgroup filesystem/ });
  });

  await context.test('a name is joined to the mount point, and never leads out of it', async () => {
    const paths = cgroupDirectories(recorded(unifiedHost), '/delos/container', 'id').map(({ directory }) => directory);
    assert.deepEqual(paths, ['/sys/fs/cgroup/delos/container']);
    for (const name of ['../../etc', '/..', 'a/../../b', '/']) assert.match(await refusal(at(name)), /^linux\.cgroupsPath: expected a /);
  });

  await context.test('v2: every ancestor is told to hand the controllers down, the container\'s own cgroup is not', () => {
    const [directory] = cgroupDirectories(recorded(unifiedHost), '/a/b', 'id');
    assert.ok(directory);
    assert.deepEqual(subtreeWrites(directory, ['cpu', 'memory'], ['cpu', 'memory']).map(({ directory, file, value }) => [directory, file, value]), [
      ['/sys/fs/cgroup', 'cgroup.subtree_control', '+cpu +memory'],
      ['/sys/fs/cgroup/a', 'cgroup.subtree_control', '+cpu +memory'],
    ]);
  });

  await context.test('it is there while the container runs, holds its processes, and is gone with it', async () => {
    const before = leaks();
    const directories: string[] = [];
    {
      using bundle = makeBundle(script('sleep 60 & exec sleep 60', at(`/${marker}/inner`)));
      using container = launch(bundle);
      const cgroup = cgroupOf(container.id);
      for (const hierarchy of host.hierarchies) directories.push(path.join(hierarchy.mountPoint, marker, 'inner'));
      assert.deepEqual([...new Set(Object.values(cgroup))].toSorted(), directories.toSorted());
      for (const directory of directories) {
        const pids = readControlFile(directory, 'cgroup.procs')?.trim().split('\n').map(Number) ?? [];
        assert.ok(pids.includes(container.pid), directory);
      }
      assert.ok(fs.readFileSync(`/proc/${container.pid}/cgroup`, 'utf8').trim().split('\n').every((line) => line.endsWith(`:/${marker}/inner`)));
    }
    for (const directory of directories) {
      assert.ok(!fs.existsSync(directory));
      // What lies above it is not the container's own, as with runc.
      fs.rmdirSync(path.dirname(directory));
    }
    await assertNoLeaks(before);
  });

  await context.test('the program is in its cgroup from its first instruction, and sees itself at the root', async () => {
    assert.ok((await printed('cat /proc/self/cgroup', (config) => seenWhole(at(`${marker}-whole`)(config)))).trim().split('\n').every((line) => line.endsWith(`/${marker}-whole`)));
    assert.ok((await printed('cat /proc/self/cgroup')).trim().split('\n').every((line) => /^\d+:.*:\/$/.test(line)));
    const order = planned((config) => config).map(({ call, arguments: words }) => `${call} ${Object.values(words).join(' ')}`);
    const first = (pattern: RegExp): number => order.findIndex((line) => pattern.test(line));
    const sequence = [first(/^mkdir.*cgroup/), first(/^clone3/), first(/cgroup\.procs/), first(/^unshare CLONE_NEWCGROUP/), first(/^execve/)];
    assert.deepEqual(sequence.filter((place) => place >= 0), sequence.filter((place) => place >= 0).toSorted((a, b) => a - b));
    assert.ok(first(/^mkdir.*cgroup/) >= 0 && first(/^unshare CLONE_NEWCGROUP/) >= 0);
  });

  await context.test('v2 of this host: the leaf has the files of a controller it was limited by', { skip: noUnified || (host.unifiedControllers.includes('hugetlb') ? false : 'hugetlb is not in v2 here') }, async () => {
    const before = leaks();
    {
      using bundle = makeBundle(script('exec sleep 60', (config) => ({ ...config, linux: { ...config.linux, resources: { hugepageLimits: [{ pageSize: '2MB', limit: 4194304 }] } } })));
      using container = launch(bundle);
      const directory = cgroupOf(container.id)[''] ?? assert.fail('no v2');
      assert.match(readControlFile(directory, 'cgroup.controllers') ?? '', /\bhugetlb\b/);
      assert.equal(readControlFile(directory, 'hugetlb.2MB.max'), '4194304\n');
    }
    await assertNoLeaks(before);
  });

  await context.test('a v2 cgroup with processes cannot hand controllers down: EBUSY, and the reason is told', { skip: noUnified }, async () => {
    const [controller = ''] = host.unifiedControllers;
    const root = unified?.mountPoint ?? '/';
    const directory = path.join(root, marker);
    if (!(readControlFile(root, 'cgroup.subtree_control') ?? '').includes(controller)) writeControlFile(root, 'cgroup.subtree_control', `+${controller}`);
    fs.mkdirSync(directory);
    const child = spawn('sleep', ['60']);
    try {
      writeControlFile(directory, 'cgroup.procs', String(child.pid));
      assert.throws(() => writeControlFile(directory, 'cgroup.subtree_control', `+${controller}`), { code: 'kernel-refused', message: /EBUSY \(a cgroup with processes cannot hand controllers down\)/ });
      assert.throws(() => fs.rmdirSync(directory), { code: 'EBUSY' });
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
      fs.rmdirSync(directory);
    }
  });

  await context.test('a cgroup in which somebody else runs is not taken', async () => {
    const before = leaks();
    {
      using bundle = makeBundle(script('exec sleep 60', at(`/${marker}-taken`)));
      using container = launch(bundle);
      assert.ok(container.pid > 0);
      using other = makeBundle(script('true', at(`/${marker}-taken`)));
      assert.match(runDelos(['run', `${marker}-other`], { bundle: other }).stderr, /linux\.cgroupsPath: .* is not empty/);
    }
    await assertNoLeaks(before);
  });
});
