import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { readCpusetFacts } from '../../src/cgroup/ancestor-facts.ts';
import { cpusetWrites } from '../../src/cgroup/ancestors.ts';
import { applyAncestorWrites, createDirectories, joinCgroup } from '../../src/cgroup/control.ts';
import { freeze, thaw } from '../../src/cgroup/freezer.ts';
import { readCgroupHost } from '../../src/cgroup/host.ts';
import { cgroupDirectories, cgroupPaths, type CgroupPaths } from '../../src/cgroup/path.ts';
import { isPopulated, killAll } from '../../src/cgroup/processes.ts';
import { removeCgroup } from '../../src/cgroup/removal.ts';
import { defaultConfig } from '../../src/oci/default-config.ts';
import type { ContainerRecord } from '../../src/runtime/record.ts';
import { readRecord, reserve } from '../../src/runtime/store.ts';

const main = path.resolve(import.meta.dirname, '../../src/cli/oci/main.ts');
const noContainers = process.getuid?.() === 0 ? (readCgroupHost().hierarchies.length === 0 ? 'no cgroups are mounted' : false) : 'needs root';
const noRunc = spawnSync('runc', ['--version']).status === 0 ? false : 'runc is not installed';
const noPs = spawnSync('ps', ['-ef']).status === 0 ? false : 'ps is not installed';

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function delosOci(root: string, words: readonly string[], input = ''): Outcome {
  return spawnSync(process.execPath, [main, '--root', root, ...words], { encoding: 'utf8', input });
}

/** What a command prints that must succeed. */
function output(root: string, ...words: string[]): string {
  const { status, stdout, stderr } = delosOci(root, words);
  assert.equal(stderr, '');
  assert.equal(status, 0);
  return stdout;
}

function folder(context: TestContext): string {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-oci-'));
  context.after(() => fs.rmSync(made, { recursive: true, force: true }));
  return made;
}

interface Contained {
  readonly root: string;
  readonly id: string;
  readonly pid: number;
  readonly cgroup: CgroupPaths;
  /** Kills it; resolves when it has been reaped. */
  end(): Promise<void>;
}

let made = 0;

/** A record made by hand around a real process in a real cgroup: what `create` and `start` leave behind, without them. */
function contained(context: TestContext, root = folder(context)): Contained {
  const id = `reporting-${process.pid}-${++made}`;
  const directories = cgroupDirectories(readCgroupHost(), `/delos-${id}`, id);
  const cgroup = cgroupPaths(directories);
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  const pid = child.pid ?? 0;
  const ended = once(child, 'exit');
  const end = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  context.after(async () => {
    if (isPopulated(cgroup)) await killAll(cgroup);
    await end();
    await removeCgroup(cgroup);
  });
  createDirectories(directories);
  for (const directory of directories.filter(({ hierarchy }) => hierarchy.version === 1 && hierarchy.controllers.includes('cpuset'))) {
    const { empty, parent } = readCpusetFacts(directory);
    applyAncestorWrites(cpusetWrites(directory, empty, parent));
  }
  joinCgroup(cgroup, pid);
  const record: ContainerRecord = {
    version: 1, ociVersion: '1.3.0', id, bundle: '/bundle', rootfs: '/bundle/rootfs', created: '2026-11-21T11:36:58.054004Z', owner: 0,
    rootless: false, systemdCgroup: false, config: { ...defaultConfig({ rootless: false }), annotations: { a: 'b' } }, cgroup,
  };
  fs.writeFileSync(path.join(reserve(root, record), 'init'), fs.readFileSync(`/proc/${pid}/stat`));
  return { root, id, pid, cgroup, end };
}

function limitOf(cgroup: CgroupPaths, legacy: [controller: string, file: string], unified: string): string {
  const [controller, file] = legacy;
  const directory = cgroup[controller];
  return fs.readFileSync(directory === undefined ? path.join(cgroup[''] ?? '', unified) : path.join(directory, file), 'utf8').trim();
}

