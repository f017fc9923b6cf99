/** podman drives `bin/delos-oci` in runc's place, as docs/guide/podman-containerd.md says. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { skipUnless } from '../support/skip.ts';
import { talker, untilSized } from './container-scripts.ts';
import { delosOci, installWithPlanner } from './planner.ts';
import { Podman } from './podman.ts';

const skip = skipUnless('root', 'busybox', 'cgroups', 'podman', 'conmon', 'python3', 'ip');
/** What podman's own bridge takes. */
const skipBridge = skipUnless('iptables', '/usr/lib/podman/netavark');

/** Prints the limit of memory as a container finds it, with either version of cgroups. */
const memoryLimit = 'cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes 2>/dev/null || cat memory.max';

describe('podman', { skip }, () => {
  describe('cold', () => {
    const atFirst = leaks();
    let podman: Podman;
    before(async () => {
      podman = await Podman.open(() => delosOci);
    });
    after(async () => {
      await podman[Symbol.asyncDispose]();
      await assertNoLeaks(atFirst);
    });

    test('run: input, output, errors and the exit code', async () => {
      const { status, stdout, stderr } = await podman.run(['--rm'], 'sh', '-c', 'echo out; echo err >&2; exit 7');
      assert.deepEqual({ status, stdout, stderr }, { status: 7, stdout: 'out\n', stderr: 'err\n' });
      assert.equal((await podman.call(['run', '--rm', '-i', Podman.image, 'tr', 'a-z', 'A-Z'], 'typed')).stdout, 'TYPED');
    });

    test('run: a program that is missing is 127, one that cannot be executed 126, and both are named', async () => {
      const missing = await podman.run(['--rm'], 'no-such-program');
      assert.equal(missing.status, 127);
      assert.match(missing.stderr, /process\.args\[0\]: exec: \\"no-such-program\\": executable file not found in \$PATH/);
      const noProgram = await podman.run(['--rm'], '/etc/passwd');
      assert.equal(noProgram.status, 126);
      assert.match(noProgram.stderr, /process\.args\[0\]: exec: \\"\/etc\/passwd\\": permission denied/);
    });

    test('run -it: a terminal of the right size, and what is typed on it', async () => {
      const { output, code } = await podman.runOnTerminal(['--rm'], `tty; ${untilSized}; echo ready; read line; echo "<$line>"; exit 5`, [['ready', 'typed\r']]);
      assert.match(output, /^\/dev\/pts\/0\s+ready\s+typed\s+<typed>\s+$/);
      assert.equal(code, 5);
    });

    test('run: what podman is asked for is what the container sees', async () => {
      const flags = [
        '--user=1000:1000', '--hostname=named', '--workdir=/tmp', '--env=A=1', '--read-only', '--volume=/etc:/host:ro', '--tmpfs=/scratch', '--tmpfs=/tmp',
        '--cap-drop=all',
        '--security-opt=no-new-privileges', '--sysctl=kernel.msgmax=4096', '--ulimit=nofile=99:99', '--ulimit=nproc=999:999', '--memory=32m',
      ];
      const sees = `
        id -u; id -g; hostname; pwd; echo $A; ulimit -n; cat /proc/sys/kernel/msgmax; ${memoryLimit}
        grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status
        for place in / /host /scratch /tmp; do if touch $place/file; then echo wrote $place; fi; done`;
      const { stdout, stderr } = await podman.run(['--rm', ...flags], 'sh', '-c', sees);
      const status = ['CapBnd:\t0000000000000000', 'CapEff:\t0000000000000000', 'NoNewPrivs:\t1', 'Seccomp:\t2'];
      const [uid, gid, hostname, folder, variable, files, msgmax, memory, ...rest] = stdout.trimEnd().split('\n');
      assert.deepEqual([uid, gid, hostname, folder, variable, files, msgmax, memory], ['1000', '1000', 'named', '/tmp', '1', '99', '4096', String(32 << 20)]);
      assert.deepEqual(rest.sort(), [...status, 'wrote /scratch', 'wrote /tmp'].sort(), stderr);
      assert.equal(stderr.match(/Read-only file system/g)?.length, 2);
    });

    test('run --memory: who needs more is killed', async () => {
      const { status } = await podman.run(['--rm', '--memory=16m', '--memory-swap=16m'], 'sh', '-c', 'x=12345678; while :; do x=$x$x; done');
      assert.equal(status, 137);
    });

    test('run --network bridge: an interface with a way to the host; a second container shares it', { skip: skipBridge }, async () => {
      await podman.run(['-d', '--name=first', '--network=bridge'], 'sleep', '1000');
      const address = /inet ([\d.]+)/.exec(await podman.output('exec', 'first', 'ip', 'address', 'show', 'eth0'))?.[1] ?? '';
      const askGateway = 'ip address show eth0; ping -c 1 -W 5 "$(ip route | sed -n "s/default via \\([^ ]*\\).*/\\1/p")"';
      const shared = await podman.run(['--rm', '--network=container:first'], 'sh', '-c', askGateway);
      assert.ok(address !== '' && shared.stdout.includes(`inet ${address}/`), shared.stdout + shared.stderr);
      assert.match(shared.stdout, /1 packets received/);
      await podman.output('rm', '--force', '--time=0', 'first');
    });

    test('a detached container: exec, logs, top, stats, update, pause, kill, stop, start, rm', async (context) => {
      const state = (): Promise<string> => podman.output('inspect', '--format={{.State.Status}} {{.State.ExitCode}}', 'talker');
      assert.equal((await podman.run(['-d', '--name=talker'], 'sh', '-c', talker)).status, 0);

      await context.test('exec', async () => {
        const script = 'read line; echo "<$line$B>"; echo err >&2; exit 4';
        const { status, stdout, stderr } = await podman.call(['exec', '-i', '--env=B=2', 'talker', 'sh', '-c', script], 'typed\n');
        assert.deepEqual({ status, stdout, stderr }, { status: 4, stdout: '<typed2>\n', stderr: 'err\n' });
        assert.equal((await podman.call(['exec', 'talker', 'no-such-program'])).status, 127);
        const { output, code } = await podman.onTerminal(['exec', '-it', 'talker', 'sh', '-c', `tty; ${untilSized}; exit 6`], []);
        assert.match(output, /^\/dev\/pts\/0\s+$/);
        assert.equal(code, 6);
      });

      await context.test('top and stats', async () => {
        const [head, first] = (await podman.output('top', 'talker', 'pid', 'args')).split('\n');
        assert.match(`${head}\n${first}`, /^PID +COMMAND\n1 +sh -c /);
        const [processes, memory] = (await podman.output('stats', '--no-stream', '--no-reset', '--format={{.PIDs}} {{.MemUsage}}', 'talker')).split(' ');
        assert.ok(Number(processes) >= 1 && Number.parseFloat(memory ?? '') > 0, `${processes} ${memory}`);
      });

      await context.test('update', async () => {
        await podman.output('update', '--memory=48m', 'talker');
        assert.equal(await podman.output('exec', 'talker', 'sh', '-c', memoryLimit), `${48 << 20}\n`);
      });

      await context.test('pause and unpause', async () => {
        const pid = (await podman.output('inspect', '--format={{.State.Pid}}', 'talker')).trim();
        const count = (): number => Number(fs.readFileSync(`/proc/${pid}/root/tmp/count`, 'utf8'));
        await podman.output('pause', 'talker');
        const paused = count();
        await sleep(200);
        assert.equal(count(), paused);
        assert.equal(await state(), 'paused 0\n');
        await podman.output('unpause', 'talker');
        await sleep(200);
        assert.ok(count() > paused);
      });

      await context.test('kill, stop and logs', async () => {
        await podman.output('kill', '--signal=USR1', 'talker');
        await podman.output('stop', 'talker');
        assert.equal(await state(), 'exited 3\n');
        assert.equal(await podman.output('logs', 'talker'), 'started\nusr1\nbye\n');
      });

      await context.test('start and rm', async () => {
        await podman.output('start', 'talker');
        assert.equal(await state(), 'running 0\n');
        assert.equal((await podman.call(['rm', 'talker'])).status, 2);
        await podman.output('rm', '--force', '--time=0', 'talker');
        assert.equal(await podman.output('ps', '--all', '--quiet'), '');
      });
    });

    test('nothing is left of all these', async () => {
      assert.deepEqual(await podman.remains(), { mounts: [], cgroups: [], containers: [] });
    });
  });

  describe('with a warm planner', () => {
    const atFirst = leaks();
    let podman: Podman;
    before(async () => {
      podman = await Podman.open(installWithPlanner);
    });
    after(async () => {
      await podman[Symbol.asyncDispose]();
      await assertNoLeaks(atFirst);
    });

    test('run, exec, stop, rm', async () => {
      const { status, stdout, stderr } = await podman.run(['--rm'], 'sh', '-c', 'echo out; echo err >&2; exit 7');
      assert.deepEqual({ status, stdout, stderr }, { status: 7, stdout: 'out\n', stderr: 'err\n' });
      assert.equal((await podman.run(['-d', '--name=talker'], 'sh', '-c', talker)).status, 0);
      assert.deepEqual(await podman.call(['exec', 'talker', 'sh', '-c', 'echo in; exit 4']), { status: 4, stdout: 'in\n', stderr: '' });
      await podman.output('stop', 'talker');
      assert.equal(await podman.output('logs', 'talker'), 'started\nbye\n');
      await podman.output('rm', 'talker');
    });

    test('run -it', async () => {
      const { output, code } = await podman.runOnTerminal(['--rm'], `tty; ${untilSized}; exit 5`, []);
      assert.deepEqual([output, code], ['/dev/pts/0\r\n', 5]);
    });

    test('nothing is left of all these', async () => {
      assert.deepEqual(await podman.remains(), { mounts: [], cgroups: [], containers: [] });
    });

    test('it was the planner: without it this copy, which has no Node, starts nothing', async () => {
      fs.rmSync(podman.stage.outside('/run/delos/planner.sock'));
      assert.notEqual((await podman.run(['--rm'], 'true')).status, 0);
    });
  });
});
