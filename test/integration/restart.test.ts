import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Everyday } from '../support/everyday.ts';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'cgroups');

interface Supervisor { readonly pid: number; readonly startTime: string }

function recordOf(everyday: Everyday, name: string): { readonly supervisor: Supervisor; readonly startedAt: string; readonly restarts: number } {
  const id = fs.readlinkSync(path.join(everyday.data, 'names', name));
  return JSON.parse(fs.readFileSync(path.join(everyday.data, 'containers', id, 'container.json'), 'utf8')) as ReturnType<typeof recordOf>;
}

function state(everyday: Everyday, name: string): string {
  return everyday.output('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}}', name).trim();
}

async function until(what: string, isSo: () => boolean, withinMs = 15_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!isSo()) {
    if (performance.now() > deadline) assert.fail(`not within ${withinMs} ms: ${what}`);
    await sleep(30);
  }
}

test('on-failure:2 is three runs, and none after a success', { skip }, async () => {
  const before = leaks();
  {
    await using everyday = new Everyday();
    everyday.output('run', '-d', '--name', 'failing', '--restart', 'on-failure:2', 'host', 'sh', '-c', 'echo run; exit 3');
    everyday.output('run', '-d', '--name', 'fine', '--restart', 'on-failure:2', 'host', 'sh', '-c', 'echo run');
    await until('two restarts', () => state(everyday, 'failing') === 'exited 3 2');
    await sleep(500);
    assert.equal(state(everyday, 'failing'), 'exited 3 2');
    assert.equal(everyday.output('logs', 'failing'), 'run\nrun\nrun\n');
    assert.equal(state(everyday, 'fine'), 'exited 0 0');
    assert.equal(everyday.output('logs', 'fine'), 'run\n');
    assert.equal(everyday.output('inspect', '-f', '{{json .HostConfig.RestartPolicy}}', 'failing'), '{"Name":"on-failure","MaximumRetryCount":2}\n');
    // By hand it has its tries anew.
    everyday.output('start', 'failing');
    await until('two more', () => state(everyday, 'failing') === 'exited 3 2' && everyday.output('logs', 'failing') === 'run\n'.repeat(6));
  }
  await assertNoLeaks(before, 5000);
});

test('always starts one that succeeds, waits longer each time, and waits in a small process', { skip }, async () => {
  await using everyday = new Everyday();
  everyday.output('run', '-d', '--name', 'brief', '--restart', 'always', 'host', 'true');
  await until('five restarts', () => recordOf(everyday, 'brief').restarts >= 5);
  const seen = JSON.parse(`[${everyday.output('events', '--since', '1m', '--until', '0s', '--json', '-f', 'event=start', '-f', 'event=die').trim().split('\n').join(',')}]`) as { Action: string; timeNano: number }[];
  const waits = seen.slice(1).flatMap((event, i) => event.Action === 'start' && seen[i]?.Action === 'die' ? [(event.timeNano - (seen[i]?.timeNano ?? 0)) / 1e6] : []);
  for (const [i, wanted] of [100, 200, 400, 800, 1600].entries()) assert.ok((waits[i] ?? 0) >= wanted - 1, `${waits.join()}`);
  // The sixth wait takes three seconds; the process is the one that was the last run's monitor.
  await until('a small process waits', () => fs.readFileSync(`/proc/${recordOf(everyday, 'brief').supervisor.pid}/cmdline`, 'utf8').startsWith('monitor\0later\0'));
  const { pid } = recordOf(everyday, 'brief').supervisor;
  const own = [...fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').matchAll(/^Private_\w+: +(\d+) kB$/gm)].reduce((sum, [, size]) => sum + Number(size), 0);
  assert.ok(own < 100, `${own} kB`);
  assert.match(everyday.output('ps', '--format', '{{.Status}}'), /^Restarting \(0\) /);
  everyday.output('stop', 'brief');
  assert.match(state(everyday, 'brief'), /^exited 0 5$/);
  // Process 1 takes note of it when it likes.
  assert.match(fs.existsSync(`/proc/${pid}/stat`) ? fs.readFileSync(`/proc/${pid}/stat`, 'latin1') : 'gone', /\) Z |^gone$/);
});

test('stop, kill and rm -f end the loop at once, in a run and between two', { skip }, async () => {
  const before = leaks();
  {
    await using everyday = new Everyday();
    for (const command of ['stop', 'kill']) {
      for (const program of ['exit 1', 'sleep 1000']) {
        const name = `${command}-${program.split(' ')[0]}`;
        everyday.output('run', '-d', '--name', name, '--stop-timeout', '0', '--restart', 'always', 'host', 'sh', '-c', program);
        if (program === 'exit 1') await until('it waits', () => recordOf(everyday, name).restarts >= 1);
        const { status } = everyday.delos(command, name);
        // `kill` may meet it in the moment in which it runs.
        assert.ok(status === 0, name);
        if (command === 'kill' && program === 'exit 1') everyday.output('stop', name);
        const stopped = state(everyday, name);
        assert.match(stopped, /^exited /, name);
        await sleep(700);
        assert.equal(state(everyday, name), stopped, name);
      }
    }
    everyday.output('run', '-d', '--name', 'removed', '--restart', 'always', 'host', 'false');
    await until('it waits', () => recordOf(everyday, 'removed').restarts >= 2);
    everyday.output('rm', '-f', 'removed');
    assert.ok(!everyday.names().includes('removed'));
  }
  await assertNoLeaks(before, 5000);
});

