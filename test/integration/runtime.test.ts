import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { AT_FDCWD, S_IFIFO } from '../../src/abi/fcntl.ts';
import { SIGKILL, SIGTERM, SIGUSR1 } from '../../src/abi/signal.ts';
import { readCpusetFacts, readSubtreeFacts } from '../../src/cgroup/ancestor-facts.ts';
import { cpusetWrites, subtreeWrites } from '../../src/cgroup/ancestors.ts';
import { applyAncestorWrites, createDirectories, joinCgroup } from '../../src/cgroup/control.ts';
import { readControlFile } from '../../src/cgroup/control-file.ts';
import { deviceProgram } from '../../src/cgroup/device-program.ts';
import { devicePolicy } from '../../src/cgroup/devices.ts';
import { freeze, isFrozen } from '../../src/cgroup/freezer.ts';
import { readCgroupHost } from '../../src/cgroup/host.ts';
import { cgroupDirectories, cgroupPaths } from '../../src/cgroup/path.ts';
import { killAll } from '../../src/cgroup/processes.ts';
import { removeCgroup } from '../../src/cgroup/removal.ts';
import type { Config } from '../../src/oci/config/types.ts';
import { deleteContainer } from '../../src/runtime/delete.ts';
import { replaceDeviceProgram } from '../../src/runtime/device-limits.ts';
import { followEvents, statsLine } from '../../src/runtime/events.ts';
import { killContainer } from '../../src/runtime/kill.ts';
import { pauseContainer, resumeContainer } from '../../src/runtime/pause.ts';
import { processIds, processTable } from '../../src/runtime/ps.ts';
import type { ContainerRecord } from '../../src/runtime/record.ts';
import { startContainer } from '../../src/runtime/start.ts';
import { containerState } from '../../src/runtime/state.ts';
import { conditionOf, type Status } from '../../src/runtime/status.ts';
import { readRecord, reserve } from '../../src/runtime/store.ts';
import { updateContainer } from '../../src/runtime/update.ts';
import { syscall } from '../../src/sys/syscall.ts';

const host = readCgroupHost();
const skip = process.getuid?.() !== 0 ? 'needs root' : host.hierarchies.length === 0 ? 'no cgroups are mounted' : false;
const parent = `/delos-runtime-test-${process.pid}`;
let made = 0;

/** A container put together by hand, with a real process for its init in real cgroups. */
interface Container {
  readonly root: string;
  readonly id: string;
  readonly folder: string;
  readonly record: ContainerRecord;
  status(): Status;
}

/** No process yet, but all that `create` makes before there is one. */
function containerFor(context: TestContext, config: Partial<Config> = {}): Container {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-runtime-'));
  const id = `c${++made}`;
  const directories = cgroupDirectories(host, `${parent}/${id}`, id);
  const cgroup = cgroupPaths(directories);
  const record: ContainerRecord = {
    version: 1, ociVersion: '1.3.0', id, bundle: '/b', rootfs: '/b/rootfs', created: '2026-11-21T11:42:57.123Z', owner: 0,
    rootless: false, systemdCgroup: false, cgroup,
    config: { ociVersion: '1.3.0', linux: { namespaces: [{ type: 'pid' }] }, ...config },
  };
  context.after(async () => {
    await killAll(cgroup);
    await removeCgroup(cgroupPaths(cgroupDirectories(host, parent, id)));
    fs.rmSync(root, { recursive: true });
  });
  const folder = reserve(root, record);
  createDirectories(directories);
  for (const directory of directories.filter(({ hierarchy }) => hierarchy.version === 2)) {
    applyAncestorWrites(subtreeWrites(directory, host.unifiedControllers, [], readSubtreeFacts(directory)));
  }
  for (const directory of directories.filter(({ hierarchy }) => hierarchy.controllers.includes('cpuset') && hierarchy.version === 1)) {
    const { empty, parent: above } = readCpusetFacts(directory);
    applyAncestorWrites(cpusetWrites(directory, empty, above));
  }
  syscall('mknodat', AT_FDCWD, path.join(folder, 'start'), S_IFIFO | 0o600, 0);
  return { root, id, folder, record, status: () => conditionOf(root, record).status };
}

