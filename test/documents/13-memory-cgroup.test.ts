/**
 * Number 13, references 2.10.13.a-g: limits of memory and what happens at them. What the documents got wrong and is checked right
 * here: OCI's swap is memory and swap together; -1 is "max"; the reservation is memory.low; a number that cannot be read is an error
 * and not 0. memory.high and memory.oom.group are files of v2 alone: that the kernel takes them is shown in test/vm.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LinuxResources } from '../../src/cgroup/linux-resources.ts';
import { oomKilled, oomKills } from '../../src/cgroup/oom.ts';
import { recorded, unifiedHost } from '../../src/cgroup/recorded-hosts.ts';
import { resourceWrites } from '../../src/cgroup/resources.ts';
import { parseValue, UINT64_MAX } from '../../src/cgroup/stats-text.ts';
import { readCgroupStats } from '../../src/cgroup/stats-read.ts';
import { makeBundle, script } from '../support/bundle.ts';
import { attempt, launch, until } from '../support/container.ts';
import { runDelos, startDelos } from '../support/delos.ts';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { cgroupOf, limited, noContainers, refusal } from './claims.ts';

const MiB = 1024 * 1024;
/** Swap is part of it, so that there is an end on hosts with swap too. */
const small: LinuxResources = { memory: { limit: 24 * MiB, swap: 24 * MiB } };

function unifiedWritesOf(resources: LinuxResources): string[] {
  return resourceWrites(resources, recorded(unifiedHost)).map(({ file, value }) => `${file} ${value}`);
}

test('test_memory_cgroup', { skip: noContainers }, async (context) => {
  await context.test('v2: max, low, swap.max, and high and oom.group by their own names', () => {
    assert.deepEqual(unifiedWritesOf({ memory: { limit: 512 * MiB, swap: 768 * MiB, reservation: 256 * MiB } }).toSorted(), [
      `memory.low ${256 * MiB}`, `memory.max ${512 * MiB}`, `memory.swap.max ${256 * MiB}`,
    ]);
    assert.deepEqual(unifiedWritesOf({ memory: { limit: -1, swap: -1 } }).toSorted(), ['memory.max max', 'memory.swap.max max']);
    assert.deepEqual(unifiedWritesOf({ unified: { 'memory.high': '402653184', 'memory.oom.group': '1' } }), ['memory.high 402653184', 'memory.oom.group 1']);
  });

  await context.test('memory.current is a number, "max" no limit, and anything else "Invalid memory value"', () => {
    assert.equal(parseValue('53084160\n', 'memory.current'), 53084160n);
    assert.equal(parseValue('max\n', 'memory.max'), UINT64_MAX);
    for (const text of ['', '12 MB', '-', '0x10']) assert.throws(() => parseValue(text, 'memory.current'), { code: 'io', message: /^Invalid memory value/ });
  });

  await context.test('less swap than memory is refused', async () => {
    assert.match(await refusal(limited({ memory: { limit: 64 * MiB, swap: 32 * MiB } })), /^linux\.resources\.memory\.swap: expected at least the memory limit/);
  });

  await context.test('a container that takes twice its limit is killed: exit 137', async () => {
    // tail keeps a line without an end in memory; it is process 1.
    const { status } = await attempt({ config: script('exec tail /dev/zero', limited(small)) });
    assert.equal(status, 137);
  });

  await context.test('its child is killed and it lives on: the kill is counted and told as an event', async () => {
    const before = leaks();
    {
      using bundle = makeBundle(script('while [ ! -e /tmp/go ]; do sleep 0.05; done; tail /dev/zero; echo "tail: $?"; exec sleep 60', limited(small)));
      using container = launch(bundle);
      const cgroup = cgroupOf(container.id);
      const { usage } = readCgroupStats(cgroup).memory;
      assert.equal(usage.limit, BigInt(24 * MiB));
      assert.ok((usage.usage ?? 0n) > 0n && (usage.usage ?? 0n) < BigInt(24 * MiB));
      assert.equal(oomKilled(cgroup), false);
      const events = startDelos(['events', '--interval', '1s', container.id]);
      let told = '';
      events.child.stdout?.on('data', (text: string) => (told += text));
      await until('the first statistics', () => told.includes('"type":"stats"'), 10_000);
      assert.equal(container.exec([], ['touch', '/tmp/go']).status, 0);
      await until('the kill', () => container.output().includes('tail: '), 10_000);
      assert.equal(container.output(), 'Killed\ntail: 137\n');
      assert.equal(oomKilled(cgroup), true);
      assert.equal(oomKills(cgroup), 1n);
      await until('the event', () => told.includes(`{"type":"oom","id":"${container.id}"}`), 5000);
      runDelos(['delete', '--force', container.id]);
      await events.outcome;
    }
    await assertNoLeaks(before);
  });
});
