import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ended, Everyday } from '../support/everyday.ts';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { marker } from '../support/marker.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'cgroups');

test('the host as an image: processes, cgroup and name of its own, and nothing it writes stays', { skip }, async () => {
  const before = leaks();
  {
    await using everyday = new Everyday();
    const written = `/${marker}-written`;
    const { status, stdout } = everyday.delos('run', '--rm', 'host', 'sh', '-c', `hostname; id -u; echo $$; cat /proc/self/cgroup; echo x > ${written}; cat ${written}`);
    const [hostname, uid, pid, ...rest] = stdout.trimEnd().split('\n');
    assert.equal(status, 0);
    assert.match(hostname ?? '', /^[0-9a-f]{12}$/);
    assert.deepEqual([uid, pid, rest.pop()], ['0', '1', 'x']);
    assert.ok(rest.length > 0 && rest.every((line) => line.endsWith(':/')), rest.join());
    assert.equal(fs.existsSync(written), false);
    assert.deepEqual(everyday.names(), []);
  }
  await assertNoLeaks(before);
});

test('exit codes: the container\'s, 125 ours, 126 cannot be executed, 127 not found, 128 and a signal', { skip }, async () => {
  await using everyday = new Everyday();
  const code = (...words: string[]): number | null => everyday.delos('run', '--rm', ...words).status;
  assert.equal(code('host', 'sh', '-c', 'exit 3'), 3);
  assert.equal(code('--no-such-flag', 'host', 'true'), 125);
  assert.equal(code('alpine', 'true'), 125);
  assert.equal(code('host', '/etc/passwd'), 126);
  assert.equal(code('host', '/etc'), 126);
  assert.equal(code('host', 'no-such-program'), 127);
  assert.equal(code('--init', 'host', 'sh', '-c', 'kill -TERM $$'), 143);
  assert.deepEqual(everyday.names(), []);
});

test('what is wrong with a program that is there is told on its stderr', { skip }, async () => {
  await using everyday = new Everyday();
  using folder = fs.mkdtempDisposableSync(path.join(os.tmpdir(), `${marker}-`));
  for (const [name, text] of [['bare', 'echo hi\n'], ['lost', '#!/no/such/shell\n']] as const) fs.writeFileSync(path.join(folder.path, name), text, { mode: 0o755 });
  const run = (name: string): unknown[] => {
    const { status, stderr } = everyday.delos('run', '--rm', '-v', `${folder.path}:/mnt`, 'host', `/mnt/${name}`);
    return [status, stderr];
  };
  assert.deepEqual(run('bare'), [255, 'exec /mnt/bare: exec format error\n']);
  assert.deepEqual(run('lost'), [255, 'exec /mnt/lost: no such file or directory\n']);
});

test('errors are one line, and those of usage name the help', { skip }, async () => {
  await using everyday = new Everyday();
  assert.equal(everyday.delos('run', '--memoy', '1m', 'host').stderr, "delos: unknown flag: --memoy, did you mean --memory? See 'delos run --help'.\n");
  assert.match(everyday.delos('run', '127.0.0.1:1/alpine').stderr, /^delos: image 127\.0\.0\.1:1\/alpine is not here and cannot be pulled: GET .*\n$/);
  assert.equal(everyday.delos('rm', 'nobody').stderr, 'delos: no such container: nobody\n');
});

test('stdin goes in and stdout comes out untouched', { skip }, async () => {
  await using everyday = new Everyday();
  const text = 'line\n'.repeat(50_000);
  assert.equal(everyday.feed(text, 'run', '-i', '--rm', 'host', 'cat').stdout, text);
  assert.equal(everyday.feed(text, 'run', '--rm', 'host', 'cat').stdout, '');
});

