/**
 * Number 1, references 2.10.1.a-h: what a container is: a process group of this kernel with an id, a pid, a root and a status,
 * kept apart by namespaces, cgroups and seccomp. What the document got wrong and is checked right here: `create` leaves the status
 * Creating for ever, the status is printed as "Created" and not in lower case, a container that does not run has `pid: null`, and the
 * limits it lists are echoed from the configuration; here they are read again from the kernel.
 * Images and layers (2.10.1.d) and the comparison with a microVM (2.10.1.b) belong to later issues: docs/reference/coverage.md.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { readCgroupStats } from '../../src/cgroup/stats-read.ts';
import { makeBundle, script } from '../support/bundle.ts';
import { until } from '../support/container.ts';
import { runDelos } from '../support/delos.ts';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { cgroupOf, changes, created, filtered, limited, limitOf, noContainers, stateOf, statusLine, succeeds } from './claims.ts';

const primitives = changes(
  limited({ cpu: { shares: 1024 }, memory: { limit: 512 * 1024 * 1024 }, pids: { limit: 100 } }),
  filtered({ defaultAction: 'SCMP_ACT_ALLOW' }),
);

test('test_container_concepts', { skip: noContainers }, async (context) => {
  const before = leaks();
  {
    using bundle = makeBundle();
    const seen = path.join(bundle.path, 'creating.json');
    const hooks = { createRuntime: [{ path: '/bin/sh', args: ['sh', '-c', `cat > ${seen}`] }] };
    const text = 'uname -r > /kernel; cat /proc/sys/kernel/random/boot_id > /boot; exec sleep 60';
    bundle.configure(script(text, (config) => ({ ...primitives(config), hooks })));
    using container = created(bundle);
    const { id } = container;

    await context.test('it is creating, created, running and stopped in turn; its pid is the host\'s', async () => {
      const creating = JSON.parse(fs.readFileSync(seen, 'utf8')) as { status: string; pid?: number };
      const waiting = stateOf(id);
      assert.deepEqual([creating.status, waiting.status], ['creating', 'created']);
      assert.equal(creating.pid, waiting.pid);
      succeeds(['start', id]);
      await until('its files', () => fs.existsSync(path.join(bundle.rootfs, 'boot')));
      const running = stateOf(id);
      assert.deepEqual([running.status, running.pid], ['running', waiting.pid]);
      assert.equal(running.rootfs, bundle.rootfs);
      assert.equal(running.id, id);
    });

    await context.test('it is a process of the host and shares its kernel', () => {
      assert.equal(fs.readFileSync(path.join(bundle.rootfs, 'kernel'), 'utf8').trim(), os.release());
      assert.equal(fs.readFileSync(path.join(bundle.rootfs, 'boot'), 'utf8'), fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8'));
      const status = fs.readFileSync(`/proc/${stateOf(id).pid}/status`, 'utf8');
      assert.equal(statusLine(status, 'NSpid'), `${stateOf(id).pid}\t1`);
    });

    await context.test('namespaces, cgroup and seccomp keep it apart, as the kernel tells', () => {
      const { pid } = stateOf(id);
      for (const name of ['pid', 'net', 'mnt']) assert.notEqual(fs.readlinkSync(`/proc/${pid}/ns/${name}`), fs.readlinkSync(`/proc/self/ns/${name}`));
      const cgroup = cgroupOf(id);
      const stats = readCgroupStats(cgroup);
      assert.equal(stats.memory.usage.limit, 512n * 1024n * 1024n);
      assert.equal(stats.pids.limit, 100n);
      // 1024 shares are the ordinary weight of v2.
      assert.equal(limitOf(cgroup, 'cpu', 'cpu.shares', 'cpu.weight'), cgroup['cpu'] === undefined ? '100' : '1024');
      assert.equal(statusLine(fs.readFileSync(`/proc/${pid}/status`, 'utf8'), 'Seccomp'), '2');
    });

    await context.test('when it has stopped there is no pid, and when it is deleted nothing at all', async () => {
      succeeds(['kill', id, 'KILL']);
      await until('it stops', () => stateOf(id).status === 'stopped');
      assert.equal(stateOf(id).pid, 0);
      succeeds(['delete', id]);
      assert.match(runDelos(['state', id]).stderr, /does not exist/);
    });
  }
  await assertNoLeaks(before);
});
