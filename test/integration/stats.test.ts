import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Everyday } from '../support/everyday.ts';
import { marker } from '../support/marker.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'cgroups');

/** On a block device, unlike /tmp it may be; removed at the end. */
function folderOnDisk(): Disposable & { readonly path: string } {
  const folder = fs.mkdtempSync(path.join('/var/tmp', `${marker}-`));
  return { path: folder, [Symbol.dispose]: () => fs.rmSync(folder, { recursive: true, force: true }) };
}

/** Whether a file there can be written past the page cache, to a device with a number of its own. */
function skipWithoutDisk(): string | false {
  const device = fs.statSync('/var/tmp', { bigint: true }).dev;
  const sys = `/sys/dev/block/${(device >> 8n) & 0xfffn}:${device & 0xffn}`;
  return skip || (fs.existsSync(sys) ? false : '/var/tmp is on no block device');
}

test('BLOCK I/O is what was read and written past the cache', { skip: skipWithoutDisk() }, async () => {
  await using everyday = new Everyday();
  using folder = folderOnDisk();
  everyday.output('run', '-d', '--name', 'disk', '-v', `${folder.path}:/mnt`, 'host', 'sh', '-c',
    'dd if=/dev/zero of=/mnt/f bs=1M count=24 oflag=direct 2>/dev/null && dd if=/mnt/f of=/dev/null bs=1M count=12 iflag=direct 2>/dev/null && echo done; sleep 1000');
  while (everyday.output('logs', 'disk') !== 'done\n') await sleep(50);
  const [read = 0, written = 0] = everyday.output('stats', '--no-stream', '--format', '{{.BlockIO}}', 'disk').trim().split(' / ').map((text) => Number(text.replace('MB', '')));
  assert.ok(read >= 12 && read < 16, `${read}`);
  assert.ok(written >= 25 && written < 30, `${written}`);
});

test('NET I/O is what went over the networks, without the loopback', { skip }, async () => {
  await using everyday = new Everyday();
  everyday.output('network', 'create', 'stats-net');
  try {
    everyday.output('run', '-d', '--name', 'peer', '--network', 'stats-net', 'host', 'sleep', '1000');
    everyday.output('run', '-d', '--name', 'pinger', '--network', 'stats-net', 'host', 'sh', '-c', 'ping -q -c 50 -i 0.01 -s 1000 peer; ping -q -c 50 -i 0.01 -s 1000 127.0.0.1; echo done; sleep 1000');
    while (!everyday.output('logs', 'pinger').includes('done')) await sleep(50);
    const amounts = everyday.output('stats', '--no-stream', '--format', '{{.NetIO}}', 'pinger').trim().split(' / ').map((text) => Number(text.replace('kB', '')));
    for (const amount of amounts) assert.ok(amount >= 52 && amount < 80, amounts.join());
  } finally {
    everyday.output('rm', '-f', 'peer', 'pinger');
    everyday.output('network', 'rm', 'stats-net');
  }
});