/** Init as a created container has it: it waits at the fifo, then runs the script. */
async function createInit(container: Container, script = 'exec sleep 1000'): Promise<ChildProcess> {
  const child = spawn('/bin/sh', ['-c', `read go; exec 3<>"$0"; echo ready; dd bs=1 count=1 <&3 >/dev/null 2>&1; exec 3>&-; ${script}`, path.join(container.folder, 'start')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  joinCgroup(container.record.cgroup, child.pid ?? 0);
  child.stdin.write('go\n');
  await once(child.stdout, 'data');
  recordInit(container, child.pid ?? 0);
  return child;
}

/** Init of a container that runs. */
async function runInit(container: Container, script = 'exec sleep 1000'): Promise<ChildProcess> {
  const child = await createInit(container, `echo runs; ${script}`);
  await startContainer(container.root, container.id);
  assert.ok(child.stdout);
  await once(child.stdout, 'data');
  return child;
}

function recordInit({ folder }: Container, pid: number): void {
  fs.writeFileSync(path.join(folder, 'init'), fs.readFileSync(`/proc/${pid}/stat`));
}

function isGone({ folder, record }: Container): boolean {
  return !fs.existsSync(folder) && Object.values(record.cgroup).every((directory) => !fs.existsSync(directory));
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let waitedMs = 0; !condition(); waitedMs += 5) {
    assert.ok(waitedMs < 10_000, `waited for: ${what}`);
    await sleep(5);
  }
}

test('the state of a container through its life', { skip }, async (context) => {
  const container = containerFor(context, { annotations: { key: 'value' } });
  const { root, id, record } = container;
  assert.equal(container.status(), 'creating');
  assert.equal(containerState(root, record).pid, 0);
  await assert.rejects(startContainer(root, id), { code: 'wrong-state', message: 'cannot start a container in the creating state' });
  const init = await createInit(container);
  assert.equal(container.status(), 'created');
  await startContainer(root, id);
  assert.equal(container.status(), 'running');
  assert.equal(fs.existsSync(path.join(container.folder, 'start')), false);
  await assert.rejects(startContainer(root, id), { code: 'wrong-state', message: 'cannot start an already running container' });
  await pauseContainer(root, id);
  assert.equal(container.status(), 'paused');
  await assert.rejects(pauseContainer(root, id), { code: 'wrong-state', message: 'container not running' });
  await assert.rejects(startContainer(root, id), { message: 'cannot start a container in the paused state' });
  await resumeContainer(root, id);
  assert.equal(container.status(), 'running');
  await assert.rejects(resumeContainer(root, id), { code: 'wrong-state', message: 'container not paused' });
  assert.equal(JSON.stringify(containerState(root, record)), JSON.stringify({
    ociVersion: '1.3.0', id, pid: init.pid, status: 'running', bundle: '/b', rootfs: '/b/rootfs', created: '2026-11-21T11:42:57.123Z',
    annotations: { key: 'value' }, owner: 'root',
  }));
  await killContainer(root, id, SIGTERM);
  assert.equal((await once(init, 'exit'))[1], 'SIGTERM');
  assert.deepEqual(containerState(root, record), { ...containerState(root, record), pid: 0, status: 'stopped' });
  await assert.rejects(startContainer(root, id), { message: 'cannot start a container that has stopped' });
  await assert.rejects(pauseContainer(root, id), { message: 'container not running' });
  await assert.rejects(killContainer(root, id, SIGTERM), { code: 'wrong-state', message: 'container not running' });
  assert.deepEqual(await deleteContainer(root, id), []);
  assert.ok(isGone(container));
  for (const command of [startContainer, pauseContainer, resumeContainer]) {
    await assert.rejects(command(root, id), { code: 'not-found', message: `container "${id}" does not exist` });
  }
});

test('init that dies while it waits is stopped, and cannot be started', { skip }, async (context) => {
  const container = containerFor(context);
  const init = await createInit(container);
  await killContainer(container.root, container.id, SIGKILL);
  await once(init, 'exit');
  assert.equal(container.status(), 'stopped');
  await assert.rejects(startContainer(container.root, container.id), { message: 'cannot start a container that has stopped' });
});

test('a start that was killed after its write is made good by the next', { skip }, async (context) => {
  const container = containerFor(context);
  const init = await createInit(container, 'echo runs; exec sleep 1000');
  const fifo = path.join(container.folder, 'start');
  fs.writeFileSync(fifo, '.');
  assert.ok(init.stdout);
  await once(init.stdout, 'data');
  await assert.rejects(startContainer(container.root, container.id), { message: 'cannot start an already running container' });
  assert.equal(container.status(), 'running');
});

test('of two that start a container at once, one does', { skip }, async (context) => {
  const container = containerFor(context);
  await createInit(container);
  const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => startContainer(container.root, container.id)));
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
});

