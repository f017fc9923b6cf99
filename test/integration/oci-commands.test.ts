import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeBundle, script, type Bundle } from '../support/bundle.ts';
import { runDelos, runtime, startDelos, storeRoot, type Outcome, type RunOptions } from '../support/delos.ts';
import { assertNoLeaks, leaks, type Leaks } from '../support/leaks.ts';
import { newId } from '../support/marker.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'busybox', 'cgroups', 'ps');
const sleeps = script('echo begun > /begun; exec sleep 300');

function succeeds(args: readonly string[], options: RunOptions = {}): string {
  const { status, stdout, stderr } = runDelos(args, options);
  assert.deepEqual({ args, status, stderr }, { args, status: 0, stderr: '' });
  return stdout;
}

function refuses(args: readonly string[], message: RegExp, code = 1): void {
  const { status, stdout, stderr } = runDelos(args);
  assert.deepEqual({ args, status, stdout }, { args, status: code, stdout: '' });
  assert.match(stderr, /^time="[^"]+" level=error msg=.*\n$/);
  assert.match(stderr, message);
}

/** `create`: the container keeps the stdio, so it is given none that anybody waits for. */
function create(context: TestContext, bundle: Bundle, ...flags: string[]): string {
  const id = newId();
  context.after(() => runDelos(['delete', '--force', id]));
  const log = path.join(bundle.path, 'create.log');
  const [program = '', ...words] = [...runtime, '--root', storeRoot, '--log', log, 'create', '--bundle', bundle.path, ...flags, id];
  const { status } = spawnSync(program, words, { stdio: 'ignore', timeout: 20_000 });
  assert.equal(status, 0, fs.existsSync(log) ? fs.readFileSync(log, 'utf8') : 'no log');
  return id;
}

interface State {
  readonly pid: number;
  readonly status: string;
}

function stateOf(id: string): State {
  return JSON.parse(succeeds(['state', id])) as State;
}

/** What is there before a test, when all that belongs to the one before has gone. */
async function leaksBefore(): Promise<Leaks> {
  await until(() => leaks().processes.length === 0);
  return leaks();
}

async function until(isSo: () => boolean): Promise<void> {
  for (const end = performance.now() + 5000; !isSo(); await sleep(20)) assert.ok(performance.now() < end, 'not within 5 s');
}

test('a whole life: create, start, kill, delete', { skip }, async (context) => {
  const before = await leaksBefore();
  using bundle = makeBundle((config) => ({ ...(sleeps(config) as object), annotations: { 'org.delos.test': 'yes' } }));
  const pidFile = path.join(bundle.path, 'pid');
  const id = create(context, bundle, '--pid-file', pidFile);
  const created = stateOf(id);
  assert.deepEqual(Object.keys(created), ['ociVersion', 'id', 'pid', 'status', 'bundle', 'rootfs', 'created', 'annotations', 'owner']);
  assert.equal(created.status, 'created');
  assert.equal(Number(fs.readFileSync(pidFile, 'utf8')), created.pid);
  assert.ok(!fs.existsSync(path.join(bundle.rootfs, 'begun')));
  succeeds(['start', id]);
  await until(() => fs.existsSync(path.join(bundle.rootfs, 'begun')));
  assert.deepEqual(stateOf(id), { ...created, status: 'running' });
  refuses(['start', id], /cannot start an already running container/);
  refuses(['delete', id], /cannot delete container .* that is not stopped: running/);
  refuses(['create', '--bundle', bundle.path, id], /container with given ID already exists/);
  succeeds(['kill', id, 'KILL']);
  await until(() => stateOf(id).status === 'stopped');
  assert.deepEqual(stateOf(id), { ...created, status: 'stopped', pid: 0 });
  refuses(['kill', id], /container not running/);
  refuses(['start', id], /cannot start a container that has stopped/);
  refuses(['exec', id, 'true'], /cannot exec in a stopped container/, 255);
  succeeds(['delete', id]);
  refuses(['state', id], /does not exist/);
  await assertNoLeaks(before);
});

