import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Everyday } from '../support/everyday.ts';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { marker } from '../support/marker.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'cgroups');

interface HealthState {
  readonly Status: string;
  readonly FailingStreak: number;
  readonly Log: readonly { readonly Start: string; readonly End: string; readonly ExitCode: number; readonly Output: string }[];
}

function health(everyday: Everyday, name: string): HealthState {
  return JSON.parse(everyday.output('inspect', '-f', '{{json .State.Health}}', name)) as HealthState;
}

async function until(what: string, isSo: () => boolean, withinMs = 15_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!isSo()) {
    if (performance.now() > deadline) assert.fail(`not within ${withinMs} ms: ${what}`);
    await sleep(50);
  }
}

test('starting, unhealthy after the retries, healthy after one success, with its last five results and events', { skip }, async () => {
  const before = leaks();
  {
    await using everyday = new Everyday();
    using folder = fs.mkdtempDisposableSync(path.join(os.tmpdir(), `${marker}-`));
    everyday.output('run', '-d', '--name', 'checked', '-v', `${folder.path}:/mnt`, '--health-cmd', 'echo looked; echo bad >&2; test -e /mnt/ok', '--health-interval', '400ms',
      '--health-retries', '2', 'host', 'sleep', '1000');
    assert.match(everyday.output('ps', '--format', '{{.Status}}'), / \(health: starting\)\n$/);
    await until('unhealthy', () => health(everyday, 'checked').Status === 'unhealthy');
    const { FailingStreak, Log } = health(everyday, 'checked');
    assert.ok(FailingStreak >= 2 && Log.length >= 2);
    assert.deepEqual([Log[0]?.ExitCode, Log[0]?.Output], [1, 'looked\nbad\n']);
    assert.match(everyday.output('ps', '--format', '{{.Status}}'), / \(unhealthy\)\n$/);
    assert.equal(everyday.output('ps', '-q', '--filter', 'health=healthy'), '');
    fs.writeFileSync(path.join(folder.path, 'ok'), '');
    await until('healthy', () => health(everyday, 'checked').Status === 'healthy');
    assert.match(everyday.output('ps', '--format', '{{.Status}}', '--filter', 'health=healthy'), / \(healthy\)\n$/);
    await until('five results, and no more', () => health(everyday, 'checked').Log.length === 5 && health(everyday, 'checked').Log.every(({ ExitCode }) => ExitCode === 0));
    const actions = everyday.output('events', '--since', '1m', '--until', '0s', '-f', 'event=health_status', '--format', '{{.Action}}');
    assert.equal(actions, 'health_status: unhealthy\nhealth_status: healthy\n');
    everyday.output('stop', '-t', '0', 'checked');
    // As with docker, what does not run is not well.
    assert.equal(health(everyday, 'checked').Status, 'unhealthy');
    everyday.output('start', 'checked');
    assert.deepEqual([health(everyday, 'checked').Status, health(everyday, 'checked').Log.length <= 1], ['starting', true]);
  }
  await assertNoLeaks(before, 5000);
});

test('a check that takes too long is killed, and its output until then is kept', { skip }, async () => {
  await using everyday = new Everyday();
  everyday.output('run', '-d', '--name', 'slow', '--health-cmd', 'echo begun; exec sleep 4242', '--health-interval', '200ms', '--health-timeout', '500ms', '--health-retries', '1',
    'host', 'sleep', '1000');
  await until('unhealthy', () => health(everyday, 'slow').Status === 'unhealthy');
  const [first] = health(everyday, 'slow').Log;
  assert.deepEqual([first?.ExitCode, first?.Output], [-1, 'Health check exceeded timeout (500ms): begun\n']);
  assert.ok(Date.parse(first?.End ?? '') - Date.parse(first?.Start ?? '') < 3000);
  for (let look = 0; look < 8; look++) assert.ok((everyday.output('top', 'slow', '-eo', 'pid,args').match(/sleep 4242/g) ?? []).length <= 1);
  const { Log } = health(everyday, 'slow');
  assert.ok(Log.length >= 2 && Log.every(({ ExitCode }) => ExitCode === -1));
});

test('failures of the start period do not count, and output is cut', { skip }, async () => {
  await using everyday = new Everyday();
  everyday.output('run', '-d', '--name', 'starts', '--health-cmd', 'head -c 10000 /dev/zero | tr "\\0" x; exit 1', '--health-interval', '200ms', '--health-start-interval', '200ms',
    '--health-start-period', '1h', '--health-retries', '1', 'host', 'sleep', '1000');
  await until('two results', () => health(everyday, 'starts').Log.length >= 2);
  const { Status, FailingStreak, Log } = health(everyday, 'starts');
  assert.deepEqual([Status, FailingStreak, Log[0]?.Output], ['starting', 0, 'x'.repeat(4096)]);
});

