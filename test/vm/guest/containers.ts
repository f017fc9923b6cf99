// Runs in the guest: containers of delos-oci on a stock kernel, on cgroup v2 alone, with what build machines lack.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { inspect } from 'node:util';
import { makeBundle, script, type Bundle, type ConfigChange, type TestConfig } from '../../support/bundle.ts';
import { runDelos, startDelos, type Outcome } from '../../support/delos.ts';
import { assertNoLeaks, leaks } from '../../support/leaks.ts';
import { newId } from '../../support/marker.ts';

/** Every command takes about a second here. */
const timeoutMs = 60_000;

type Resources = NonNullable<TestConfig['linux']['resources']>;

function limited(text: string, resources: Resources, change: ConfigChange = (config) => config): ConfigChange {
  return script(text, (config) => {
    const changed = change(config) as TestConfig;
    return { ...changed, linux: { ...changed.linux, resources: { ...changed.linux.resources, ...resources } } };
  });
}

function changed(part: Partial<TestConfig['process']>): ConfigChange {
  return (config) => ({ ...config, process: { ...config.process, ...part } });
}

/** What the container has printed; it must end well, and leave nothing behind. */
async function printed(change: ConfigChange, ...flags: string[]): Promise<string> {
  using bundle = makeBundle(change);
  const before = leaks();
  const outcome = runDelos([...flags, 'run', newId()], { bundle, timeoutMs });
  assert.deepEqual(failureOf(outcome), { status: 0, stderr: '' }, inspect(outcome));
  await assertNoLeaks(before, 5000);
  return outcome.stdout;
}

function failureOf({ status, stderr }: Outcome): { status: number | null; stderr: string } {
  return { status, stderr };
}

/** A container that runs until it is deleted; it has printed something when this returns. */
async function running(context: TestContext, bundle: Bundle): Promise<{ id: string; outcome: Promise<Outcome> }> {
  const id = newId();
  const { child, outcome } = startDelos(['run', id], { bundle, timeoutMs });
  context.after(() => {
    runDelos(['delete', '--force', id], { timeoutMs });
  });
  const said = new Promise((resolve) => child.stdout?.once('data', resolve));
  const early = await Promise.race([said.then(() => undefined), outcome]);
  assert.equal(early, undefined, early?.stderr);
  return { id, outcome };
}

/** A shell's line for each file of the container's own cgroup, `name=content`; the lines of a longer file are joined by `;`. */
function show(files: readonly string[]): string {
  return `cd /sys/fs/cgroup; for file in ${files.join(' ')}; do echo "$file=$(tr '\\n' ';' <$file)"; done`;
}

test('every limit of cgroup v2 arrives in the kernel', async () => {
  fs.writeFileSync('/sys/block/nullb0/queue/scheduler', 'bfq');
  const [major = 0, minor = 0] = fs.readFileSync('/sys/block/nullb0/dev', 'utf8').split(':').map(Number);
  const device = `${major}:${minor}`;
  const expected = {
    'cpu.max': '50000 100000;', 'cpu.max.burst': '10000;', 'cpu.weight': '59;', 'cpuset.cpus': '1;', 'cpuset.cpus.effective': '1;', 'cpuset.mems': '0;',
    'memory.max': '67108864;', 'memory.low': '33554432;', 'memory.swap.max': '33554432;', 'memory.high': '50331648;', 'memory.oom.group': '1;',
    'pids.max': '20;', 'hugetlb.2MB.max': '4194304;', 'hugetlb.2MB.rsvd.max': '4194304;', 'cgroup.max.depth': '3;',
    'io.max': `${device} rbps=1048576 wbps=2097152 riops=100 wiops=200;`, 'io.bfq.weight': 'default 500;',
  };
  const rate = (value: number) => [{ major, minor, rate: value }];
  const output = await printed(limited(show(Object.keys(expected)), {
    cpu: { shares: 512, quota: 50_000, period: 100_000, burst: 10_000, cpus: '1', mems: '0' },
    memory: { limit: 64 << 20, reservation: 32 << 20, swap: 96 << 20 },
    pids: { limit: 20 },
    blockIO: {
      weight: 500, throttleReadBpsDevice: rate(1 << 20), throttleWriteBpsDevice: rate(2 << 20),
      throttleReadIOPSDevice: rate(100), throttleWriteIOPSDevice: rate(200),
    },
    hugepageLimits: [{ pageSize: '2MB', limit: 4 << 20 }],
    unified: { 'memory.high': String(48 << 20), 'memory.oom.group': '1', 'cgroup.max.depth': '3' },
  }));
  assert.deepEqual(output.trim().split('\n'), Object.entries(expected).map(([file, text]) => `${file}=${text}`));
});