test('another process with the pid of init is not the container, and is left alone', { skip }, async (context) => {
  const container = containerFor(context);
  const { root, id, folder } = container;
  const stranger = spawn('sleep', ['1000']);
  context.after(() => stranger.kill('SIGKILL'));
  const stat = fs.readFileSync(`/proc/${stranger.pid}/stat`, 'utf8').split(' ');
  fs.writeFileSync(path.join(folder, 'init'), stat.with(21, String(Number(stat[21]) - 1)).join(' '));
  assert.equal(container.status(), 'stopped');
  await assert.rejects(killContainer(root, id, SIGKILL), { message: 'container not running' });
  await assert.rejects(killContainer(root, id, SIGKILL, { all: true }), { message: 'container not running' });
  await deleteContainer(root, id, { force: true });
  assert.ok(isGone(container));
  await sleep(20);
  assert.equal(stranger.exitCode ?? stranger.signalCode, null);
});

test('a zombie has stopped', { skip }, async (context) => {
  const container = containerFor(context);
  const child = spawn('/bin/sh', ['-c', 'sleep 0.05 & echo $!; exec sleep 1000']);
  context.after(() => child.kill('SIGKILL'));
  const [text] = (await once(child.stdout, 'data')) as [Buffer];
  const zombie = Number(text.toString());
  await until(() => fs.readFileSync(`/proc/${zombie}/stat`, 'utf8').includes(') Z '), 'the zombie');
  recordInit(container, zombie);
  assert.equal(container.status(), 'stopped');
});

test('a signal is for init, or with `all` for everyone', { skip }, async (context) => {
  const container = containerFor(context);
  const { root, id } = container;
  const init = await runInit(container, "trap 'kill $!; exit 5' USR1; sleep 1000 & while :; do wait; done");
  await until(() => processIds(root, id).length === 2, 'two processes');
  assert.deepEqual(processIds(root, id), processIds(root, id).toSorted((a, b) => a - b));
  assert.ok(processIds(root, id).includes(init.pid ?? 0));
  await killContainer(root, id, 0);
  await killContainer(root, id, SIGUSR1);
  assert.equal((await once(init, 'exit'))[0], 5);

  const other = containerFor(context);
  const second = await runInit(other, "trap '' TERM; sleep 1000 & exec sleep 1000");
  await until(() => processIds(other.root, other.id).length === 2, 'two processes');
  await killContainer(other.root, other.id, SIGKILL, { all: true });
  await once(second, 'exit');
  await until(() => processIds(other.root, other.id).length === 0, 'the end of all');
  await assert.rejects(killContainer(other.root, other.id, SIGKILL, { all: true }), { message: 'container not running' });
});

test('SIGKILL reaches all where no pid namespace would, a paused container too', { skip }, async (context) => {
  const container = containerFor(context, { linux: {} });
  const { root, id } = container;
  const init = await runInit(container, 'sleep 1000 & exec sleep 1000');
  await until(() => processIds(root, id).length === 2, 'two processes');
  await pauseContainer(root, id);
  await killContainer(root, id, SIGKILL);
  await once(init, 'exit');
  await until(() => processIds(root, id).length === 0, 'the end of all');
  assert.equal(container.status(), 'stopped');
});