test('list shows a container as it runs, stands still and has stopped; broken folders hide nothing', { skip: noContainers }, async (context) => {
  const { root, id, pid, cgroup, end } = contained(context);
  fs.mkdirSync(path.join(root, 'half-made'));
  fs.mkdirSync(path.join(root, 'broken'));
  fs.writeFileSync(path.join(root, 'broken/state.json'), '{"version": 1, "id": ');
  fs.writeFileSync(path.join(root, 'stray'), '');
  const state = (): unknown => (JSON.parse(output(root, 'list', '--format', 'json')) as unknown[])[0];
  const running = {
    ociVersion: '1.3.0', id, pid, status: 'running', bundle: '/bundle', rootfs: '/bundle/rootfs', created: '2026-11-21T11:36:58.054004Z',
    annotations: { a: 'b' }, owner: 'root',
  };
  assert.deepEqual(state(), running);
  assert.equal(output(root, 'list', '-q'), `${id}\n`);
  assert.match(output(root, 'list'), new RegExp(`^ID +PID +STATUS .*\n${id} +${pid} +running +/bundle +2026-\\S+Z   root\n$`));
  await freeze(cgroup);
  assert.deepEqual(state(), { ...running, status: 'paused' });
  thaw(cgroup);
  await end();
  assert.deepEqual(state(), { ...running, status: 'stopped', pid: 0 });
});

test('list: a pid that was used again does not make a stopped container run', { skip: noContainers }, async (context) => {
  const { root, id, pid } = contained(context);
  const init = path.join(root, id, 'init');
  const stat = fs.readFileSync(init, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  fields[19] = String(Number(fields[19]) - 1);
  fs.writeFileSync(init, `${pid} (sleep) ${fields.join(' ')}`);
  assert.match(output(root, 'list'), /\bstopped\b/);
});

test('ps prints the container\'s processes and no others', { skip: noContainers || noPs }, async (context) => {
  const { root, id, pid, end } = contained(context);
  assert.deepEqual(JSON.parse(output(root, 'ps', '-f', 'json', id)), [pid]);
  const [header, line, ...rest] = output(root, 'ps', id).trimEnd().split('\n');
  assert.match(header ?? '', /^UID +PID +PPID/);
  assert.match(line ?? '', new RegExp(`^root +${pid} .*sleep 1000$`));
  assert.deepEqual(rest, []);
  assert.equal(output(root, 'ps', id, '-o', 'pid,comm').trimEnd().split('\n').length, 2);
  const refused = delosOci(root, ['ps', id, '-o', 'comm']);
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /couldn't find PID field in ps output/);
  await end();
  assert.equal(output(root, 'ps', '-f', 'json', id), 'null\n');
});

test('update changes the limits that are named, and remembers them', { skip: noContainers }, async (context) => {
  const { root, id, cgroup, end } = contained(context);
  const memory = (): string => limitOf(cgroup, ['memory', 'memory.limit_in_bytes'], 'memory.max');
  const pids = (): string => limitOf(cgroup, ['pids', 'pids.max'], 'pids.max');
  output(root, 'update', '--memory', '64m', '--pids-limit', '20', id);
  assert.equal(memory(), String(64 * 1024 * 1024));
  assert.equal(pids(), '20');
  const { status, stderr } = delosOci(root, ['update', '-r', '-', id], '{"memory": {"limit": 134217728}}');
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  assert.equal(memory(), String(128 * 1024 * 1024));
  assert.equal(pids(), '20');
  const { resources } = readRecord(root, id).config.linux ?? {};
  assert.equal(resources?.memory?.limit, 128 * 1024 * 1024);
  assert.equal(resources.pids?.limit, 20);
  const wrong = delosOci(root, ['update', '-r', '-', id], '{"memory": {"limit": "x"}}');
  assert.equal(wrong.status, 1);
  assert.match(wrong.stderr, /linux\.resources\.memory\.limit: expected .*found/);
  assert.equal(memory(), String(128 * 1024 * 1024));
  await end();
  assert.match(delosOci(root, ['update', '--memory', '64m', id]).stderr, /container not running/);
});

test('update: when the kernel refuses one limit, the others are as before', { skip: noContainers }, (context) => {
  const { root, id, cgroup } = contained(context);
  output(root, 'update', '--pids-limit', '20', id);
  const refused = delosOci(root, ['update', '--pids-limit', '30', '--cpuset-cpus', '4095', id]);
  assert.equal(refused.status, 1);
  assert.equal(limitOf(cgroup, ['pids', 'pids.max'], 'pids.max'), '20');
  assert.equal(readRecord(root, id).config.linux?.resources?.pids?.limit, 20);
});

test('events --stats prints one line, whose names are runc\'s', { skip: noContainers }, async (context) => {
  const { root, id, end } = contained(context);
  const line = output(root, 'events', '--stats', id);
  assert.equal(line.indexOf('\n'), line.length - 1);
  const event = JSON.parse(line) as { type: string; id: string; data: { pids: { current?: number } } };
  assert.deepEqual({ type: event.type, id: event.id }, { type: 'stats', id });
  assert.deepEqual(Object.keys(event.data), ['cpu', 'cpuset', 'memory', 'pids', 'blkio', 'hugetlb', 'intel_rdt', 'network_interfaces']);
  await end();
  const after = delosOci(root, ['events', '--stats', id]);
  assert.equal(after.status, 1);
  assert.match(after.stderr, /is not running/);
});

test('events goes on until the container ends', { skip: noContainers }, async (context) => {
  const { root, id, end } = contained(context);
  const child = spawn(process.execPath, [main, '--root', root, 'events', '--interval', '50ms', id], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  const twoLines = new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.split('\n').length > 2) resolve();
    });
  });
  const closed = once(child, 'close');
  await Promise.race([twoLines, closed]);
  await end();
  assert.deepEqual(await closed, [0, null]);
  const types = text.trimEnd().split('\n').map((line) => (JSON.parse(line) as { type: string }).type);
  assert.ok(types.length >= 2);
  assert.deepEqual(new Set(types), new Set(['stats']));
});

