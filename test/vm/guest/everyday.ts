// Runs in the guest: what `delos` knows of its containers by cgroup v2 alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Everyday } from '../../support/everyday.ts';

test('BLOCK I/O is what was read from a device and written to it, by io.stat', async () => {
  await using everyday = new Everyday();
  everyday.output('run', '-d', '--name', 'disk', '--device', '/dev/nullb0', 'host', 'sh', '-c',
    'dd if=/dev/zero of=/dev/nullb0 bs=1M count=24 oflag=direct && dd if=/dev/nullb0 of=/dev/null bs=1M count=12 iflag=direct && echo done; sleep 1000');
  while (!everyday.output('logs', 'disk').includes('done')) await sleep(200);
  assert.equal(everyday.output('stats', '--no-stream', '--format', '{{.BlockIO}}', 'disk'), '12.6MB / 25.2MB\n');
});

test('memory that is exhausted is told by an event, and a restart policy goes on after it', async () => {
  await using everyday = new Everyday();
  everyday.output('run', '-d', '--name', 'greedy', '--restart', 'on-failure:1', '-m', '16m', '--memory-swap', '16m', 'host', 'sh', '-c',
    'x=$(head -c 100000000 /dev/zero | tr "\\0" x)');
  const actions = (): string => everyday.output('events', '--since', '1h', '--until', '0s', '--format', '{{.Action}}').trim().split('\n').join();
  while (actions().split('die').length < 3) await sleep(200);
  assert.equal(actions(), 'create,start,oom,die,start,oom,die');
});