test('kill knows signals by name and number, TERM by default, and --all', { skip }, async (context) => {
  using bundle = makeBundle(script('trap "echo term >> /got" TERM; trap "echo usr1 >> /got" USR1; echo begun > /begun; while :; do sleep 0.05; done'));
  const id = create(context, bundle);
  const got = path.join(bundle.rootfs, 'got');
  const lines = (): string => (fs.existsSync(got) ? fs.readFileSync(got, 'utf8') : '');
  succeeds(['start', id]);
  await until(() => fs.existsSync(path.join(bundle.rootfs, 'begun')));
  let expected = '';
  for (const [signal, line] of [['', 'term'], ['SIGTERM', 'term'], ['usr1', 'usr1'], ['10', 'usr1']] as const) {
    succeeds(signal === '' ? ['kill', id] : ['kill', id, signal]);
    expected += `${line}\n`;
    await until(() => lines() === expected);
  }
  succeeds(['kill', '--all', id, '9']);
  await until(() => stateOf(id).status === 'stopped');
});

test('exec: flags, files, exit codes', { skip }, async (context) => {
  const before = await leaksBefore();
  using bundle = makeBundle(sleeps);
  const id = create(context, bundle);
  succeeds(['start', id]);
  const sh = (flags: readonly string[], text: string): Outcome => runDelos(['exec', ...flags, id, 'sh', '-c', text]);
  assert.equal(sh([], 'exit 7').status, 7);
  assert.equal(sh([], 'kill -9 $$').status, 128 + 9);
  assert.equal(sh(['--user', '1000:1000', '--additional-gids', '10', '--cwd', '/tmp', '--env', 'A=b c'], 'echo $(id -u) $(id -g) $(id -G) $PWD "$A"').stdout, '1000 1000 1000 10 /tmp b c\n');
  assert.match(sh(['--cap', 'CAP_SYS_TIME'], 'grep CapBnd /proc/self/status').stdout, /CapBnd:\t0000000022000420\n/);
  assert.equal(runDelos(['exec', id, 'cat'], { input: 'through\n' }).stdout, 'through\n');
  refuses(['exec', id, 'nosuch'], /exec: \\"nosuch\\": executable file not found in \$PATH/, 255);
  refuses(['exec', id], /process args cannot be empty/, 255);
  refuses(['exec', '--tty', '--detach', id, 'true'], /cannot allocate tty if the process is detached without a console socket/, 255);
  const file = path.join(bundle.path, 'process.json');
  fs.writeFileSync(file, JSON.stringify({ args: ['sh', '-c', 'echo $X; exit 3'], cwd: '/', env: ['X=from file', 'PATH=/bin'] }));
  const { status, stdout } = runDelos(['exec', '--process', file, id]);
  assert.deepEqual({ status, stdout }, { status: 3, stdout: 'from file\n' });
  fs.writeFileSync(file, '{"args": 5}');
  refuses(['exec', '--process', file, id], /process\.args/, 255);
  succeeds(['delete', '--force', id]);
  await assertNoLeaks(before);
});

test('exec --detach returns at once, with the pid in a file', { skip }, async (context) => {
  using bundle = makeBundle(sleeps);
  const id = create(context, bundle);
  succeeds(['start', id]);
  const pidFile = path.join(bundle.path, 'pid');
  const [program = '', ...words] = [...runtime, '--root', storeRoot, 'exec', '--detach', '--pid-file', pidFile, id, 'sleep', '200'];
  assert.equal(spawnSync(program, words, { stdio: 'ignore', timeout: 20_000 }).status, 0);
  const pid = Number(fs.readFileSync(pidFile, 'utf8'));
  const pids = JSON.parse(succeeds(['ps', '--format', 'json', id])) as number[];
  assert.deepEqual(pids.toSorted((a, b) => a - b), [stateOf(id).pid, pid].toSorted((a, b) => a - b));
  await until(() => succeeds(['ps', id, '-o', 'pid,args']).includes('sleep 200'));
});