test('SIGKILL of a paused container with a pid namespace is not held back', { skip }, async (context) => {
  const container = containerFor(context);
  const init = await runInit(container);
  await pauseContainer(container.root, container.id);
  await killContainer(container.root, container.id, SIGKILL);
  assert.equal((await once(init, 'exit'))[1], 'SIGKILL');
});

test('a container that runs is deleted by force only', { skip }, async (context) => {
  const container = containerFor(context);
  const { root, id } = container;
  const init = await runInit(container, "trap '' TERM INT HUP; sleep 1000 & sleep 1000");
  await assert.rejects(deleteContainer(root, id), { code: 'wrong-state', message: `cannot delete container ${id} that is not stopped: running` });
  await pauseContainer(root, id);
  await assert.rejects(deleteContainer(root, id), { message: /not stopped: paused$/ });
  assert.equal(isFrozen(container.record.cgroup), true);
  const exit = once(init, 'exit');
  await deleteContainer(root, id, { force: true });
  await exit;
  assert.ok(isGone(container));
  assert.deepEqual(await deleteContainer(root, id, { force: true }), []);
  await assert.rejects(deleteContainer(root, id), { code: 'not-found' });
});

test('a container that was never started can be deleted', { skip }, async (context) => {
  const container = containerFor(context);
  const exit = once(await createInit(container), 'exit');
  await deleteContainer(container.root, container.id);
  await exit;
  assert.ok(isGone(container));
});

const leftovers: { what: string; leave(container: Container): Promise<void> | void; keepsCgroups?: true }[] = [
  { what: 'no init', leave: () => undefined },
  { what: 'half of the file init', leave: ({ folder }) => fs.writeFileSync(path.join(folder, 'init'), '123 (sh) S 1') },
  { what: 'some of the cgroups', leave: async ({ record: { cgroup } }) => {
    const [first] = Object.keys(cgroup);
    assert.ok(first !== undefined);
    await removeCgroup({ [first]: cgroup[first] ?? '' });
  } },
  { what: 'no cgroup', leave: ({ record }) => removeCgroup(record.cgroup) },
  { what: 'a cgroup below', leave: ({ record: { cgroup } }) => {
    for (const directory of new Set(Object.values(cgroup))) fs.mkdirSync(path.join(directory, 'below'));
  } },
  { what: 'a record that was being replaced', leave: ({ folder }) => fs.writeFileSync(path.join(folder, 'state.json.1'), '{') },
  { what: 'processes without init', leave: async (container) => {
    const init = await runInit(container, 'sleep 1000 & echo more; exit 0');
    await once(init, 'exit');
  } },
  { what: 'processes without init that stand still', leave: async (container) => {
    const init = await runInit(container, 'sleep 1000 & echo more; exit 0');
    await once(init, 'exit');
    await freeze(container.record.cgroup);
  } },
  { what: 'init and no record', keepsCgroups: true, leave: async (container) => {
    await runInit(container);
    fs.rmSync(path.join(container.folder, 'state.json'));
  } },
  { what: 'init and a broken record', keepsCgroups: true, leave: async (container) => {
    await runInit(container);
    fs.truncateSync(path.join(container.folder, 'state.json'), 10);
  } },
];

for (const { what, leave, keepsCgroups } of leftovers) {
  test(`delete --force clears away what a killed runtime leaves: ${what}`, { skip }, async (context) => {
    const container = containerFor(context);
    await leave(container);
    assert.deepEqual(await deleteContainer(container.root, container.id, { force: true }), []);
    assert.equal(fs.existsSync(container.folder), false);
    assert.ok(keepsCgroups ?? isGone(container));
    await until(() => Object.values(container.record.cgroup).every((directory) => !readControlFile(directory, 'cgroup.procs')), 'no process');
  });
}