test('the container is in its own cgroup from its first instruction, and that is the root of its view', async () => {
  using bundle = makeBundle(script('cat /proc/self/cgroup; ls /sys/fs/cgroup/cgroup.controllers; cat /sys/fs/cgroup/cgroup.procs'));
  const plan = runDelos(['--explain', 'run', '--bundle', bundle.path, newId()], { timeoutMs });
  assert.match(plan.stdout, /CLONE_INTO_CGROUP/);
  assert.doesNotMatch(plan.stdout, /path: "\/[^"]*\/cgroup\.procs"/);
  const { stdout, stderr, status } = runDelos(['run', newId()], { bundle, timeoutMs });
  assert.deepEqual({ stderr, status }, { stderr: '', status: 0 });
  assert.match(stdout, /^0::\/\n\/sys\/fs\/cgroup\/cgroup.controllers\n1\n(\d+\n)?$/);
});

test('the device program lets through what is listed, and nothing else', async () => {
  const tries = [
    'mknod /tmp/port c 1 4; mknod /tmp/mem c 1 1; mknod /tmp/disk b 7 0', 'head -c 1 /dev/zero | wc -c', 'echo >/dev/full; echo "full $?"',
    'true </tmp/port && echo "read port"', '(true >/tmp/port) || echo "no write port"', '(true </tmp/mem) || echo "no mem"', '(true </tmp/disk) || echo "no disk"',
  ].join('; ');
  // Without the program, root with CAP_SYS_RAWIO opens all of them.
  const capabilities = (config: TestConfig): TestConfig['process']['capabilities'] => {
    const names = [...(config.process.capabilities.bounding ?? []), 'CAP_MKNOD', 'CAP_SYS_RAWIO'];
    return { bounding: names, effective: names, permitted: names };
  };
  using bundle = makeBundle(limited(tries, {
    devices: [{ allow: false, access: 'rwm' }, { allow: true, type: 'c', major: 1, minor: 4, access: 'r' }],
  }, (config) => changed({ capabilities: capabilities(config) })(config)));
  const { stdout, stderr, status } = runDelos(['run', newId()], { bundle, timeoutMs });
  assert.equal(stdout, '1\nfull 1\nread port\nno write port\nno mem\nno disk\n', stderr);
  assert.equal(status, 0);
  assert.equal(stderr.match(/Operation not permitted/g)?.length, 3, stderr);
});

test('a process over the memory limit is killed, the container lives on and sees it counted', async () => {
  const output = await printed(limited('(head -c 64m /dev/zero | tail) 2>/dev/null; echo "tail $?"; grep oom_kill /sys/fs/cgroup/memory.events', {
    memory: { limit: 16 << 20, swap: 16 << 20 },
  }));
  assert.match(output, /^tail 137\noom_kill [1-9]/);
});

test('a paused container stands still, and delete --force ends it', async (context) => {
  using bundle = makeBundle(script('echo running; while :; do :; done', (config) => ({ ...config, linux: { ...config.linux, cgroupsPath: '/delos-vm/paused' } })));
  const before = leaks();
  const { id, outcome } = await running(context, bundle);
  const ok = (...args: string[]): string => {
    const result = runDelos(args, { timeoutMs });
    assert.deepEqual(failureOf(result), { status: 0, stderr: '' });
    return result.stdout;
  };
  const file = (name: string): string => fs.readFileSync(`/sys/fs/cgroup/delos-vm/paused/${name}`, 'utf8');
  ok('pause', id);
  assert.equal(file('cgroup.freeze'), '1\n');
  assert.match(file('cgroup.events'), /frozen 1/);
  const used = (): string | undefined => /usage_usec (\d+)/.exec(file('cpu.stat'))?.[1];
  const usedBefore = used();
  assert.equal((JSON.parse(ok('state', id)) as { status: string }).status, 'paused');
  assert.equal(used(), usedBefore);
  ok('delete', '--force', id);
  assert.equal((await outcome).status, 137);
  assert.equal(fs.existsSync('/sys/fs/cgroup/delos-vm/paused'), false);
  fs.rmdirSync('/sys/fs/cgroup/delos-vm');
  await assertNoLeaks(before, 5000);
});

test('limits are raised above those of the runtime, and the score is lowered', async () => {
  const hardest = Number(/Max open files\s+\d+\s+(\d+)/.exec(fs.readFileSync('/proc/self/limits', 'utf8'))?.[1]);
  const wanted = hardest * 2;
  const output = await printed(script('ulimit -Hn; ulimit -Sn; cat /proc/self/oom_score_adj; grep CapEff /proc/self/status', changed({
    rlimits: [{ type: 'RLIMIT_NOFILE', soft: hardest + 1, hard: wanted }], oomScoreAdj: -500, capabilities: {},
  })));
  assert.equal(output, `${wanted}\n${hardest + 1}\n-500\nCapEff:\t0000000000000000\n`);
});

const profile = 'delos-vm-test';
/** The pipes that Node makes are sockets, hence `unix`. No signal comes in. */
const profileText = `
profile ${profile} flags=(attach_disconnected, mediate_deleted) {
  file,
  capability,
  unix,
  deny /tmp/secret rw,
}
`;
const noParser = spawnSync('sh', ['-c', 'command -v apparmor_parser']).status === 0 ? false : 'apparmor_parser is not installed (Debian: apparmor)';