test('a signal that the program lives on with does not end the loop', { skip }, async () => {
  await using everyday = new Everyday();
  everyday.output('run', '-d', '--name', 'hup', '--restart', 'always', 'host', 'sh', '-c', 'trap "exit 9" HUP; echo ready; while :; do sleep 0.05; done');
  await until('it is ready', () => everyday.output('logs', 'hup') === 'ready\n');
  everyday.output('kill', '-s', 'HUP', 'hup');
  await until('it runs again', () => state(everyday, 'hup') === 'running 0 1' && everyday.output('logs', 'hup') === 'ready\nready\n');
});

test('a foreground run gives the first exit code and leaves the rest to the monitor', { skip }, async () => {
  await using everyday = new Everyday();
  const { status, stdout } = everyday.delos('run', '--name', 'front', '--restart', 'on-failure:1', 'host', 'sh', '-c', 'echo out; exit 4');
  assert.deepEqual([status, stdout], [4, 'out\n']);
  await until('one restart', () => state(everyday, 'front') === 'exited 4 1');
});

test('what --restart cannot be', { skip }, async () => {
  await using everyday = new Everyday();
  const refused = (...words: string[]): string => everyday.delos('run', ...words, 'host', 'true').stderr;
  assert.equal(refused('--rm', '--restart', 'always'), 'delos: conflicting options: cannot specify both --restart and --rm\n');
  assert.match(refused('--restart', 'sometimes'), /^delos: invalid --restart 'sometimes': expected no, on-failure\[:RETRIES\], always or unless-stopped\n$/);
  assert.match(refused('--restart', 'always:3'), /^delos: invalid --restart 'always:3': .*\n$/);
  assert.match(refused('--restart', 'on-failure:-1'), /^delos: invalid --restart 'on-failure:-1': .*\n$/);
  assert.equal(everyday.delos('run', '--rm', '--restart', 'no', 'host', 'true').status, 0);
  assert.deepEqual(everyday.names(), []);
});

test('update --restart changes what happens at the next end, also while it waits', { skip }, async () => {
  await using everyday = new Everyday();
  everyday.output('run', '-d', '--name', 'changed', 'host', 'sh', '-c', 'sleep 0.6; exit 1');
  everyday.output('update', '--restart', 'on-failure:1', 'changed');
  await until('one restart', () => state(everyday, 'changed') === 'exited 1 1');
  everyday.output('run', '-d', '--name', 'waiting', '--restart', 'always', 'host', 'false');
  await until('it waits', () => recordOf(everyday, 'waiting').restarts >= 3);
  everyday.output('update', '--restart', 'no', 'waiting');
  await until('it has stopped', () => state(everyday, 'waiting').startsWith('exited'));
  // One start may have been under way.
  await sleep(1000);
  const stopped = state(everyday, 'waiting');
  await sleep(2000);
  assert.equal(state(everyday, 'waiting'), stopped);
  everyday.output('run', '-d', '--rm', '--name', 'short', 'host', 'sleep', '1000');
  assert.equal(everyday.delos('update', '--restart', 'always', 'short').status, 1);
});

test('system start: what was running or has policy always, and not what was stopped by hand', { skip }, async () => {
  await using everyday = new Everyday();
  for (const policy of ['always', 'unless-stopped', 'no']) {
    for (const end of ['died', 'stopped']) {
      const name = `${policy}-${end}`;
      everyday.output('run', '-d', '--name', name, '--stop-timeout', '0', '--restart', policy, 'host', 'sleep', '1000');
      if (end === 'stopped') everyday.output('stop', name);
    }
  }
  everyday.output('create', '--name', 'never-started', '--restart', 'always', 'host', 'true');
  // As a reboot ends them: first those who would write the end down.
  for (const policy of ['always', 'unless-stopped', 'no']) {
    const name = `${policy}-died`;
    const pid = Number(everyday.output('inspect', '-f', '{{.State.Pid}}', name));
    process.kill(recordOf(everyday, name).supervisor.pid, 'SIGKILL');
    process.kill(pid, 'SIGKILL');
    await until(`${name} is exited`, () => state(everyday, name) === 'exited 255 0');
  }
  assert.deepEqual(everyday.output('system', 'start').trim().split('\n'), ['always-died', 'always-stopped', 'unless-stopped-died']);
  assert.deepEqual(everyday.output('ps', '--format', '{{.Names}}').trim().split('\n').sort(), ['always-died', 'always-stopped', 'unless-stopped-died']);
  assert.equal(everyday.output('system', 'start'), '');
});

test('a supervisor killed at any moment: what ps says is true, and start repairs it', { skip, timeout: 240_000 }, async () => {
  const before = leaks();
  {
    await using everyday = new Everyday();
    everyday.output('create', '--name', 'killed', '--restart', 'always', 'host', 'sh', '-c', 'sleep 0.1; exit 1');
    for (let round = 0; round < 12; round++) {
      everyday.output('start', 'killed');
      // The first second has three ends and starts; every 70 ms of it is tried, and some more by chance.
      await sleep(70 * round + 30 * Math.random());
      const { pid } = recordOf(everyday, 'killed').supervisor;
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It went just now, and another has its place.
        everyday.output('stop', '-t', '0', 'killed');
        continue;
      }
      await sleep(300);
      const said = state(everyday, 'killed').split(' ')[0];
      const now = recordOf(everyday, 'killed').supervisor.pid;
      if (now === pid) assert.equal(said, 'exited', `round ${round}`);
      everyday.delos('stop', '-t', '0', 'killed');
      await until('exited', () => state(everyday, 'killed').startsWith('exited'));
    }
    everyday.output('rm', 'killed');
  }
  await assertNoLeaks(before, 5000);
});
