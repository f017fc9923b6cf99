import assert from 'node:assert/strict';
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BPF_CGROUP_DEVICE, BPF_F_ALLOW_MULTI, BPF_PROG_ATTACH, BPF_PROG_LOAD, BPF_PROG_TYPE_CGROUP_DEVICE } from '../../src/abi/bpf.ts';
import { bpf_prog_attach, bpf_prog_load } from '../../src/abi/structs.ts';
import { readCpusetFacts, readSubtreeFacts } from '../../src/cgroup/ancestor-facts.ts';
import { cpusetWrites, subtreeWrites } from '../../src/cgroup/ancestors.ts';
import { readControlFile, writeControlFile } from '../../src/cgroup/control-file.ts';
import { applyAncestorWrites, applyWrites, createDirectories, joinCgroup, readCurrentLimits } from '../../src/cgroup/control.ts';
import { deviceProgram } from '../../src/cgroup/device-program.ts';
import { devicePolicy, devicesVersion, deviceWrites } from '../../src/cgroup/devices.ts';
import { freeze, isFrozen, thaw } from '../../src/cgroup/freezer.ts';
import { readCgroupHost } from '../../src/cgroup/host.ts';
import type { LinuxResources } from '../../src/cgroup/linux-resources.ts';
import { oomEvents, oomKilled, oomKills } from '../../src/cgroup/oom.ts';
import { cgroupDirectories, cgroupPaths, type CgroupPaths } from '../../src/cgroup/path.ts';
import { isPopulated, killAll, listProcesses, signalAll } from '../../src/cgroup/processes.ts';
import { removeCgroup } from '../../src/cgroup/removal.ts';
import { resourceWrites, unifiedControllersOf } from '../../src/cgroup/resources.ts';
import { readCgroupStats } from '../../src/cgroup/stats-read.ts';
import { put, type Layout } from '../../src/lib/layout.ts';
import { addressOfBytes, syscall } from '../../src/sys/syscall.ts';

const noUnified = readCgroupHost().hierarchies.some(({ version }) => version === 2) ? false : 'cgroup v2 is not mounted';
const parent = `/delos-test-${process.pid}`;
const reason = process.getuid?.() === 0 ? (readCgroupHost().hierarchies.length === 0 ? 'no cgroups are mounted' : false) : 'needs root';
let made = 0;

/** A cgroup with its limits below our own parent, which is removed with all in it when the test ends. */
function cgroupFor(context: TestContext, resources: LinuxResources = {}): CgroupPaths {
  const host = readCgroupHost();
  const directories = cgroupDirectories(host, `${parent}/${++made}`, 'unused');
  const paths = cgroupPaths(directories);
  context.after(async () => {
    await killAll(paths);
    await removeCgroup(cgroupPaths(cgroupDirectories(host, parent, 'unused')));
  });
  createDirectories(directories);
  const writes = resourceWrites(resources, host);
  for (const directory of directories) {
    if (directory.hierarchy.version === 2) {
      applyAncestorWrites(subtreeWrites(directory, host.unifiedControllers, unifiedControllersOf(writes), readSubtreeFacts(directory)));
    } else if (directory.hierarchy.controllers.includes('cpuset')) {
      const { empty, parent: above } = readCpusetFacts(directory);
      applyAncestorWrites(cpusetWrites(directory, empty, above));
    }
  }
  applyWrites(paths, writes);
  return paths;
}