test('detached: logs of both streams, wait, the exit code, rm', { skip }, async () => {
  const before = leaks();
  {
    await using everyday = new Everyday();
    const id = everyday.output('run', '-d', '--name', 'talker', 'host', 'sh', '-c', 'echo out; echo err >&2; printf part; sleep 0.2; echo ial; exit 4').trim();
    assert.match(id, /^[0-9a-f]{64}$/);
    assert.equal(everyday.output('wait', 'talker'), '4\n');
    const { stdout, stderr } = everyday.delos('logs', 'talker');
    assert.equal(stdout, 'out\npartial\n');
    assert.equal(stderr, 'err\n');
    assert.match(everyday.output('logs', '-t', '--tail', '2', 'talker'), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z partial\n$/);
    assert.equal(everyday.output('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}} {{.Id}}', 'talker'), `exited 4 ${id}\n`);
    assert.equal(everyday.output('rm', 'talker'), 'talker\n');
  }
  await assertNoLeaks(before);
});

test('logs -f ends with the container', { skip }, async () => {
  await using everyday = new Everyday();
  everyday.output('run', '-d', '--name', 'ticker', 'host', 'sh', '-c', 'for i in 1 2 3; do echo $i; sleep 0.2; done');
  assert.equal(everyday.output('logs', '-f', 'ticker'), '1\n2\n3\n');
});

test('no Node stays for an idle container, and its monitor has less than 100 kB of its own', { skip }, async () => {
  await using everyday = new Everyday();
  everyday.output('run', '-d', '--name', 'idle', 'host', 'sleep', '1000');
  const pid = Number(everyday.output('inspect', '-f', '{{.State.Pid}}', 'idle'));
  const parent = Number(/^PPid:\t(\d+)$/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  assert.equal(path.basename(fs.readlinkSync(`/proc/${parent}/exe`)), 'monitor');
  const own = [...fs.readFileSync(`/proc/${parent}/smaps_rollup`, 'utf8').matchAll(/^Private_\w+: +(\d+) kB$/gm)].reduce((sum, [, size]) => sum + Number(size), 0);
  assert.ok(own < 100, `${own} kB`);
  // Its parent is whoever took it in when its starter ended.
  const grandparent = Number(/^PPid:\t(\d+)$/m.exec(fs.readFileSync(`/proc/${parent}/status`, 'utf8'))?.[1]);
  assert.doesNotMatch(fs.readFileSync(`/proc/${grandparent}/cmdline`, 'utf8'), /cli\/main\.ts/);
});

test('stop asks with the stop signal, and kills in the end', { skip }, async () => {
  await using everyday = new Everyday();
  everyday.output('run', '-d', '--name', 'polite', '--stop-signal', 'USR1', 'host', 'sh', '-c', 'trap "exit 7" USR1; echo ready; while :; do sleep 0.05; done');
  while (everyday.output('logs', 'polite') === '') await sleep(20);
  everyday.output('stop', 'polite');
  assert.equal(everyday.output('wait', 'polite'), '7\n');
  everyday.output('run', '-d', '--name', 'deaf', '--stop-timeout', '0', 'host', 'sleep', '1000');
  everyday.output('stop', 'deaf');
  assert.equal(everyday.output('wait', 'deaf'), '137\n');
});

test('signals to delos go on to the container', { skip }, async () => {
  await using everyday = new Everyday();
  const child = everyday.start('run', '--rm', 'host', 'sh', '-c', 'trap "echo got it; exit 5" TERM; echo ready; while :; do sleep 0.05; done');
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (text.includes('ready')) child.kill('SIGTERM');
  });
  assert.equal(await ended(child), 5);
  assert.equal(output, 'ready\ngot it\n');
});

test('a container that ignores SIGINT is killed by the third', { skip }, async () => {
  await using everyday = new Everyday();
  const child = everyday.start('run', '--rm', 'host', 'sh', '-c', "trap '' INT; echo ready; exec sleep 1000");
  child.stdout?.once('data', async () => {
    // Equal signals that wait are one.
    for (let count = 0; count < 3; count++) {
      child.kill('SIGINT');
      await sleep(200);
    }
  });
  assert.equal(await ended(child), 137);
  assert.deepEqual(everyday.names(), []);
});