test('a folder without a record is cleared away, and was no container', { skip }, async (context) => {
  const { root } = containerFor(context);
  fs.mkdirSync(path.join(root, 'empty'));
  await assert.rejects(deleteContainer(root, 'empty'), { code: 'not-found' });
  assert.equal(fs.existsSync(path.join(root, 'empty')), false);
});

test('a broken record is not thrown away without force', { skip }, async (context) => {
  const container = containerFor(context);
  fs.truncateSync(path.join(container.folder, 'state.json'), 10);
  await assert.rejects(deleteContainer(container.root, container.id), { code: 'io' });
  assert.equal(fs.existsSync(container.folder), true);
});

test('several deletes at once run the hooks once, and the id is free afterwards', { skip }, async (context) => {
  const log = path.join(os.tmpdir(), `delos-poststop-${process.pid}`);
  context.after(() => fs.rmSync(log, { force: true }));
  const hook = { path: '/bin/sh', args: ['sh', '-c', `cat >> ${log}; sleep 0.05`] };
  const container = containerFor(context, { hooks: { poststop: [hook] } });
  await runInit(container);
  const results = await Promise.all(Array.from({ length: 4 }, () => deleteContainer(container.root, container.id, { force: true })));
  assert.deepEqual(results.flat(), []);
  assert.deepEqual(JSON.parse(fs.readFileSync(log, 'utf8')), { ociVersion: '1.3.0', id: container.id, status: 'stopped', bundle: '/b' });
  assert.ok(isGone(container));
  reserve(container.root, container.record);
});

test('a poststop hook that fails is a warning', { skip }, async (context) => {
  const container = containerFor(context, { hooks: { poststop: [{ path: '/bin/false' }, { path: '/bin/true' }] } });
  assert.deepEqual(await deleteContainer(container.root, container.id, { force: true }), ['hooks.poststop[0] (/bin/false): exited with 1']);
  assert.ok(isGone(container));
});

test('poststart hooks see a running container, and one that fails ends it', { skip }, async (context) => {
  const log = path.join(os.tmpdir(), `delos-poststart-${process.pid}`);
  context.after(() => fs.rmSync(log, { force: true }));
  const hooks = { poststart: [{ path: '/bin/sh', args: ['sh', '-c', `cat > ${log}`] }, { path: '/bin/sh', args: ['sh', '-c', 'exit 3'] }] };
  const container = containerFor(context, { hooks });
  const init = await createInit(container, 'sleep 1000 & sleep 1000');
  const exit = once(init, 'exit');
  await assert.rejects(startContainer(container.root, container.id), { code: 'hook-failed', message: 'hooks.poststart[1] (/bin/sh): exited with 3' });
  await exit;
  assert.equal(container.status(), 'stopped');
  assert.deepEqual(processIds(container.root, container.id), []);
  assert.deepEqual(JSON.parse(fs.readFileSync(log, 'utf8')), { ociVersion: '1.3.0', id: container.id, status: 'running', pid: init.pid, bundle: '/b' });
});

test('limits are changed in the kernel and in the record; a refused change changes nothing', { skip }, async (context) => {
  const container = containerFor(context, { linux: { resources: { pids: { limit: 50 } } } });
  const { root, id, record: { cgroup } } = container;
  await runInit(container);
  const limit = (): string | undefined => readControlFile(cgroup['pids'] ?? cgroup[''] ?? '', 'pids.max')?.trim();
  await updateContainer(root, id, { pids: { limit: 20 } });
  assert.equal(limit(), '20');
  assert.deepEqual(readRecord(root, id).config.linux?.resources, { pids: { limit: 20 } });
  await assert.rejects(updateContainer(root, id, { pids: { limit: 30 }, cpu: { cpus: '4000' } }), { code: 'kernel-refused' });
  assert.deepEqual(readRecord(root, id).config.linux?.resources, { pids: { limit: 20 } });
  await killContainer(root, id, SIGKILL);
  await until(() => container.status() === 'stopped', 'the end of init');
  await assert.rejects(updateContainer(root, id, { pids: { limit: 5 } }), { code: 'wrong-state', message: 'container not running' });
});

