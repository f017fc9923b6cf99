/**
 * Number 4, references 2.10.4.a-g: a new pid namespace, what is process 1 in it, its /proc, its dead children and its depth. What the
 * document got wrong and is checked right here: mounting /proc is commented out, the depth is always 1, its handler for process 1
 * reaps the main child's exit code away and leaves SIGTERM without effect, since the kernel drops signals that process 1 has no
 * handler for.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { buildFolder } from '../../src/sys/build-folder.ts';
import { makeBundle, script } from '../support/bundle.ts';
import { attempt, launch, until, type Attempt } from '../support/container.ts';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { capable, noContainers, printed, statusLine, succeeds } from './claims.ts';

/** How deep a process is, seen from here: it has a pid in its own namespace and in each above it. */
function depth(pid: number | string): number {
  return statusLine(fs.readFileSync(`/proc/${pid}/status`, 'utf8'), 'NSpid').split('\t').length;
}

const countZombies = 'echo $(grep -l "State:.Z" /proc/[0-9]*/status | wc -l) zombies';

/** A script under the init that `delos run --init` puts before a command. */
function initRuns(text: string): Attempt {
  return {
    image: (rootfs) => fs.copyFileSync(path.join(buildFolder(), 'init'), path.join(rootfs, 'init')),
    config: (config) => ({ ...config, process: { ...config.process, args: ['/init', '--', 'sh', '-c', text] } }),
  };
}

test('test_pid_namespace', { skip: noContainers }, async (context) => {
  await context.test('unshare moves children only, so it needs a fork: the first child is process 1, and when it has died there are no more', () => {
    const text = 'sh -c "echo \\$\\$; grep NSpid /proc/$$/status; exit 3"; echo $?; sh -c true; echo not reached';
    const { stdout, stderr } = spawnSync('unshare', ['--pid', 'sh', '-c', text], { encoding: 'utf8' });
    assert.match(stdout, /^1\nNSpid:\t\d+\n3\n$/);
    assert.match(stderr, /fork/);
  });

  await context.test('the program is process 1, and its /proc shows the container alone', async () => {
    const lines = (await printed('echo $$; for entry in /proc/[0-9]*; do echo ${entry#/proc/}; done; cat /proc/1/comm; sleep 0 & wait; exec readlink /proc/self')).trim().split('\n');
    assert.deepEqual(lines, ['1', '1', 'sh', '1']);
  });

  await context.test('the depth is 1 on the host, 2 in a container and 3 in a container of it', async () => {
    const before = leaks();
    {
      using bundle = makeBundle(script('unshare -pmf --mount-proc sh -c "echo nested; exec sleep 60"', capable('CAP_SYS_ADMIN')));
      using container = launch(bundle);
      await until('the nested one', () => container.output().includes('nested'));
      const inside = (JSON.parse(succeeds(['ps', '--format', 'json', container.id])) as number[]).map(depth);
      assert.equal(depth('self'), 1);
      assert.equal(depth(container.pid), 2);
      assert.equal(Math.max(...inside), 3);
    }
    await assertNoLeaks(before);
  });

  await context.test('with an init, of 100 orphans no zombie stays, and the exit code is the main child\'s', async () => {
    const orphans = 'for i in $(seq 100); do (sleep 0.1 &); done; sleep 0.6';
    const { status, stdout } = await attempt(initRuns(`${orphans}; ${countZombies}; cat /proc/1/comm; exit 7`));
    assert.deepEqual({ status, stdout }, { status: 7, stdout: '0 zombies\ninit\n' });
  });

  await context.test('without one they stay: the check above can fail', async () => {
    const counting = `(sleep 0.5; ${countZombies}) & exec sleep 1`;
    assert.equal(await printed(`for i in $(seq 10); do (sleep 0.1 &); done; ${counting}`), '10 zombies\n');
  });

  await context.test('a signal to process 1 goes through the init to the command; its end by a signal is 128 and the number', async () => {
    const text = 'trap \'echo got it; kill -KILL $$\' TERM; (sleep 0.2; kill -TERM 1) & while :; do sleep 0.05; done';
    const { status, stdout } = await attempt(initRuns(text));
    assert.deepEqual({ status, stdout }, { status: 137, stdout: 'got it\n' });
  });
});
