import assert from 'node:assert/strict';
import fs from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { create, explain, run, type ContainerOptions, type RunOptions } from '../../src/index.ts';
import { makeBundle } from '../support/bundle.ts';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { marker } from '../support/marker.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'cgroups', 'busybox');
let count = 0;

/** A container of the host's files that the leak check can tell from others'. */
function host(command: string, more: Partial<ContainerOptions> = {}): ContainerOptions {
  return { image: 'host', command: ['sh', '-c', command], id: `${marker}-${++count}`, ...more };
}

async function output(command: string, more: Partial<RunOptions> = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await run({ ...host(command), ...more });
  assert.equal(stderr.toString(), '');
  assert.equal(exitCode, 0);
  return stdout.toString().trimEnd();
}

test('run() gives exit code, both outputs and the time', { skip }, async () => {
  const failed = await run(host('echo out; echo err >&2; exit 7'));
  assert.deepEqual({ ...failed, durationMs: 0 }, {
    exitCode: 7, oomKilled: false, timedOut: false, truncated: false, stdout: Buffer.from('out\n'), stderr: Buffer.from('err\n'), durationMs: 0,
  });
  assert.ok(failed.durationMs > 0);
});

test('the options do what they say', { skip }, async () => {
  assert.equal(await output('echo $A-$HOME; pwd; id -u; id -g; hostname', { env: { A: 'a b' }, cwd: '/tmp', user: '1234:99', hostname: 'island' }), 'a b-/\n/tmp\n1234\n99\nisland');
  assert.equal(await output('env | grep -c DELOS_SECRET || true', { env: {} }), '0');
  assert.equal(await output('touch /x 2>/dev/null || echo refused', { readonly: true }), 'refused');
  assert.equal(await output('grep -c . /proc/net/dev'), '3', 'two lines of heading and the loopback interface');
  assert.equal(await output('grep -c : /proc/net/dev', { network: 'host' }), String(fs.readFileSync('/proc/net/dev', 'utf8').match(/:/g)?.length));
  assert.equal(await output('grep -c "^tmpfs /scratch tmpfs.*size=1024k" /proc/mounts', { tmpfs: ['/scratch:size=1m'] }), '1');
  assert.equal(await output('grep NoNewPrivs /proc/self/status; grep Seccomp: /proc/self/status'), 'NoNewPrivs:\t1\nSeccomp:\t2');
  assert.equal(await output('grep Seccomp: /proc/self/status', { seccomp: 'unconfined' }), 'Seccomp:\t0');
  assert.equal(await output('grep CapEff /proc/self/status', { capDrop: ['ALL'], capAdd: ['KILL'] }), 'CapEff:\t0000000000000020');
});

test('a seccomp profile of the caller is obeyed', { skip }, async () => {
  const seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 95 }] };
  const { exitCode, stderr } = await run(host('mkdir /tmp/new', { seccomp }));
  assert.notEqual(exitCode, 0);
  assert.match(stderr.toString(), /not supported/);
});

test('a mount is there, and read-only where it should be', { skip }, async () => {
  using bundle = makeBundle((config) => config);
  fs.writeFileSync(`${bundle.path}/given, "quoted"`, 'x');
  const mounts = [{ source: `${bundle.path}/given, "quoted"`, target: '/mnt/file', readonly: true }];
  assert.equal(await output('cat /mnt/file; echo y 2>/dev/null > /mnt/file || echo refused', { mounts }), 'xrefused');
});

test('limits reach the cgroup', { skip }, async () => {
  await using container = await create(host('sleep 100', { memory: '32m', pids: 7, cpus: 0.5 }));
  await container.start();
  const stats = await container.stats();
  assert.equal(stats.memory.usage.limit, 32n * 1024n * 1024n);
  assert.equal(stats.pids.limit, 7n);
  await container.update({ memory: 48 * 1024 * 1024, pids: 9 });
  const after = await container.stats();
  assert.equal(after.memory.usage.limit, 48n * 1024n * 1024n);
  assert.equal(after.pids.limit, 9n);
});

