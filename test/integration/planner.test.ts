import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildOf } from '../../src/cli/oci/planner/build.ts';
import { coldAnswer, encodeRequest } from '../../src/cli/oci/planner/protocol.ts';
import { makeBundle, script } from '../support/bundle.ts';
import { until } from '../support/container.ts';
import { marker, newId } from '../support/marker.ts';
import { cold, PlannerStage } from '../support/planner-stage.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'busybox', 'cgroups', 'unshare', 'nsenter', 'setpriv');

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

test('of planners that start at once one listens and the others end quietly, also when the one is killed', { skip }, async () => {
  await using stage = await PlannerStage.open();
  for (let round = 0; round < 3; round++) {
    const planners = Array.from({ length: 6 }, () => stage.startPlanner());
    await until('all but one have ended', () => planners.filter(hasEnded).length === 5, 20_000);
    assert.ok(planners.every(({ exitCode }) => exitCode === null || exitCode === 0));
    assert.ok(stage.isWarm(), 'the one that is left answers');
    const winner = planners.find((child) => !hasEnded(child));
    winner?.kill(round === 1 ? 'SIGTERM' : 'SIGKILL');
    await until('it has ended', () => planners.every(hasEnded));
    assert.equal(fs.existsSync(stage.socket), round !== 1, 'one that is told to end leaves no socket');
    assert.ok(!stage.isWarm());
  }
  assert.deepEqual(fs.readdirSync(stage.folder), ['planner.sock']);
});

test('a planner whose folder was removed leaves the socket of its successor alone', { skip }, async () => {
  await using stage = await PlannerStage.open();
  const first = await stage.planner();
  // A tmpfs is the folder itself here, so the socket goes and another is put in its place.
  fs.rmSync(stage.socket);
  fs.writeFileSync(stage.socket, '');
  first.kill('SIGTERM');
  await once(first, 'exit');
  assert.ok(fs.existsSync(stage.socket));
});

test('what a planner makes lets containers pass through', { skip }, async () => {
  await using stage = await PlannerStage.open();
  const folder = path.join(stage.build, 'run');
  const env = { ...process.env, XDG_RUNTIME_DIR: folder };
  fs.mkdirSync(folder);
  fs.chmodSync(stage.build, 0o755);
  fs.chownSync(folder, 65534, 65534);
  const [program = '', ...args] = stage.command('setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', path.resolve(import.meta.dirname, '../../build/node'), path.join(stage.build, 'delos-oci.cjs'), 'planner', '--idle', '2s');
  const child = spawn(program, args, { stdio: 'ignore', env });
  await until('it listens', () => fs.existsSync(path.join(folder, 'delos/planner.sock')));
  assert.equal(fs.statSync(path.join(folder, 'delos')).mode & 0o777, 0o711);
  assert.equal(fs.statSync(path.join(folder, 'delos/planner.sock')).mode & 0o777, 0o600);
  child.kill();
  await once(child, 'exit');
});

test('a planner that cannot have its socket says so in one line', { skip }, async () => {
  await using stage = await PlannerStage.open();
  const long = path.join(stage.build, 'x'.repeat(100));
  const node = path.resolve(import.meta.dirname, '../../build/node');
  for (const folder of [long, stage.build]) {
    const [program = '', ...args] = stage.command('setpriv', '--reuid=65534', node, path.join(stage.build, 'delos-oci.cjs'), 'planner');
    fs.chmodSync(stage.build, 0o755);
    const { status, stderr } = spawnSync(program, args, { encoding: 'utf8', env: { ...process.env, XDG_RUNTIME_DIR: folder }, timeout: 10_000 });
    assert.equal(status, 1);
    assert.match(stderr, /^time=\S+ level=error msg="[^\n]*delos[^\n]*"\n$/);
  }
});

