// Runs in the guest: what `delos` knows of its containers by cgroup v2 alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ended, Everyday } from '../../support/everyday.ts';

/** What a command has printed when it has said enough; it is ended then. In the guest each start of one takes seconds. */
async function heard(child: ReturnType<Everyday['start']>, isEnough: (text: string) => boolean): Promise<string> {
  let text = '';
  for await (const part of child.stdout ?? []) {
    text += String(part);
    if (isEnough(text)) break;
  }
  child.kill();
  await ended(child);
  return text;
}

test('BLOCK I/O is what was read from a device and written to it, by io.stat', async () => {
  await using everyday = new Everyday();
  everyday.output('run', '-d', '--name', 'disk', '--device', '/dev/nullb0', 'host', 'sh', '-c',
    'dd if=/dev/zero of=/dev/nullb0 bs=1M count=24 oflag=direct && dd if=/dev/nullb0 of=/dev/null bs=1M count=12 iflag=direct && echo done; sleep 1000');
  await heard(everyday.start('logs', '-f', 'disk'), (text) => text.includes('done'));
  assert.equal(everyday.output('stats', '--no-stream', '--format', '{{.BlockIO}}', 'disk'), '12.6MB / 25.2MB\n');
});

test('memory that is exhausted is told by an event, and a restart policy goes on after it', async () => {
  await using everyday = new Everyday();
  const events = everyday.start('events', '--since', '1h', '--format', '{{.Action}}');
  everyday.output('run', '-d', '--name', 'greedy', '--restart', 'on-failure:1', '-m', '16m', '--memory-swap', '16m', 'host', 'sh', '-c',
    'x=$(head -c 100000000 /dev/zero | tr "\\0" x)');
  const actions = await heard(events, (text) => text.split('die\n').length > 2);
  assert.equal(actions.trim().split('\n').join(), 'create,start,oom,die,start,oom,die');
});