const tryNull = 'while read go; do { true < /dev/null && true < /dev/kmsg && echo both || echo one; } 2>/dev/null; done';

/** What init of `tryNull` may open now. */
async function tried(init: ChildProcess): Promise<string> {
  init.stdin?.write('go\n');
  assert.ok(init.stdout);
  return String(((await once(init.stdout, 'data')) as [Buffer])[0]).trim();
}

test('devices are changed while a container runs', { skip }, async (context) => {
  const container = containerFor(context);
  const { root, id } = container;
  const init = await runInit(container, tryNull);
  assert.equal(await tried(init), 'both');
  await updateContainer(root, id, { devices: [{ allow: false }] });
  assert.equal(await tried(init), 'one');
  await updateContainer(root, id, { devices: [{ allow: false }, { allow: true, type: 'c', major: 1, minor: 11, access: 'r' }] });
  assert.equal(await tried(init), 'both');
  assert.equal(container.status(), 'running');
});

test('the device program of a v2 cgroup is replaced, not added to', {
  skip: skip || (host.hierarchies.some(({ version }) => version === 2) ? false : 'cgroup v2 is not mounted'),
}, async (context) => {
  const container = containerFor(context);
  const init = await runInit(container, tryNull);
  const directory = container.record.cgroup[''] ?? '';
  for (const [allow, expected] of [[false, 'one'], [true, 'both'], [false, 'one']] as const) {
    replaceDeviceProgram(directory, deviceProgram(devicePolicy([{ allow }])));
    assert.equal(await tried(init), expected);
  }
  assert.throws(() => replaceDeviceProgram(directory, new Uint8Array(8)), { code: 'kernel-refused' });
  assert.equal(await tried(init), 'one');
});

test('statistics and processes of a container', { skip }, async (context) => {
  const container = containerFor(context);
  const { root, id } = container;
  const init = await runInit(container);
  const { type, id: named, data } = JSON.parse(statsLine(root, id)) as { type: string; id: string; data: { pids: { current: number } } };
  assert.deepEqual([type, named, data.pids.current], ['stats', id, 1]);
  const [header, line, ...rest] = processTable(root, id, []).trimEnd().split('\n');
  assert.match(header ?? '', /\bPID\b/);
  assert.match(line ?? '', new RegExp(`\\b${init.pid}\\b.*sleep`));
  assert.deepEqual(rest, []);
  await killContainer(root, id, SIGKILL);
  await until(() => container.status() === 'stopped', 'the end of init');
  assert.throws(() => statsLine(root, id), { code: 'wrong-state', message: `container with id ${id} is not running` });
});

test('a kill for want of memory is told, and the end of the container ends the telling', {
  skip: skip || (host.hierarchies.some(({ controllers }) => controllers.includes('memory')) ? false : 'no memory controller'),
}, async (context) => {
  const container = containerFor(context);
  const { root, id } = container;
  const init = await runInit(container, 'tail /dev/zero; exec sleep 1000');
  await pauseContainer(root, id);
  const lines: string[] = [];
  const events = followEvents({ root, id, intervalMs: 20, write: (line) => lines.push(line) });
  await updateContainer(root, id, { memory: { limit: 32 * 2 ** 20, swap: 32 * 2 ** 20 } }).catch(() => updateContainer(root, id, { memory: { limit: 512 * 2 ** 20 } }));
  await resumeContainer(root, id);
  await until(() => lines.includes(`{"type":"oom","id":"${id}"}`), 'the kill');
  assert.ok(lines.some((line) => line.startsWith('{"type":"stats"')));
  const aborted = new AbortController();
  const others = followEvents({ root, id, intervalMs: 2 ** 30, write: () => undefined, signal: aborted.signal });
  aborted.abort();
  await others;
  await killContainer(root, id, SIGKILL);
  await once(init, 'exit');
  await events;
});