test('another build is not answered; one that is newer, or in its place, ends the planner', { skip }, async () => {
  await using stage = await PlannerStage.open();
  const old = await stage.planner();
  const other = path.join(stage.build, 'other');
  const bundle = path.join(stage.build, 'delos-oci.main.cjs');
  fs.mkdirSync(other);
  fs.copyFileSync(path.join(stage.build, 'delos-oci'), path.join(other, 'delos-oci'));
  fs.linkSync(bundle, path.join(other, 'delos-oci.main.cjs'));
  // A link changes st_ctim, and with it the build: the next front ends the planner, and another can start.
  assert.ok(!stage.isWarm());
  await until('the old planner ends', () => hasEnded(old));
  const next = await stage.planner();
  fs.copyFileSync(bundle, `${bundle}.new`);
  fs.renameSync(`${bundle}.new`, bundle);
  const last = await stage.planner();
  await until('it has made room', () => hasEnded(next));
  assert.equal(next.exitCode, 0);
  assert.ok(!hasEnded(last) && stage.isWarm());
});

test('who is not of the same user or has other capabilities is not answered', { skip }, async () => {
  await using stage = await PlannerStage.open();
  await stage.planner();
  fs.chmodSync(stage.build, 0o755);
  const other = ['setpriv', '--reuid=65534', '--inh-caps=+dac_override', '--ambient-caps=+dac_override'];
  const found = stage.run(['state', 'nobody'], other, { ...process.env, XDG_RUNTIME_DIR: '/run' });
  assert.deepEqual({ status: found.status, stderr: found.stderr }, cold, 'the front sees that the planner is not its own');
  const build = buildOf(path.join(stage.build, 'delos-oci.main.cjs'));
  assert.ok(build);
  const request = Buffer.from(encodeRequest({ build, cwd: '/', argv: ['state', 'nobody'], env: {} })).toString('base64');
  const client = `const c = require('net').connect('/run/delos/planner.sock', () => c.write(Buffer.from('${request}', 'base64'))); c.on('data', (d) => console.log(d.toString('hex')));`;
  const node = [path.resolve(import.meta.dirname, '../../build/node'), '-e', client];
  const ask = (through: readonly string[]): string => {
    const [program = '', ...args] = stage.command(...through, ...node);
    return spawnSync(program, args, { encoding: 'utf8', timeout: 10_000 }).stdout.trim();
  };
  const refusal = Buffer.from(coldAnswer).toString('hex');
  assert.notEqual(ask([]), refusal);
  assert.equal(ask(other), refusal);
  assert.equal(ask(['setpriv', '--bounding-set=-sys_time']), refusal);
  assert.equal(ask(['unshare', '--net']), refusal);
});

test('requests of any form: large ones go cold, strange environments do not matter, what is no request is closed', { skip }, async () => {
  await using stage = await PlannerStage.open();
  const planner = await stage.planner();
  const words = (count: number): string[] => ['state', 'nobody', ...Array.from({ length: count }, () => 'x'.repeat(999))];
  assert.equal(stage.run(words(100), ['env', '-i']).status, 1, '100 kB are answered');
  assert.equal(stage.run(words(140), ['env', '-i']).status, cold.status);
  assert.equal(stage.run(words(1500), ['env', '-i']).status, cold.status);
  assert.equal(stage.run(['state', 'nobody'], ['env', '-i']).status, 1);
  assert.equal(stage.run(['state', 'nobody'], ['env', '-i', '__proto__=x', 'A=\u00ff', 'B=a\nb', 'C=', '=d']).status, 1);
  assert.equal(stage.run(['state', ''], []).status, 1);
  const gone = path.join(stage.build, 'gone');
  const away = stage.run(['state', 'nobody'], ['sh', '-c', 'mkdir "$0" && cd "$0" && rmdir "$0" && exec "$@"', gone]);
  assert.equal(away.status, cold.status, 'a folder that was removed is nothing to send');
  assert.ok(!hasEnded(planner) && stage.isWarm());
});

test('a planner that is stopped is left alone, and does nothing for who has gone on without it', { skip }, async () => {
  await using stage = await PlannerStage.open();
  using bundle = makeBundle();
  const planner = await stage.planner();
  const id = newId();
  planner.kill('SIGSTOP');
  const { status, stderr } = stage.run(['create', '--bundle', bundle.path, id]);
  assert.deepEqual({ status, stderr }, cold);
  planner.kill('SIGCONT');
  await until('it answers again', () => stage.isWarm());
  assert.deepEqual(fs.readdirSync(stage.folder), ['planner.sock']);
});