test('pause stops it, exec says so, resume goes on', { skip }, (context) => {
  using bundle = makeBundle(sleeps);
  const id = create(context, bundle);
  refuses(['resume', id], /container not paused/);
  succeeds(['start', id]);
  succeeds(['pause', id]);
  assert.equal(stateOf(id).status, 'paused');
  refuses(['pause', id], /container not running/);
  refuses(['exec', id, 'true'], /cannot exec in a paused container \(use --ignore-paused to override\)/, 255);
  succeeds(['resume', id]);
  assert.equal(stateOf(id).status, 'running');
});

test('list tells of all containers, ps of one\'s processes', { skip }, (context) => {
  using bundle = makeBundle(sleeps);
  const id = create(context, bundle);
  const { pid } = stateOf(id);
  const [header, ...rows] = succeeds(['list']).trimEnd().split('\n').map((line) => line.split(/ +/));
  assert.deepEqual(header, ['ID', 'PID', 'STATUS', 'BUNDLE', 'CREATED', 'OWNER']);
  assert.deepEqual(rows.map((row) => row.slice(0, 4)), [[id, String(pid), 'created', bundle.path]]);
  assert.equal(succeeds(['list', '--quiet']), `${id}\n`);
  assert.deepEqual(JSON.parse(succeeds(['list', '--format', 'json'])), [stateOf(id)]);
  assert.deepEqual(JSON.parse(succeeds(['ps', '--format', 'json', id])), [pid]);
});

test('update changes a limit, events --stats shows it', { skip }, (context) => {
  using bundle = makeBundle(sleeps);
  const id = create(context, bundle);
  const stats = (): { type: string; id: string; data: { pids: { current: number; limit?: number }; memory: { usage: { limit: number } } } } =>
    JSON.parse(succeeds(['events', '--stats', id]));
  succeeds(['update', '--pids-limit', '23', '--memory', '64M', id]);
  const { type, id: subject, data } = stats();
  assert.deepEqual({ type, subject }, { type: 'stats', subject: id });
  assert.deepEqual([data.pids.limit, data.memory.usage.limit], [23, 64 * 2 ** 20]);
  succeeds(['update', '--resources', '-', id], { input: '{"pids": {"limit": 42}}' });
  assert.equal(stats().data.pids.limit, 42);
  refuses(['update', '--pids-limit', 'many', id], /invalid/);
});

test('run: output, exit code, nothing left; --keep and --detach', { skip }, async (context) => {
  const before = await leaksBefore();
  using bundle = makeBundle(script('echo out; echo err >&2; exit 5'));
  const id = newId();
  context.after(() => runDelos(['delete', '--force', id]));
  const { status, stdout, stderr } = runDelos(['run', id], { bundle });
  assert.deepEqual({ status, stdout, stderr }, { status: 5, stdout: 'out\n', stderr: 'err\n' });
  refuses(['state', id], /does not exist/);
  assert.equal(runDelos(['run', '--keep', id], { bundle }).status, 5);
  assert.equal(stateOf(id).status, 'stopped');
  succeeds(['delete', id]);
  bundle.configure(sleeps);
  const [program = '', ...words] = [...runtime, '--root', storeRoot, 'run', '--detach', '--bundle', bundle.path, id];
  assert.equal(spawnSync(program, words, { stdio: 'ignore', timeout: 20_000 }).status, 0);
  assert.equal(stateOf(id).status, 'running');
  succeeds(['delete', '--force', id]);
  await assertNoLeaks(before);
});