test('start runs it again, without what it wrote into the host', { skip }, async () => {
  await using everyday = new Everyday();
  everyday.output('run', '-d', '--name', 'again', 'host', 'sh', '-c', 'test -e /left && exit 9; touch /left; exit 8');
  assert.equal(everyday.output('wait', 'again'), '8\n');
  everyday.output('start', 'again');
  assert.equal(everyday.output('wait', 'again'), '8\n');
  assert.equal(everyday.output('inspect', '-f', '{{.RestartCount}}', 'again'), '0\n');
  assert.match(everyday.delos('start', 'nobody').stderr, /no such container/);
});

test('a folder as an image stays as it is; what is written is there at the next start, and for exec', { skip: skip || skipUnless('busybox') }, async () => {
  await using everyday = new Everyday();
  const image = path.join(everyday.data, 'image');
  fs.mkdirSync(path.join(image, 'bin'), { recursive: true });
  fs.copyFileSync('/usr/bin/busybox', path.join(image, 'bin/busybox'));
  fs.symlinkSync('busybox', path.join(image, 'bin/sh'));
  const script = 'busybox cat /count; echo x >> /count; exec busybox sleep 1000';
  everyday.output('run', '-d', '--name', 'counter', image, 'sh', '-c', script);
  while (!fs.readdirSync(path.join(everyday.data, 'containers', everyday.output('ps', '-q', '--no-trunc').trim(), 'layer/upper')).includes('count')) await sleep(20);
  everyday.output('restart', '-t', '0', 'counter');
  while (!everyday.output('logs', 'counter').includes('x')) await sleep(20);
  assert.equal(everyday.output('exec', 'counter', 'busybox', 'cat', '/count'), 'x\nx\n');
  assert.deepEqual(fs.readdirSync(image), ['bin']);
});

test('exec: a second process, its exit code, environment, user and folder', { skip }, async () => {
  await using everyday = new Everyday();
  everyday.output('run', '-d', '--name', 'home', '-e', 'A=1', 'host', 'sleep', '1000');
  const { status, stdout } = everyday.delos('exec', '-e', 'B=2', '-w', '/tmp', '-u', 'nobody', 'home', 'sh', '-c', 'echo $A$B $PWD $(id -u); exit 6');
  assert.deepEqual([status, stdout], [6, '12 /tmp 65534\n']);
  assert.equal(everyday.delos('exec', 'home', 'no-such-program').status, 127);
  assert.equal(everyday.feed('hello', 'exec', '-i', 'home', 'cat').stdout, 'hello');
  assert.match(everyday.output('top', 'home'), /sleep 1000/);
});

test('names are taken once, given back, changed and guessed from', { skip }, async () => {
  await using everyday = new Everyday();
  const id = everyday.output('create', '--name', 'first', 'host', 'true').trim();
  assert.match(everyday.delos('create', '--name', 'first', 'host', 'true').stderr, /the container name 'first' is in use by container [0-9a-f]{12}/);
  everyday.output('rename', 'first', 'second');
  everyday.output('create', '--name', 'first', 'host', 'true');
  assert.deepEqual(everyday.names(), ['first', 'second']);
  assert.equal(everyday.output('inspect', '-f', '{{.Name}}', id.slice(0, 9)), '/second\n');
  assert.equal(everyday.output('ps', '-aq', '--no-trunc', '--filter', 'name=second'), `${id}\n`);
});

