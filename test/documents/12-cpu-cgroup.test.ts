/**
 * Number 12, references 2.10.12.a-g: the processor's share. What the documents got wrong and is checked right here: config.json has
 * shares, not weights, which are converted; the order of quota and period differs between them; a period of 0 divides by zero;
 * a negative quota means none. Time is compared with the kernel's own counters.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { recorded, unifiedHost } from '../../src/cgroup/recorded-hosts.ts';
import { sharesToWeight } from '../../src/cgroup/conversion.ts';
import type { CpuLimits } from '../../src/cgroup/linux-resources.ts';
import { resourceWrites } from '../../src/cgroup/resources.ts';
import { readCgroupStats } from '../../src/cgroup/stats-read.ts';
import { makeBundle, script } from '../support/bundle.ts';
import { launch, until } from '../support/container.ts';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { cgroupOf, limited, limitOf, noContainers, printed, refusal } from './claims.ts';

const busy = 'while :; do :; done';

/** What v2 is told, `file value` each. */
function unifiedWritesOf(cpu: CpuLimits): string[] {
  return resourceWrites({ cpu }, recorded(unifiedHost)).map(({ file, value }) => `${file} ${value}`);
}

function usedNanoseconds(id: string): bigint {
  return readCgroupStats(cgroupOf(id)).cpu.usage.total ?? 0n;
}

test('test_cpu_cgroup', { skip: noContainers }, async (context) => {
  await context.test('half a processor is "50000 100000", none at all is "max"', () => {
    assert.deepEqual(unifiedWritesOf({ quota: 50_000, period: 100_000 }), ['cpu.max 50000 100000']);
    assert.deepEqual(unifiedWritesOf({ quota: -1, period: 100_000 }), ['cpu.max max 100000']);
    assert.deepEqual(unifiedWritesOf({ quota: 50_000 }), ['cpu.max 50000 100000']);
    assert.deepEqual(unifiedWritesOf({ quota: 50_000, period: 0 }), ['cpu.max 50000 100000']);
  });

  await context.test('shares become a weight from 1 to 10000', () => {
    assert.deepEqual([2n, 1024n, 262144n].map(sharesToWeight), [1n, 100n, 10000n]);
    assert.deepEqual([1n, 300000n].map(sharesToWeight), [1n, 10000n]);
    assert.deepEqual(unifiedWritesOf({ shares: 1024 }), ['cpu.weight 100']);
  });

  await context.test('what the kernel would refuse is refused before, with the field and its range', async () => {
    assert.match(await refusal(limited({ cpu: { period: 999 } })), /^linux\.resources\.cpu\.period: expected 1000 to 1000000, found 999$/);
    assert.match(await refusal(limited({ cpu: { period: 1_000_001 } })), /^linux\.resources\.cpu\.period: expected 1000 to 1000000/);
    assert.match(await refusal(limited({ cpu: { quota: 999 } })), /^linux\.resources\.cpu\.quota: expected at least 1000/);
    assert.match(await refusal(limited({ cpu: { cpus: '0-' } })), /^linux\.resources\.cpu\.cpus: expected a list such as 0-3,8, found "0-"$/);
  });

  await context.test('a busy loop under half a processor gets half of one, and was held back', async () => {
    const before = leaks();
    {
      using bundle = makeBundle(script(busy, limited({ cpu: { quota: 50_000, period: 100_000 } })));
      using container = launch(bundle);
      const cgroup = cgroupOf(container.id);
      assert.equal(limitOf(cgroup, 'cpu', 'cpu.cfs_quota_us', 'cpu.max').split(' ')[0], '50000');
      const [started, used, throttled] = [performance.now(), usedNanoseconds(container.id), readCgroupStats(cgroup).cpu.throttling.throttledPeriods ?? 0n];
      await sleep(2000);
      const share = Number(usedNanoseconds(container.id) - used) / 1e6 / (performance.now() - started);
      // At most half, and a period more; at least what is left of it beside two busy processors.
      assert.ok(share > 0.2 && share < 0.58, `${share} of a processor`);
      // Others may leave it no more than its half for a while.
      await until('it was held back', () => (readCgroupStats(cgroup).cpu.throttling.throttledPeriods ?? 0n) > throttled + 5n, 30_000);
    }
    await assertNoLeaks(before);
  });

  await context.test('on one processor, three times the weight is about three times the time', async () => {
    const before = leaks();
    {
      const weighted = (shares: number): ReturnType<typeof makeBundle> => makeBundle(script(busy, limited({ cpu: { shares, cpus: '0' } })));
      using light = weighted(1024);
      using heavy = weighted(3072);
      using first = launch(light);
      using second = launch(heavy);
      const used = (): [bigint, bigint] => [usedNanoseconds(first.id), usedNanoseconds(second.id)];
      const [lightBefore, heavyBefore] = used();
      // Enough of the processor's time, however much of it others take.
      await until('processor time', () => used()[1] > heavyBefore + 1_000_000_000n, 15_000);
      const [lightAfter, heavyAfter] = used();
      const ratio = Number(heavyAfter - heavyBefore) / Number(lightAfter - lightBefore);
      // v2's curve makes 240 of 3072 where v1 has three times as much.
      assert.ok(ratio > 1.7 && ratio < 4.5, `1 : ${ratio}`);
    }
    await assertNoLeaks(before);
  });

  await context.test('a cpuset keeps it on its processors and memory nodes', async () => {
    assert.match(await printed('grep _allowed_list /proc/self/status', limited({ cpu: { cpus: '0', mems: '0' } })), /^Cpus_allowed_list:\t0\nMems_allowed_list:\t0\n$/);
    assert.match(await refusal(limited({ cpu: { cpus: '4000' } })), /cpuset\.cpus|linux\.resources\.cpu\.cpus/);
  });
});