test('a bundle brings its own configuration', { skip }, async () => {
  using bundle = makeBundle((config) => ({ ...config, process: { ...config.process, args: ['sh', '-c', 'echo $A; exit 5'], env: ['PATH=/bin', 'A=1'] } }));
  const id = `${marker}-bundle`;
  const plain = await run({ image: bundle.path, id });
  assert.deepEqual([plain.exitCode, plain.stdout.toString()], [5, '1\n']);
  const changed = await run({ image: bundle.path, id, env: { A: '2' }, command: ['sh', '-c', 'echo $A'] });
  assert.deepEqual([changed.exitCode, changed.stdout.toString()], [0, '2\n']);
  await assert.rejects(run({ image: bundle.path, network: 'host' }), { code: 'bad-usage', message: /^network: / });
});

test('stdin: text, bytes, a stream, nothing, and more than the program reads', { skip }, async () => {
  assert.equal(await output('cat', { stdin: 'text' }), 'text');
  assert.equal(await output('cat', { stdin: new Uint8Array([104, 105]) }), 'hi');
  assert.equal(await output('cat', { stdin: Readable.from(['a', 'b']) }), 'ab');
  assert.equal(await output('cat'), '');
  assert.equal(await output('head -c 3', { stdin: 'y'.repeat(1_000_000) }), 'yyy');
});

test('a slow stream for the output holds the program back, and gets all of it', { skip }, async () => {
  let bytes = 0;
  const slow = new Writable({ highWaterMark: 1, write(chunk: Buffer, _, done) { bytes += chunk.length; setTimeout(done, 1); } });
  const { exitCode, stdout } = await run({ ...host('head -c 1000000 /dev/zero'), stdout: slow });
  assert.deepEqual([exitCode, stdout.length, bytes, slow.destroyed], [0, 0, 1_000_000, false]);
});

test('a stream for the output that fails ends the container with its error', { skip }, async () => {
  const before = leaks();
  const broken = new Writable({ write: (_, __, done) => done(new Error('full')) });
  await assert.rejects(run({ ...host('yes'), stdout: broken }), /full/);
  const closed = new Writable({ write: (_, __, done) => done() });
  closed.destroy();
  await assert.rejects(run({ ...host('yes'), stdout: closed }), { code: 'io' });
  await assertNoLeaks(before);
});

const refused: readonly [string, Partial<ContainerOptions>, RegExp][] = [
  ['no such image', { image: '/no/such/folder' }, /image "\/no\/such\/folder": expected 'host'/],
  ['an id that is none', { id: '../x' }, /invalid container ID format/],
  ['a size that is none', { memory: '12 apples' }, /invalid size '12 apples'/],
  ['a size below zero', { memory: -1 }, /memory: expected bytes/],
  ['too many processors', { cpus: 100_000 }, /CPUs/],
  ['a variable without a name', { env: { '': 'x' } }, /env: expected a name/],
  ['a relative directory', { cwd: 'tmp' }, /expected an absolute path/],
  ['a capability there is not', { capAdd: ['FLY'] }, /no such capability/],
  ['no command', { command: [] }, /no command/],
];

for (const [name, options, message] of refused) {
  test(`refused: ${name}`, { skip }, async () => {
    const before = leaks();
    await assert.rejects(run({ ...host('true'), ...options }), (error: Error) => error.name === 'DelosError' && message.test(error.message));
    await assertNoLeaks(before);
  });
}

test('an aborted signal kills at any moment, and nothing is left', { skip }, async () => {
  await run(host('true'));
  const before = leaks();
  const reason = new Error('enough');
  await assert.rejects(run(host('true'), { signal: AbortSignal.abort(reason) }), reason);
  for (const afterMs of [0, 1, 2, 3, 5, 8, 13, 21, 34]) {
    const controller = new AbortController();
    const running = run(host('sleep 100'), { signal: controller.signal });
    setTimeout(() => controller.abort(reason), afterMs);
    await assert.rejects(running, reason);
  }
  await assertNoLeaks(before);
});

test('a time-out kills processes in the background too', { skip }, async () => {
  const before = leaks();
  const result = await run({ ...host('(trap "" TERM; sleep 100) & sleep 100'), timeoutMs: 100 });
  assert.deepEqual([result.timedOut, result.exitCode, result.signal], [true, 137, 'SIGKILL']);
  await assertNoLeaks(before);
});