test('volumes, tmpfs, a read-only root, a user, an environment file', { skip }, async () => {
  await using everyday = new Everyday();
  const folder = path.join(everyday.data, 'shared');
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(everyday.data, 'vars'), 'GREETING=hello\n');
  const { stdout, status } = everyday.delos(
    'run', '--rm', '--read-only', '--tmpfs', '/tmp', '-v', `${folder}:/data`, '-v', `${folder}:/fixed:ro`, '-v', 'kept:/kept', '--env-file', path.join(everyday.data, 'vars'),
    '--user', '1:2', 'host', 'sh', '-c', 'touch /x 2>/dev/null || echo ro; touch /tmp/y && echo tmp; touch /fixed/z 2>/dev/null || echo fixed; id -u; id -g; echo $GREETING; mount | grep -c " /kept "',
  );
  assert.deepEqual([status, stdout], [0, 'ro\ntmp\nfixed\n1\n2\nhello\n1\n']);
  everyday.output('run', '--rm', '-v', `${folder}:/data`, '-v', 'kept:/kept', 'host', 'sh', '-c', 'echo from > /data/inside; echo v > /kept/file');
  assert.equal(fs.readFileSync(path.join(folder, 'inside'), 'utf8'), 'from\n');
  assert.equal(everyday.output('run', '--rm', '-v', 'kept:/kept', 'host', 'cat', '/kept/file'), 'v\n');
});

test('memory that runs out is said so', { skip }, async () => {
  await using everyday = new Everyday();
  const { status, stderr } = everyday.delos('run', '--name', 'greedy', '--memory', '20m', 'host', 'sh', '-c', 'exec tail /dev/zero');
  assert.equal(status, 137);
  assert.match(stderr, /^delos: container greedy ran out of memory/m);
  assert.equal(everyday.output('inspect', '-f', '{{.State.OOMKilled}} {{.State.ExitCode}}', 'greedy'), 'true 137\n');
});

test('a fork bomb meets the limit of processes', { skip }, async () => {
  await using everyday = new Everyday();
  const { stdout } = everyday.delos('run', '--rm', '--pids-limit', '10', 'host', 'sh', '-c', 'for i in $(seq 40); do sleep 5 & done 2>/dev/null; ls -d /proc/[0-9]* | wc -l');
  const count = Number(stdout || 10);
  assert.ok(count <= 10, stdout);
});

test('pause, unpause, update, stats', { skip }, async () => {
  await using everyday = new Everyday();
  everyday.output('run', '-d', '--name', 'calm', 'host', 'sleep', '1000');
  everyday.output('pause', 'calm');
  assert.equal(everyday.output('ps', '--format', '{{.State}}'), 'paused\n');
  assert.match(everyday.delos('exec', 'calm', 'true').stderr, /paused/);
  everyday.output('unpause', 'calm');
  everyday.output('update', '--memory', '64m', '--pids-limit', '33', 'calm');
  assert.equal(everyday.output('inspect', '-f', '{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}} {{index .Isolation.Cgroup.Limits "pids.max"}}', 'calm'), '67108864 33 33\n');
  assert.match(everyday.output('stats', '--no-stream', '--format', '{{.Name}} {{.MemUsage}} {{.PIDs}}'), /^calm \S+ \/ 64MiB 1\n$/);
});

test('--init: a hundred orphans leave no zombie', { skip }, async () => {
  await using everyday = new Everyday();
  const script = 'for i in $(seq 100); do (sh -c "sleep 0.1" & ) ; done; sleep 0.6; ps -eo stat= | grep -c Z; ps -o comm= -p 1';
  assert.equal(everyday.output('run', '--rm', '--init', 'host', 'sh', '-c', `${script}; true`), '0\ninit\n');
});

test('an OCI bundle is the base, flags go over it', { skip }, async () => {
  await using everyday = new Everyday();
  const bundle = path.join(everyday.data, 'bundle');
  fs.mkdirSync(path.join(bundle, 'rootfs'), { recursive: true });
  fs.writeFileSync(path.join(bundle, 'config.json'), JSON.stringify({
    ociVersion: '1.2.0', hostname: 'base', root: { path: '/' },
    process: { args: ['sh', '-c', 'hostname; echo $A $B; pwd'], cwd: '/usr', env: ['PATH=/bin:/usr/bin', 'A=base', 'B=base'], user: { uid: 0, gid: 0 } },
    mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }],
    linux: { namespaces: [{ type: 'mount' }, { type: 'pid' }, { type: 'uts' }] },
  }));
  assert.equal(everyday.output('run', '--rm', bundle), 'base\nbase base\n/usr\n');
  assert.equal(everyday.output('run', '--rm', '--hostname', 'flag', '-e', 'B=flag', '-w', '/', bundle), 'flag\nbase flag\n/\n');
});

