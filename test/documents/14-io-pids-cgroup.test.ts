/**
 * Number 14, references 2.10.14.a-g: limits of input and output, and of the number of processes. What the documents got wrong and is
 * checked right here: io.max without riops and wiops; a weight that is not checked; nobody counts the processes.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { readControlFile } from '../../src/cgroup/control-file.ts';
import type { LinuxResources } from '../../src/cgroup/linux-resources.ts';
import { listProcesses } from '../../src/cgroup/processes.ts';
import { recorded, unifiedHost } from '../../src/cgroup/recorded-hosts.ts';
import { resourceWrites } from '../../src/cgroup/resources.ts';
import { parseIoStat, parseKeyed, parseValue } from '../../src/cgroup/stats-text.ts';
import { readCgroupStats } from '../../src/cgroup/stats-read.ts';
import { makeBundle, script } from '../support/bundle.ts';
import { launch, until } from '../support/container.ts';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { cgroupOf, limited, noContainers, refusal } from './claims.ts';

function unifiedWritesOf(resources: LinuxResources): string[] {
  return resourceWrites(resources, recorded(unifiedHost)).map(({ file, value }) => `${file} ${value}`);
}

const disk = { major: 8, minor: 0 };

/** The block device that bundles are on, as a whole: limits count for disks, not for their partitions. */
function bundleDisk(): { readonly major: number; readonly minor: number } | undefined {
  const { dev } = fs.statSync('/tmp');
  const [major, minor] = [(dev >> 8) & 0xfff, (dev & 0xff) | ((dev >> 12) & 0xfff00)];
  return fs.existsSync(`/sys/dev/block/${major}:${minor}/queue`) ? { major, minor } : undefined;
}

const whole = bundleDisk();

test('test_io_pids_cgroup', { skip: noContainers }, async (context) => {
  await context.test('io.max has the keys that are given and no others', () => {
    const rate = [{ ...disk, rate: 1048576 }];
    assert.deepEqual(unifiedWritesOf({ blockIO: { throttleReadBpsDevice: rate, throttleWriteBpsDevice: rate } }), ['io.max 8:0 rbps=1048576', 'io.max 8:0 wbps=1048576']);
    assert.deepEqual(unifiedWritesOf({ blockIO: { throttleReadIOPSDevice: [{ ...disk, rate: 120 }], throttleWriteIOPSDevice: [{ ...disk, rate: 0 }] } }), ['io.max 8:0 riops=120', 'io.max 8:0 wiops=max']);
    assert.deepEqual(unifiedWritesOf({ blockIO: {} }), []);
  });

  await context.test('io.weight is "default", from 10..1000 to 1..10000, and bfq\'s as it is', async () => {
    assert.deepEqual([10, 500, 1000].flatMap((weight) => unifiedWritesOf({ blockIO: { weight } })), ['io.weight default 1', 'io.weight default 4950', 'io.weight default 10000']);
    assert.deepEqual(resourceWrites({ blockIO: { weight: 500 } }, recorded(unifiedHost, true)).map(({ file, value }) => `${file} ${value}`), ['io.bfq.weight 500']);
    assert.match(await refusal(limited({ blockIO: { weight: 1001 } })), /^linux\.resources\.blockIO\.weight: expected .*1000, found 1001$/);
  });

  await context.test('io.stat is read by device', () => {
    const stat = parseIoStat('8:0 rbytes=90112 wbytes=4096 rios=12 wios=1 dbytes=0 dios=0\n', 'io.stat');
    assert.deepEqual(stat.get('rbytes'), [{ major: 8n, minor: 0n, op: 'Read', value: 90112n }]);
    assert.throws(() => parseIoStat('8:0 rbytes=many\n', 'io.stat'), { message: /^Invalid io value/ });
  });

  await context.test('writing past the page cache is held to its rate, and is counted', { skip: whole ? false : 'bundles are on no disk of their own here' }, async () => {
    const before = leaks();
    {
      const MiB = 1024 * 1024;
      const writes = 'dd if=/dev/zero of=/file bs=256k count=16 oflag=direct 2>/dev/null; echo written; exec sleep 60';
      using bundle = makeBundle(script(writes, limited({ blockIO: { throttleWriteBpsDevice: [{ ...(whole ?? disk), rate: 2 * MiB }] } })));
      const started = performance.now();
      using container = launch(bundle);
      await until('the writing', () => container.output() === 'written\n', 20_000);
      // 4 MiB at 2 MiB a second; a disk that is slower may take longer.
      assert.ok(performance.now() - started > 1000);
      const written = readCgroupStats(cgroupOf(container.id)).blkio.ioServiceBytesRecursive?.filter(({ op, major }) => op === 'Write' && major === BigInt(whole?.major ?? 0)) ?? [];
      assert.ok(written.some(({ value }) => value >= BigInt(4 * MiB)), JSON.stringify(written, (_, value: unknown) => String(value)));
    }
    await assertNoLeaks(before);
  });

  await context.test('pids.max is a number or "max"; pids.current that cannot be read is "Invalid pids value"', () => {
    assert.deepEqual([100, -1, 0].flatMap((limit) => unifiedWritesOf({ pids: { limit } })), ['pids.max 100', 'pids.max max', 'pids.max max']);
    assert.throws(() => parseValue('many', 'pids.current'), { message: /^Invalid pids value/ });
  });

  await context.test('a fork bomb stops at the limit; pids.current is the number of processes', async () => {
    const before = leaks();
    {
      // Process 1 is not part of it, so that the container outlives it; what of the bomb cannot fork waits.
      const bomb = 'mkfifo /go; sleep 60 & sleep 60 & read word < /go; bomb() { bomb & bomb & sleep 30; }; bomb & exec sleep 60';
      using bundle = makeBundle(script(bomb, limited({ pids: { limit: 20 } })));
      using container = launch(bundle);
      const cgroup = cgroupOf(container.id);
      await until('the count', () => listProcesses(cgroup).length === 3 && readCgroupStats(cgroup).pids.current === 3n);
      fs.writeFileSync(path.join(bundle.rootfs, 'go'), 'go\n');
      const refused = (): bigint => parseKeyed(readControlFile(cgroup['pids'] ?? cgroup[''] ?? '/', 'pids.events') ?? '', 'pids.events').get('max') ?? 0n;
      await until('the limit', () => refused() > 0n, 10_000);
      const { current = 0n, limit } = readCgroupStats(cgroup).pids;
      assert.equal(limit, 20n);
      assert.ok(current > 3n && current <= 20n, String(current));
      assert.match(container.output(), /can't fork: Resource temporarily unavailable/);
    }
    await assertNoLeaks(before);
  });
});
