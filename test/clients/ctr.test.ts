/** containerd and its shim drive `bin/delos-oci` in runc's place, as docs/guide/podman-containerd.md says; `ctr` tells them what to do. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { skipUnless } from '../support/skip.ts';
import { talker, untilSized } from './container-scripts.ts';
import { Containerd } from './containerd.ts';
import { delosOci, installWithPlanner } from './planner.ts';
import { Stage } from './stage.ts';

const skip = skipUnless('root', 'busybox', 'cgroups', 'ctr', 'containerd', 'containerd-shim-runc-v2', 'python3', 'ip');

const log = `${Stage.folder}/talker.log`;

/** Starts a task that writes to the log, and waits until it does. */
async function startTalker(containerd: Containerd): Promise<void> {
  const { status, stderr } = await containerd.run(['--detach', '--log-uri', `file://${log}`], 'talker', 'sh', '-c', talker);
  assert.equal(status, 0, stderr);
  await until(() => said(containerd) === 'started\n');
}

/** What the talker has said so far. */
function said(containerd: Containerd): string {
  return fs.readFileSync(containerd.stage.outside(log), 'utf8');
}

/** The shim hears of an end, and of output, a moment after it has happened. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await isSo()); tries++) {
    assert.ok(tries < 100, `not so after 2 s: ${isSo}`);
    await sleep(20);
  }
}

async function stop(containerd: Containerd): Promise<void> {
  await containerd.output('tasks', 'kill', '--signal', 'TERM', 'talker');
  await until(async () => (await containerd.task('talker'))?.status === 'STOPPED');
  const { stderr } = await containerd.call('tasks', 'rm', 'talker');
  assert.match(stderr, /exit with non-zero exit code 3/);
  assert.equal(await containerd.task('talker'), undefined);
}

async function assertNothingIsLeft(containerd: Containerd): Promise<void> {
  assert.equal(await containerd.output('containers', 'ls', '--quiet'), '');
  assert.doesNotMatch(await containerd.output('snapshots', 'ls'), /Active/);
  assert.deepEqual(await containerd.stage.remains(), { mounts: [], cgroups: [], containers: [] });
}

describe('containerd', { skip }, () => {
  describe('cold', () => {
    const atFirst = leaks();
    let containerd: Containerd;
    before(async () => {
      containerd = await Containerd.open(() => delosOci);
    });
    after(async () => {
      await containerd[Symbol.asyncDispose]();
      await assertNoLeaks(atFirst);
    });

    test('ctr run: output, errors and the exit code', async () => {
      const { status, stdout, stderr } = await containerd.run(['--rm'], 'streams', 'sh', '-c', 'echo out; echo err >&2; exit 7');
      assert.deepEqual({ status, stdout, stderr }, { status: 7, stdout: 'out\n', stderr: 'err\n' });
    });

    test('ctr run: a program that is missing or cannot be executed is named', async () => {
      const missing = await containerd.run(['--rm'], 'missing', 'no-such-program');
      assert.equal(missing.status, 1);
      assert.match(missing.stderr, /OCI runtime create failed: process\.args\[0\]: exec: "no-such-program": executable file not found in \$PATH/);
      const noProgram = await containerd.run(['--rm'], 'no-program', '/etc/passwd');
      assert.equal(noProgram.status, 1);
      assert.match(noProgram.stderr, /OCI runtime create failed: process\.args\[0\]: exec: "\/etc\/passwd": permission denied/);
    });

    test('ctr run --tty: a terminal of the right size, and what is typed on it', async () => {
      const script = `tty; ${untilSized}; echo ready; read line; echo "<$line>"; exit 5`;
      const { output, code } = await containerd.runOnTerminal('terminal', script, [['ready', 'typed\r']]);
      assert.match(output, /^\/dev\/pts\/0\s+ready\s+typed\s+<typed>\s+$/);
      assert.equal(code, 5);
    });

    test('ctr run: what containerd is asked for is what the container sees', async () => {
      const flags = ['--seccomp', '--read-only', '--cwd=/tmp', '--env=A=1', '--cap-drop=CAP_KILL', '--mount=type=bind,src=/etc,dst=/host,options=rbind:ro'];
      const sees = `
        pwd; echo $A; grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status
        for place in / /host /dev/shm; do if touch $place/file; then echo wrote $place; fi; done`;
      const { stdout, stderr } = await containerd.run(['--rm', ...flags], 'options', 'sh', '-c', sees);
      // containerd's default of fourteen capabilities without CAP_KILL (bit 5).
      assert.deepEqual(stdout.split('\n'), ['/tmp', '1', 'CapEff:\t00000000a80425db', 'NoNewPrivs:\t1', 'Seccomp:\t2', 'wrote /dev/shm', '']);
      assert.equal(stderr.match(/Read-only file system/g)?.length, 2, stderr);
    });

    test('ctr run --memory-limit: who needs more is killed', async () => {
      const { status } = await containerd.run(['--rm', `--memory-limit=${16 << 20}`], 'hungry', 'sh', '-c', 'x=12345678; while :; do x=$x$x; done');
      assert.equal(status, 137);
    });

    test('a detached task: exec, ps, metrics, ls, pause, resume, kill, rm, start', async (context) => {
      await startTalker(containerd);
      const { pid, status } = (await containerd.task('talker'))!;
      assert.equal(status, 'RUNNING');

      await context.test('exec', async () => {
        const { status, stdout, stderr } = await containerd.exec('streams', 'talker', 'sh', '-c', 'echo out; echo err >&2; exit 4');
        assert.deepEqual({ status, stdout, stderr }, { status: 4, stdout: 'out\n', stderr: 'err\n' });
        const missing = await containerd.exec('missing', 'talker', 'no-such-program');
        assert.match(missing.stderr, /OCI runtime exec failed: .*"no-such-program": executable file not found/);
        const { output, code } = await containerd.execOnTerminal('talker', `tty; ${untilSized}; exit 6`);
        assert.match(output, /^\/dev\/pts\/0\s+$/);
        assert.equal(code, 6);
      });

      await context.test('ps and metrics', async () => {
        assert.match(await containerd.output('tasks', 'ps', 'talker'), new RegExp(`^PID +INFO\\s+${pid} +-$`, 'm'));
        const metrics = await containerd.output('tasks', 'metrics', 'talker');
        const [, memory] = /^memory\.usage(?:_in_bytes)? +(\d+)/m.exec(metrics) ?? [];
        const [, processes] = /^pids\.current +(\d+)/m.exec(metrics) ?? [];
        assert.ok(Number(memory) > 0 && Number(processes) > 0, metrics);
      });

      await context.test('pause and resume', async () => {
        const count = (): number => Number(fs.readFileSync(`/proc/${pid}/root/tmp/count`, 'utf8'));
        await containerd.output('tasks', 'pause', 'talker');
        const paused = count();
        await sleep(200);
        assert.equal(count(), paused);
        assert.equal((await containerd.task('talker'))?.status, 'PAUSED');
        await containerd.output('tasks', 'resume', 'talker');
        assert.equal((await containerd.task('talker'))?.status, 'RUNNING');
        await until(() => count() > paused);
      });

      await context.test('kill and rm', async () => {
        await containerd.output('tasks', 'kill', '--signal', 'USR1', 'talker');
        await until(() => said(containerd) === 'started\nusr1\n');
        assert.notEqual((await containerd.call('tasks', 'rm', 'talker')).status, 0, 'a task that runs was removed');
        await stop(containerd);
        assert.equal(said(containerd), 'started\nusr1\nbye\n');
      });

      await context.test('start once more, and rm by force', async () => {
        await containerd.output('tasks', 'start', '--detach', '--null-io', 'talker');
        assert.equal((await containerd.task('talker'))?.status, 'RUNNING');
        await containerd.output('tasks', 'rm', '--force', 'talker');
        await containerd.output('containers', 'rm', 'talker');
      });
    });

    test('nothing is left of all these', () => assertNothingIsLeft(containerd));
  });

  describe('with a warm planner', () => {
    const atFirst = leaks();
    let containerd: Containerd;
    before(async () => {
      containerd = await Containerd.open(installWithPlanner);
    });
    after(async () => {
      await containerd[Symbol.asyncDispose]();
      await assertNoLeaks(atFirst);
    });

    test('ctr run, exec, kill, rm', async () => {
      const { status, stdout, stderr } = await containerd.run(['--rm'], 'streams', 'sh', '-c', 'echo out; echo err >&2; exit 7');
      assert.deepEqual({ status, stdout, stderr }, { status: 7, stdout: 'out\n', stderr: 'err\n' });
      await startTalker(containerd);
      assert.deepEqual(await containerd.exec('streams', 'talker', 'sh', '-c', 'echo in; exit 4'), { status: 4, stdout: 'in\n', stderr: '' });
      await stop(containerd);
      await containerd.output('containers', 'rm', 'talker');
    });

    test('ctr run --tty', async () => {
      const { output, code } = await containerd.runOnTerminal('terminal', `tty; ${untilSized}; exit 5`, []);
      assert.match(output, /^\/dev\/pts\/0\s+$/);
      assert.equal(code, 5);
    });

    test('nothing is left of all these', () => assertNothingIsLeft(containerd));

    test('it was the planner: without it this copy, which has no Node, starts nothing', async () => {
      fs.rmSync(containerd.stage.outside('/run/delos/planner.sock'));
      assert.notEqual((await containerd.run(['--rm'], 'nothing', 'true')).status, 0);
    });
  });
});