test('twenty at once, and nothing is left', { skip }, async () => {
  const before = leaks();
  {
    await using everyday = new Everyday();
    const children = Array.from({ length: 20 }, (_, index) => everyday.start('run', ...(index % 2 === 0 ? ['-d'] : []), '--rm', 'host', 'sh', '-c', `exit ${index}`));
    const codes = await Promise.all(children.map(ended));
    assert.deepEqual(codes, Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? 0 : index)));
    // The detached ones clear up after themselves.
    for (let i = 0; i < 100 && everyday.names().length > 0; i++) await sleep(50);
    assert.deepEqual(everyday.names(), []);
  }
  await assertNoLeaks(before);
});

test('a killed monitor loses the exit code and nothing else', { skip }, async () => {
  await using everyday = new Everyday();
  everyday.output('run', '-d', '--name', 'orphan', 'host', 'sleep', '1000');
  const pid = Number(everyday.output('inspect', '-f', '{{.State.Pid}}', 'orphan'));
  const parent = Number(/^PPid:\t(\d+)$/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  process.kill(parent, 'SIGKILL');
  assert.equal(everyday.output('ps', '--format', '{{.Names}} {{.State}}'), 'orphan running\n');
  everyday.output('stop', '-t', '0', 'orphan');
  assert.equal(everyday.output('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'orphan'), 'exited 255\n');
  everyday.output('start', 'orphan');
  assert.equal(everyday.output('ps', '--format', '{{.Names}} {{.State}}'), 'orphan running\n');
});

test('a killed delos run leaves nothing, when its container has ended', { skip }, async () => {
  const before = leaks();
  {
    await using everyday = new Everyday();
    const child = everyday.start('run', '--rm', '--name', 'left', 'host', 'sleep', '1');
    while (everyday.output('ps', '--format', '{{.State}}') !== 'running\n') await sleep(20);
    child.kill('SIGKILL');
    await ended(child);
    for (let i = 0; i < 100 && everyday.names().length > 0; i++) await sleep(50);
    assert.deepEqual(everyday.names(), []);
  }
  await assertNoLeaks(before);
});

test('explain prints the plan and runs nothing', { skip }, async () => {
  await using everyday = new Everyday();
  const text = everyday.output('explain', 'run', '--hostname', 'oracle', 'host', 'touch', '/tmp/never');
  assert.match(text, /sethostname\(name: "oracle"/);
  const plan = JSON.parse(everyday.output('run', '--explain=json', 'host', 'true')) as object;
  assert.ok(Object.keys(plan).length > 0);
  assert.deepEqual(everyday.names(), []);
});

test('doctor and ns look at this host', { skip }, async () => {
  await using everyday = new Everyday();
  const { ok, checks } = JSON.parse(everyday.output('doctor', '--json')) as { ok: boolean; checks: { name: string; state: string }[] };
  assert.equal(ok, true);
  assert.ok(checks.some(({ name, state }) => name === 'namespaces' && state === 'fine'));
  assert.match(everyday.output('ns', 'types'), /^CLONE_NEWTIME +0x00000080 +\/proc\/PID\/ns\/time/m);
  everyday.output('run', '-d', '--name', 'deep', 'host', 'sleep', '1000');
  const shown = everyday.output('ns', 'show', 'deep');
  assert.match(shown, /^Namespaces for PID \d+:\n/);
  assert.match(shown, /^Nesting depth: 2$/m);
  assert.match(everyday.output('ns', 'show', String(process.pid)), /^Nesting depth: 1$/m);
});