test('a paused container is not looked after, and a program that is not there is told', { skip }, async () => {
  await using everyday = new Everyday();
  everyday.output('run', '-d', '--name', 'resting', '--health-cmd', 'true', '--health-interval', '200ms', 'host', 'sleep', '1000');
  await until('healthy', () => health(everyday, 'resting').Status === 'healthy');
  everyday.output('pause', 'resting');
  await sleep(300);
  const { Log } = health(everyday, 'resting');
  await sleep(1000);
  assert.deepEqual(health(everyday, 'resting').Log, Log);
  everyday.output('unpause', 'resting');
  await until('it is looked after again', () => health(everyday, 'resting').Log.at(-1)?.Start !== Log.at(-1)?.Start);
  everyday.output('run', '-d', '--name', 'lost', '--health-cmd', 'no-such-program', '--health-interval', '200ms', '--health-retries', '1', 'host', 'sleep', '1000');
  await until('unhealthy', () => health(everyday, 'lost').Status === 'unhealthy');
  assert.match(health(everyday, 'lost').Log[0]?.Output ?? '', /no-such-program/);
});

test('the health check of an image, and the flags over it', { skip }, async () => {
  await using everyday = new Everyday();
  using folder = fs.mkdtempDisposableSync(path.join(os.tmpdir(), `${marker}-`));
  spawnSync('tar', ['-cf', path.join(folder.path, 'root.tar'), '-C', '/', 'bin/busybox', '--transform', 's,^bin/busybox$,bin/sh,', '--show-transformed-names']);
  everyday.output('import', '-c', 'HEALTHCHECK --interval=300ms --retries=1 CMD ["/bin/sh", "-c", "echo from the image"]', path.join(folder.path, 'root.tar'), 'checked:1');
  everyday.output('run', '-d', '--network', 'none', '--name', 'image', 'checked:1', '/bin/sh', '-c', 'while :; do read x < /dev/zero; done');
  await until('healthy', () => health(everyday, 'image').Status === 'healthy');
  assert.equal(health(everyday, 'image').Log[0]?.Output, 'from the image\n');
  everyday.output('create', '--network', 'none', '--name', 'without', '--no-healthcheck', 'checked:1', '/bin/sh');
  everyday.output('create', '--network', 'none', '--name', 'changed', '--health-timeout', '7s', 'checked:1', '/bin/sh');
  assert.equal(everyday.output('inspect', '-f', '{{json .State}}', 'without').includes('Health'), false);
  assert.deepEqual(JSON.parse(everyday.output('inspect', '-f', '{{json .Config.Healthcheck}}', 'changed')), {
    Test: ['CMD', '/bin/sh', '-c', 'echo from the image'], Interval: 300e6, Timeout: 7e9, StartPeriod: 0, StartInterval: 300e6, Retries: 1,
  });
});

test('no Node stays for the checks', { skip }, async () => {
  await using everyday = new Everyday();
  everyday.output('run', '-d', '--name', 'idle', '--health-cmd', 'true', '--health-interval', '1h', 'host', 'sleep', '1000');
  const pid = Number(everyday.output('inspect', '-f', '{{.State.Pid}}', 'idle'));
  const parent = Number(/^PPid:\t(\d+)$/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  const children = fs.readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim();
  assert.deepEqual([path.basename(fs.readlinkSync(`/proc/${parent}/exe`)), children], ['monitor', String(pid)]);
});

test('a check in the foreground writes nothing into what the container writes', { skip }, async () => {
  await using everyday = new Everyday();
  const { stdout, stderr } = everyday.delos('run', '--rm', '--health-cmd', 'echo noise; echo noise >&2', '--health-interval', '100ms', 'host', 'sh', '-c', 'sleep 0.8; echo own');
  assert.deepEqual([stdout, stderr], ['own\n', '']);
});

test('flags that contradict each other', { skip }, async () => {
  await using everyday = new Everyday();
  const refused = (...words: string[]): string => everyday.delos('run', ...words, 'host', 'true').stderr;
  assert.equal(refused('--no-healthcheck', '--health-cmd', 'true'), 'delos: conflicting options: --no-healthcheck and --health-*\n');
  assert.match(refused('--health-cmd', 'true', '--health-interval', '1us'), /^delos: invalid --health-interval /);
  assert.match(refused('--health-cmd', 'true', '--health-retries', '-1'), /^delos: invalid --health-retries '-1': /);
  assert.match(everyday.output('create', '--name', 'plain', 'host', 'true'), /^[0-9a-f]{64}\n$/);
  assert.equal(everyday.output('inspect', '-f', '{{json .Config}}', 'plain').includes('Healthcheck'), false);
});