/** A shell that runs `script` in the cgroup, and not before it is in there. */
function inside(paths: CgroupPaths, script: string): ChildProcessWithoutNullStreams & { readonly closed: Promise<unknown[]>; output(): Promise<string> } {
  const child = spawn('/bin/sh', ['-c', `read go; ${script}`], { stdio: ['pipe', 'pipe', 'pipe'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  const closed = once(child, 'close');
  joinCgroup(paths, child.pid ?? 0);
  child.stdin.end('go\n');
  return Object.assign(child, { closed, output: async () => { await closed; return Buffer.concat(chunks).toString(); } });
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let waitedMs = 0; !condition(); waitedMs += 5) {
    assert.ok(waitedMs < 10_000, `waited for: ${what}`);
    await sleep(5);
  }
}

test('a process is in every hierarchy, is listed, is killed, and nothing stays', { skip: reason }, async (context) => {
  const paths = cgroupFor(context);
  assert.equal(isPopulated(paths), false);
  const child = inside(paths, 'sleep 1000 & sleep 1000');
  const lines = readFileSync(`/proc/${child.pid}/cgroup`, 'utf8').trim().split('\n');
  assert.ok(lines.every((line) => line.endsWith(`${parent}/${made}`)), lines.join('\n'));
  await until(() => listProcesses(paths).length === 3, 'three processes');
  assert.ok(listProcesses(paths).includes(child.pid ?? 0));
  await killAll(paths);
  assert.equal(isPopulated(paths), false);
  assert.deepEqual(listProcesses(paths), []);
  await removeCgroup(paths);
  assert.ok(Object.values(paths).every((directory) => !existsSync(directory)));
  await removeCgroup(paths);
  assert.deepEqual(listProcesses(paths), []);
});

test('killing reaches cgroups below, and processes that stand still', { skip: reason }, async (context) => {
  const paths = cgroupFor(context);
  const below = Object.fromEntries(Object.entries(paths).map(([controller, directory]) => [controller, join(directory, 'below')]));
  for (const directory of new Set(Object.values(below))) mkdirSync(directory);
  if (below['cpuset'] !== undefined) {
    writeControlFile(below['cpuset'], 'cpuset.cpus', '0');
    writeControlFile(below['cpuset'], 'cpuset.mems', '0');
  }
  const child = inside(below, 'exec sleep 1000');
  assert.deepEqual(listProcesses(paths), listProcesses(below));
  await freeze(paths);
  await killAll(paths);
  assert.equal(await child.closed.then(([, signal]) => signal), 'SIGKILL');
});

test('frozen processes stand still until they are thawed', { skip: reason }, async (context) => {
  const paths = cgroupFor(context);
  inside(paths, 'while :; do :; done');
  const used = (): bigint => readCgroupStats(paths).cpu.usage.total ?? 0n;
  await until(() => used() > 1_000_000n, 'processor time');
  await freeze(paths);
  assert.equal(isFrozen(paths), true);
  const before = used();
  await sleep(100);
  assert.equal(used(), before);
  thaw(paths);
  assert.equal(isFrozen(paths), false);
  await until(() => used() > before, 'processor time after the thaw');
});

test('v2 alone freezes, thaws and kills', { skip: reason || noUnified }, async (context) => {
  const { '': directory } = cgroupFor(context);
  assert.ok(directory);
  const paths = { '': directory };
  const child = inside(paths, 'while :; do sleep 0.01; done');
  assert.equal(isPopulated(paths), true);
  await freeze(paths);
  assert.equal(isFrozen(paths), true);
  assert.equal(readControlFile(directory, 'cgroup.freeze'), '1\n');
  thaw(paths);
  await until(() => !isFrozen(paths), 'the thaw');
  await freeze(paths);
  await killAll(paths);
  assert.equal(await child.closed.then(([, signal]) => signal), 'SIGKILL');
  assert.equal(isPopulated(paths), false);
});

test('a controller of v2 is handed down to the cgroup and limits it', {
  skip: reason || noUnified || (readCgroupHost().unifiedControllers.includes('hugetlb') ? false : 'hugetlb is not in v2 here'),
}, (context) => {
  const { '': directory } = cgroupFor(context, { hugepageLimits: [{ pageSize: '2MB', limit: 4_194_304 }], unified: { 'cgroup.max.depth': '5' } });
  assert.ok(directory);
  assert.match(readControlFile(directory, 'cgroup.controllers') ?? '', /hugetlb/);
  assert.equal(readControlFile(directory, 'hugetlb.2MB.max'), '4194304\n');
  assert.equal(readControlFile(directory, 'hugetlb.2MB.rsvd.max'), '4194304\n');
  assert.equal(readControlFile(directory, 'cgroup.max.depth'), '5\n');
});

test('a signal goes to all, and a frozen cgroup stays frozen', { skip: reason }, async (context) => {
  const paths = cgroupFor(context);
  const child = inside(paths, 'trap "exit 7" TERM; echo ready; while :; do sleep 0.01; done');
  await once(child.stdout, 'data');
  await freeze(paths);
  await signalAll(paths, 'SIGTERM');
  // v2 wakes whoever gets a signal for a moment.
  await until(() => isFrozen(paths), 'the cgroup to stand still');
  thaw(paths);
  assert.equal(await child.closed.then(([code]) => code), 7);
});

test('a limit of processes stops a fork', { skip: reason }, async (context) => {
  const paths = cgroupFor(context, { pids: { limit: 4 } });
  const child = inside(paths, 'for i in 1 2 3 4 5 6; do sleep 1000 & done; wait');
  await until(() => child.exitCode !== null, 'the shell to give up');
  assert.equal(readCgroupStats(paths).pids.limit, 4n);
  await killAll(paths);
  assert.match(await child.output(), /fork/i);
});

test('a process that takes more memory than its limit is killed, and that is told', { skip: reason }, async (context) => {
  const paths = cgroupFor(context, { memory: { limit: 16 * 2 ** 20, swap: 16 * 2 ** 20 } });
  assert.equal(oomKilled(paths), false);
  const events = oomEvents(paths, context.signal, 10);
  const told = events.next();
  // tail keeps a line without an end in memory.
  const child = inside(paths, 'head -c 64m /dev/zero | tail; echo "tail: $?"');
  assert.match(await child.output(), /tail: 137/);
  assert.equal(oomKilled(paths), true);
  assert.equal((await told).value, oomKills(paths));
  assert.equal(readCgroupStats(paths).memory.usage.limit, 16n * 2n ** 20n);
});

test('limits are raised and lowered in use', { skip: reason }, (context) => {
  const host = readCgroupHost();
  const mebibytes = (limit: number, swap: number): LinuxResources => ({ memory: { limit: limit * 2 ** 20, swap: swap * 2 ** 20 } });
  const paths = cgroupFor(context, mebibytes(64, 128));
  for (const [limit, swap] of [[256, 512], [32, 32], [64, 96]] as const) {
    applyWrites(paths, resourceWrites(mebibytes(limit, swap), host, readCurrentLimits(paths)));
    assert.equal(readCurrentLimits(paths).memoryLimit, BigInt(limit) * 2n ** 20n);
  }
  for (const [quota, period, burst] of [[50_000, 100_000, 40_000], [5000, 10_000, 1000], [200_000, 500_000, 150_000]] as const) {
    applyWrites(paths, resourceWrites({ cpu: { quota, period, burst } }, host, readCurrentLimits(paths)));
    const legacy = paths['cpu'];
    const text = legacy === undefined ? readControlFile(paths[''] ?? '/', 'cpu.max') : `${readControlFile(legacy, 'cpu.cfs_quota_us')?.trim()} ${readControlFile(legacy, 'cpu.cfs_period_us')}`;
    assert.equal(text, `${quota} ${period}\n`);
  }
});

test('a process runs on the processors of its cpuset', { skip: reason }, async (context) => {
  const paths = cgroupFor(context, { cpu: { cpus: '0', mems: '0' } });
  const child = inside(paths, 'grep Cpus_allowed_list /proc/self/status');
  assert.match(await child.output(), /Cpus_allowed_list:\s+0\n/);
});

test('what the kernel refuses is told with its field', { skip: reason }, (context) => {
  const paths = cgroupFor(context);
  assert.throws(() => applyWrites(paths, resourceWrites({ cpu: { cpus: '4000' } }, readCgroupHost())), (error: Error & { detail?: { field?: string } }) =>
    /cpuset\.cpus: cannot write "4000": E[A-Z]+/.test(error.message) && error.detail?.field === '/linux/resources/cpu/cpus');
});

test('v1 keeps a process to its devices', { skip: reason || (devicesVersion(readCgroupHost()) === 1 ? false : 'the devices controller is not in v1 here') }, async (context) => {
  const paths = cgroupFor(context);
  applyWrites(paths, deviceWrites(devicePolicy([{ allow: false }, { allow: true, type: 'c', major: 1, minor: 11, access: 'r' }])));
  assert.equal(readControlFile(paths['devices'] ?? '', 'devices.list')?.includes('c 1:11 r\n'), true);
  assert.equal(await inside(paths, tryDevices).output(), expectedOfDevices);
});

test('the kernel takes the device program for v2, and it keeps a process to its devices', { skip: reason || noUnified }, async (context) => {
  const { '': directory } = cgroupFor(context);
  assert.ok(directory);
  // With a hole, which v1 could not express.
  attachDeviceProgram(directory, deviceProgram(devicePolicy([
    { allow: false }, { allow: true, type: 'c', major: 1, access: 'rw' }, { allow: false, type: 'c', major: 1, minor: 11, access: 'w' },
    { allow: false, type: 'c', major: 1, minor: 4 },
  ])));
  assert.equal(await inside({ '': directory }, tryDevices).output(), expectedOfDevices);
});

/** /dev/kmsg is 1:11, /dev/port 1:4. */
const tryDevices = `for step in ': </dev/null' ': >/dev/null' ': </dev/kmsg' ': >/dev/kmsg' ': <>/dev/kmsg' ': </dev/port'; do
  (eval "$step") 2>/dev/null && echo "$step yes" || echo "$step no"; done`;
const expectedOfDevices = ': </dev/null yes\n: >/dev/null yes\n: </dev/kmsg yes\n: >/dev/kmsg no\n: <>/dev/kmsg no\n: </dev/port no\n';

function attachDeviceProgram(directory: string, program: Uint8Array): void {
  const license = Buffer.from('Apache-2.0\0');
  const attributes = filled(bpf_prog_load, {
    prog_type: BPF_PROG_TYPE_CGROUP_DEVICE, insn_cnt: program.length / 8, insns: addressOfBytes(program), license: addressOfBytes(license),
  });
  const programFd = syscall('bpf', BPF_PROG_LOAD, attributes, attributes.length);
  const directoryFd = syscall('openat', -100, directory, 0o200000, 0);
  const attach = filled(bpf_prog_attach, { target_fd: directoryFd, attach_bpf_fd: programFd, attach_type: BPF_CGROUP_DEVICE, attach_flags: BPF_F_ALLOW_MULTI });
  syscall('bpf', BPF_PROG_ATTACH, attach, attach.length);
  syscall('close', programFd);
  syscall('close', directoryFd);
}

function filled<Name extends string>(layout: Layout<Name>, values: Partial<Record<Name, number | bigint>>): Uint8Array {
  const view = new DataView(new ArrayBuffer(layout.size));
  for (const [name, value] of Object.entries(values) as [Name, number | bigint][]) {
    put(view, layout.fields[name].offset, layout.fields[name].type, value);
  }
  return new Uint8Array(view.buffer);
}

test('a directory that is no cgroup is never written to', { skip: reason }, (context) => {
  const directory = `/tmp/delos-no-cgroup-${process.pid}`;
  mkdirSync(directory);
  context.after(() => rmdirSync(directory));
  assert.throws(() => applyWrites({ '': directory }, [{ controller: '', file: 'memory.max', value: '1', why: '/linux/resources/memory/limit' }]), {
    code: 'unsupported', message: `${directory}: expected a cgroup filesystem, found another one; nothing was written`,
  });
  assert.equal(existsSync(join(directory, 'memory.max')), false);
});

test('a missing file of a cgroup is not made', { skip: reason }, (context) => {
  const paths = cgroupFor(context);
  const [controller = ''] = Object.keys(paths);
  const write = { controller, file: 'no.such', value: '1', why: '/linux/resources' };
  assert.throws(() => applyWrites(paths, [write]), { code: 'kernel-refused' });
  applyWrites(paths, [{ ...write, optional: true }]);
});