test('hooks are run by who called, and the log says nothing of it', { skip }, async () => {
  await using stage = await PlannerStage.open();
  const hook = { path: '/bin/sh', args: ['sh', '-c', 'echo from the hook'] };
  using bundle = makeBundle((config) => ({ ...config, process: { ...config.process, args: ['true'] }, hooks: { poststart: [hook], poststop: [hook] } }));
  await stage.planner();
  const id = newId();
  const log = path.join(stage.build, 'log');
  const node = path.join(stage.build, 'node');
  const hidden = (words: readonly string[]): unknown[] => {
    const { status, stderr } = stage.run(['--log', log, ...words, id]);
    return [status, stderr, fs.readFileSync(log, 'utf8')];
  };
  const [program, args] = stage.front('create', '--bundle', bundle.path, id);
  assert.equal(spawnSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] }).status, 0);
  for (const command of ['start', 'delete']) {
    assert.deepEqual(hidden([command]), [cold.status, cold.stderr, ''], 'the planner leaves it to Node, with nothing done');
    fs.symlinkSync(path.resolve(import.meta.dirname, '../../build/node'), node);
    await sleep(50);
    const { status, stderr } = stage.run([command, id]);
    assert.deepEqual([status, stderr], [0, 'from the hook\n'], command);
    fs.rmSync(node);
  }
});

test('a planner that is killed at work: every command ends, done or not at all or with one line', { skip, timeout: 60_000 }, async () => {
  await using stage = await PlannerStage.open();
  using bundle = makeBundle(script('exit 3'));
  const seen = new Set<string>();
  for (let round = 0; round < 8; round++) {
    const planner = await stage.planner();
    const all = Array.from({ length: 12 }, async () => {
      const child = spawn(...stage.front('run', '--bundle', bundle.path, newId()), { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, DELOS_TEST: marker } });
      const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'exit') as Promise<[number | null]>]);
      return `${code} ${stderr}`;
    });
    await sleep(5 + Math.random() * 40);
    planner.kill('SIGKILL');
    for (const outcome of await Promise.all(all)) seen.add(outcome);
  }
  const lost = '1 delos-oci: the planner ended before it had answered; what was asked may be done in part\n';
  assert.deepEqual([...seen].filter((outcome) => !['3 ', `${cold.status} ${cold.stderr}`, lost].includes(outcome)), []);
  await stage.planner();
  for (const id of fs.readdirSync(stage.folder).filter((name) => name !== 'planner.sock')) assert.equal(stage.run(['delete', '--force', id]).status, 0);
  assert.deepEqual(fs.readdirSync(stage.folder), ['planner.sock']);
});

test('300 commands, every third of them killed at some moment: the planner has open what it had', { skip, timeout: 120_000 }, async () => {
  await using stage = await PlannerStage.open();
  using bundle = makeBundle(script('exit 3'));
  const { pid } = await stage.planner();
  const open = (): number => fs.readdirSync(`/proc/${pid}/fd`).length;
  stage.run(['run', '--bundle', bundle.path, newId()]);
  const before = open();
  const one = async (index: number): Promise<void> => {
    const id = newId();
    const command = index % 2 === 0 ? ['run', '--bundle', bundle.path, id] : ['state', id];
    const child = spawn(...stage.front(...command), { stdio: 'ignore', detached: true, env: { ...process.env, DELOS_TEST: marker } });
    const exit = once(child, 'exit');
    if (index % 3 === 0) {
      await sleep(Math.random() * 12);
      if (!hasEnded(child)) process.kill(-(child.pid ?? 0), 'SIGKILL');
    }
    const [code] = (await exit) as [number | null];
    if (index % 3 !== 0) assert.equal(code, index % 2 === 0 ? 3 : 1);
    stage.run(['delete', '--force', id]);
  };
  for (let index = 0; index < 300; index += 6) await Promise.all(Array.from({ length: 6 }, (_, nth) => one(index + nth)));
  await until('all connections are closed', () => open() === before);
  assert.deepEqual(fs.readdirSync(stage.folder), ['planner.sock']);
});