test('run hands its signals on, and has the exit code of the program', { skip }, async (context) => {
  using bundle = makeBundle(script('trap "exit 9" TERM; echo begun > /begun; while :; do sleep 0.05; done'));
  const id = newId();
  context.after(() => runDelos(['delete', '--force', id]));
  const { child, outcome } = startDelos(['run', id], { bundle });
  await until(() => fs.existsSync(path.join(bundle.rootfs, 'begun')));
  child.kill('SIGTERM');
  assert.deepEqual(await outcome, { status: 9, signal: null, stdout: '', stderr: '' });
  refuses(['state', id], /does not exist/);
});

test('a terminal without anybody to hold it is refused', { skip }, () => {
  using bundle = makeBundle((config) => ({ ...config, process: { ...config.process, terminal: true } }));
  const id = newId();
  refuses(['create', '--bundle', bundle.path, id], /cannot allocate tty if the container is detached without a console socket/);
  refuses(['state', id], /does not exist/);
});

test('a create that fails leaves nothing', { skip }, async () => {
  const before = await leaksBefore();
  using bundle = makeBundle((config) => ({ ...config, process: { ...config.process, args: ['/no/such/program'] } }));
  const { status, stderr } = runDelos(['create', newId()], { bundle });
  assert.equal(status, 1);
  assert.match(stderr, /level=error msg=".*no such file or directory/);
  assert.deepEqual(runDelos(['create', newId()], { cwd: '/proc' }).status, 1);
  await assertNoLeaks(before);
});

test('descriptors of --preserve-fds and of socket activation reach the container', { skip }, () => {
  using bundle = makeBundle(script('echo $LISTEN_FDS; cat /dev/fd/3 /dev/fd/4; ls /proc/self/fd | grep -c "^[5-9]$"'));
  for (const name of ['first', 'second', 'third']) fs.writeFileSync(path.join(bundle.path, name), `${name}\n`);
  const [program = '', ...words] = [...runtime, '--root', storeRoot, 'run', '--bundle', bundle.path, '--preserve-fds', '1', newId()];
  const files = ['first', 'second', 'third'].map((name) => fs.openSync(path.join(bundle.path, name), 'r'));
  const { stdout, stderr } = spawnSync(program, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe', ...files], env: { ...process.env, LISTEN_FDS: '1' } });
  for (const fd of files) fs.closeSync(fd);
  // The last digit counts what `ls` itself opens; a third file would be one more.
  assert.deepEqual({ stdout, stderr }, { stdout: '1\nfirst\nsecond\n1\n', stderr: '' });
});

test('--explain prints the plan and makes nothing', { skip }, async () => {
  const before = await leaksBefore();
  using bundle = makeBundle();
  const explained = (format: string): string => {
    const [program = '', ...words] = [...runtime, '--root', storeRoot, format, 'create', '--bundle', bundle.path, newId()];
    const { status, stdout, stderr } = spawnSync(program, words, { encoding: 'utf8' });
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    return stdout;
  };
  assert.match(explained('--explain'), /\n {2}clone3\(/);
  assert.equal(typeof JSON.parse(explained('--explain=json')), 'object');
  await assertNoLeaks(before);
});

test('the caller\'s descriptors stay as they are: nothing makes them non-blocking', { skip }, () => {
  using bundle = makeBundle(sleeps);
  // Standard output is a pipe whose flags the shell's child looks at after each command.
  const command = [...runtime, '--root', storeRoot].map((word) => `'${word}'`).join(' ');
  const flags = `awk '/^flags/ { print $2 }' /proc/self/fdinfo/1`;
  const shell = `${flags}; ${command} state nope 2>&1 | cat >/dev/null; ${command} list >&2; ${command} run --bundle '${bundle.path}' --bogus x; ${flags}`;
  const { stdout } = spawnSync('sh', ['-c', shell], { encoding: 'utf8' });
  const [first, last] = [stdout.split('\n')[0], stdout.trimEnd().split('\n').at(-1)];
  assert.equal(last, first);
});