test('a container that is not there is one line and exit code 1', (context) => {
  const root = folder(context);
  for (const words of [['ps', 'nobody'], ['events', 'nobody'], ['update', '--memory', '1g', 'nobody'], ['ps', '../x']]) {
    const { status, stdout, stderr } = delosOci(root, words);
    assert.equal(status, 1, words.join(' '));
    assert.equal(stdout, '');
    assert.match(stderr, /^time="\S+Z" level=error msg=".*(does not exist|container ID).*"\n$/);
  }
  assert.equal(output(root, 'list', '-f', 'json'), 'null\n');
});

test('spec writes what runc spec writes, and never over a config.json', { skip: noRunc }, (context) => {
  const root = folder(context);
  for (const flags of [[], ['--rootless']]) {
    const [ours, theirs] = [folder(context), folder(context)];
    output(root, 'spec', '--bundle', ours, ...flags);
    assert.equal(spawnSync('runc', ['spec', '--bundle', theirs, ...flags]).status, 0);
    const read = (bundle: string): Record<string, unknown> => ({
      ...(JSON.parse(fs.readFileSync(path.join(bundle, 'config.json'), 'utf8')) as Record<string, unknown>), ociVersion: '1.3.0',
    });
    assert.deepEqual(read(ours), read(theirs), flags.join(' '));
    const again = delosOci(root, ['spec', '-b', ours]);
    assert.equal(again.status, 1);
    assert.match(again.stderr, /config\.json exists\. Remove it first/);
  }
});

test('features has the shape of runc\'s, and all that runc has but other machines\' architectures and ACLs', { skip: noRunc }, (context) => {
  interface Shape {
    readonly hooks: string[];
    readonly mountOptions: string[];
    readonly linux: { readonly namespaces: string[]; readonly capabilities: string[]; readonly seccomp: Record<'actions' | 'operators', string[]> };
  }
  const ours = JSON.parse(output(folder(context), 'features')) as Shape;
  const theirs = JSON.parse(spawnSync('runc', ['features'], { encoding: 'utf8' }).stdout) as Shape;
  const missing = (of: (shape: Shape) => string[]): string[] => of(theirs).filter((name) => !of(ours).includes(name));
  assert.deepEqual(missing(({ hooks }) => hooks), []);
  // acl and noacl are options of file systems to us, and go to those as they are.
  assert.deepEqual(missing(({ mountOptions }) => mountOptions), ['acl', 'noacl']);
  assert.deepEqual(missing(({ linux }) => linux.namespaces), []);
  assert.deepEqual(missing(({ linux }) => linux.capabilities), []);
  assert.deepEqual(missing(({ linux }) => linux.seccomp.actions), []);
  assert.deepEqual(missing(({ linux }) => linux.seccomp.operators), []);
  assert.deepEqual(missing((shape) => Object.keys(shape)), []);
});