test('create(): built, started, waited for, and gone at the end of the block', { skip }, async () => {
  const before = leaks();
  {
    await using container = await create(host('cat; exit 3'));
    assert.equal((await container.inspect()).status, 'created');
    assert.equal(fs.readFileSync(`/proc/${container.pid}/stat`, 'utf8').split(' ')[0], String(container.pid));
    await container.start();
    await assert.rejects(container.start(), { code: 'wrong-state' });
    await assert.rejects(container.wait({ signal: AbortSignal.timeout(20) }), { name: 'TimeoutError' });
    container.stdin.end('through');
    assert.equal(Buffer.concat(await container.stdout.toArray()).toString(), 'through');
    assert.deepEqual(await container.wait(), { exitCode: 3, oomKilled: false });
    assert.equal((await container.inspect()).status, 'stopped');
  }
  await assertNoLeaks(before);
});

test('create(): a block that throws leaves nothing', { skip }, async () => {
  const before = leaks();
  await assert.rejects(async () => {
    await using container = await create(host('sleep 100'));
    await container.start();
    throw new Error('mine');
  }, /mine/);
  await assertNoLeaks(before);
});

test('create(): what cannot be built is refused and leaves nothing', { skip }, async () => {
  const before = leaks();
  await assert.rejects(create(host('', { command: ['no-such-program'] })), { code: 'kernel-refused', message: /executable file not found/ });
  const id = `${marker}-twice`;
  {
    await using _ = await create(host('sleep 1', { id }));
    await assert.rejects(create(host('true', { id })), { code: 'exists' });
  }
  await assertNoLeaks(before);
});

test('exec(): output, environment, time-outs, and a child that outlives it', { skip }, async () => {
  await using container = await create(host('sleep 100', { env: { A: '1', B: '1' } }));
  await container.start();
  const told = await container.exec({ command: ['sh', '-c', 'echo $A$B; id -u; exit 4'], env: { B: '2' }, user: { uid: 65534, gid: 65534 } });
  assert.deepEqual([told.exitCode, told.stdout.toString()], [4, '12\n65534\n']);
  const late = await container.exec({ command: ['sh', '-c', 'echo begun; sleep 100 & sleep 100'], timeoutMs: 150 });
  assert.deepEqual([late.timedOut, late.exitCode, late.stdout.toString()], [true, 137, 'begun\n']);
  await assert.rejects(container.exec({ command: ['no-such-program'] }), { code: 'kernel-refused' });
  await assert.rejects(container.exec({ command: ['sleep', '100'] }, { signal: AbortSignal.timeout(50) }), { name: 'TimeoutError' });
  assert.equal((await container.inspect()).status, 'running', 'the container itself goes on');
});

test('pause(), resume() and kill()', { skip }, async () => {
  await using container = await create(host('trap "exit 9" TERM; while :; do sleep 0.01; done'));
  await container.start();
  await container.pause();
  assert.equal((await container.inspect()).status, 'paused');
  await container.resume();
  await sleep(50);
  await container.kill('SIGTERM');
  assert.equal((await container.wait()).exitCode, 9);
  await assert.rejects(container.kill(), { code: 'wrong-state' });
  await container.remove();
  await container.remove();
  await assert.rejects(container.inspect(), { code: 'not-found' });
});

test('explain() runs nothing', { skip }, () => {
  const before = leaks();
  const { steps, text } = explain(host('true', { hostname: 'island' }));
  assert.ok(steps.some(({ call, why }) => call === 'sethostname' && why === '/hostname'));
  assert.match(text, /sethostname\(.*"island"/);
  assert.deepEqual(leaks(), before);
});

test("exec() is in the container's root, not in this machine's", { skip }, async () => {
  const name = `/${marker}-in-the-root`;
  await using container = await create(host('sleep 60'));
  await container.start();
  const { stdout, stderr } = await container.exec({ command: ['sh', '-c', `touch ${name}; stat -f -c %T /`] });
  assert.deepEqual([stdout.toString(), stderr.toString()], ['overlayfs\n', '']);
  assert.ok(!fs.existsSync(name));
  assert.equal((await container.exec({ command: ['ls', name] })).exitCode, 0);
});