function loadProfile(): void {
  const { status, stderr } = spawnSync('apparmor_parser', ['--replace', '--skip-cache'], { input: profileText, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
}

for (const noNewPrivileges of [true, false]) {
  test(`an AppArmor profile confines the container${noNewPrivileges ? ', with no_new_privs as well' : ''}`, { skip: noParser }, async () => {
    loadProfile();
    const text = 'cat /proc/self/attr/current; echo x >/tmp/open; cat /tmp/open; (echo x >/tmp/secret) 2>/dev/null || echo denied';
    const output = await printed(script(text, changed({ apparmorProfile: profile, noNewPrivileges })));
    assert.equal(output, `${profile} (enforce)\nx\ndenied\n`);
  });
}

test('a process that joins is confined as well, and kill KILL and delete --force need no signal that the profile would let in', { skip: noParser }, async (context) => {
  loadProfile();
  using bundle = makeBundle(script('echo running; exec sleep 1000', changed({ apparmorProfile: profile })));
  const { id, outcome } = await running(context, bundle);
  const { stdout, stderr } = runDelos(['exec', id, 'cat', '/proc/self/attr/current', '/proc/self/cgroup'], { timeoutMs });
  assert.equal(stdout, `${profile} (enforce)\n0::/\n`, stderr);
  assert.equal(runDelos(['kill', id, 'TERM'], { timeoutMs }).status, 1);
  assert.equal(runDelos(['kill', id, 'KILL'], { timeoutMs }).status, 0);
  assert.deepEqual(failureOf(runDelos(['delete', '--force', id], { timeoutMs })), { status: 0, stderr: '' });
  assert.equal((await outcome).status, 137);
});

test('a container that has moved into a cgroup below its own can be joined there', async (context) => {
  const writable: ConfigChange = (config) => ({ ...config, mounts: config.mounts.map((one) => (one.type === 'cgroup' ? { ...one, options: ['nosuid', 'noexec', 'nodev'] } : one)) });
  using bundle = makeBundle(script('cd /sys/fs/cgroup; mkdir main; echo $$ >main/cgroup.procs; echo +pids >cgroup.subtree_control; echo running; exec sleep 1000', writable));
  const { id } = await running(context, bundle);
  const { stdout, stderr } = runDelos(['exec', id, 'cat', '/proc/self/cgroup'], { timeoutMs });
  assert.deepEqual({ stdout, stderr }, { stdout: '0::/main\n', stderr: '' });
});

test('a profile that is not loaded stops the container from being made', async () => {
  using bundle = makeBundle(changed({ apparmorProfile: 'delos-not-loaded' }));
  const before = leaks();
  const { status, stderr } = runDelos(['run', newId()], { bundle, timeoutMs });
  assert.notEqual(status, 0);
  assert.match(stderr, /apparmorProfile/);
  await assertNoLeaks(before, 5000);
});

/** What a program can see of its container, without what differs from one to the next. */
const view = [
  'cat /proc/self/cgroup; cat /proc/self/limits; cat /proc/self/oom_score_adj; cat /proc/self/attr/current; id; umask; pwd; hostname',
  "grep -E '^(Cap|NoNewPrivs|Seccomp|Cpus_allowed_list|Groups|Uid|Gid)' /proc/self/status",
  // Masks are the host's /dev/null here and the container's there, and are made in another order.
  String.raw`awk '{ print $5, $6, $(NF-2) }' /proc/self/mountinfo | sed -E 's,^(/proc/(kcore|keys|timer_list)) .*,\1 masked,' | sort`,
  'env | sort; ls -ln /dev | awk \'{ print $1, $3, $4, $5, $6, $NF }\'',
  show(['cpu.max', 'cpuset.cpus', 'memory.max', 'memory.low', 'memory.swap.max', 'pids.max', 'cgroup.subtree_control', 'cgroup.type']),
].join('; ');

function runPeer(peer: string, bundle: Bundle): string {
  const { stdout, stderr, status } = spawnSync(peer, ['--root', path.join('/run', peer), 'run', '--bundle', bundle.path, newId()], { encoding: 'utf8', timeout: timeoutMs });
  assert.equal(status, 0, stderr);
  return stdout;
}

for (const peer of ['runc', 'crun']) {
  const skip = spawnSync('sh', ['-c', 'command -v "$0"', peer]).status === 0 ? false : `${peer} is not installed`;
  test(`a program sees the same in a container of ${peer}`, { skip }, () => {
    using bundle = makeBundle(limited(view, {
      cpu: { quota: 20_000, period: 100_000, cpus: '0' }, memory: { limit: 64 << 20, reservation: 32 << 20, swap: 96 << 20 }, pids: { limit: 50 },
    }, (config) => ({
      ...changed({ oomScoreAdj: -500, rlimits: [{ type: 'RLIMIT_NOFILE', soft: 100_000, hard: 200_000 }] })(config) as TestConfig,
      // The newest that Debian 12's peers know.
      ociVersion: '1.0.2',
    })));
    const { stdout, stderr } = runDelos(['run', newId()], { bundle, timeoutMs });
    assert.deepEqual(stdout.split('\n'), runPeer(peer, bundle).split('\n'), stderr);
  });
}
