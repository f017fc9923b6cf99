import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseConfig } from '../oci/config/parse.ts';
import type { Config } from '../oci/config/types.ts';
import { defaultProfile } from '../seccomp/default-profile.ts';
import { defaultCapabilities } from './capabilities.ts';
import { everydayConfig, everydayWarnings } from './config.ts';
import type { HostFacts } from './facts.ts';
import { everydayNeeds } from './facts.ts';
import { everydaySources, everydayVolumes } from './mounts.ts';
import { host, image, ordinary, parseRun, parseRunWords } from './testing/surroundings.ts';

function configOf(line: string, seen: HostFacts = host): Config {
  return everydayConfig(parseRun(line), image, seen);
}

function mountAt(config: Config, destination: string): { type?: string; source?: string; options?: readonly string[] } | undefined {
  const found = config.mounts?.filter((mount) => mount.destination === destination) ?? [];
  assert.ok(found.length <= 1, `${found.length} mounts at ${destination}`);
  return found[0];
}

/** [golden file, command line, host] The files are read in review; UPDATE_GOLDEN=1 writes them anew. */
const goldens: [string, string, HostFacts][] = [
  ['plain', 'run alpine', host],
  ['limited', 'run --rm -it --name web -e A=1 -e EDITOR -w /srv -u alice -m 512m --cpus 1.5 --pids-limit 64 --ulimit nofile=1024:2048 alpine ls -la', host],
  ['shared', 'run --network host --pid host --ipc container:web --uts host -v /data:/data:ro --device /dev/kvm --cap-drop ALL --cap-add net_admin alpine', host],
  ['privileged', 'run --privileged --read-only --tmpfs /run:size=1m --init alpine id', host],
  ['rootless', 'run -t alpine', ordinary],
];
for (const [name, line, seen] of goldens) {
  test(`golden ${name}: delos ${line}`, () => {
    const { linux: { seccomp, ...linux } = {}, ...config } = configOf(line, seen);
    // The profile has tests of its own; here it matters that there is one.
    const shown = { ...config, linux: { ...linux, seccomp: seccomp === undefined ? 'none' : `${seccomp.defaultAction} by default` } };
    const text = `${JSON.stringify(shown, null, 2)}\n`;
    const file = new URL(`testing/${name}.json`, import.meta.url);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, text);
    assert.equal(text, readFileSync(file, 'utf8'));
  });

  test(`what is made of ${line} is a valid config.json`, () => {
    const config = configOf(line, seen);
    assert.deepEqual(parseConfig(JSON.stringify(config)), config);
  });
}

test('environment: defaults, image, files, flags, the later ones winning', () => {
  const files = { 'a.env': 'A=file\nB=file\n' };
  const { process } = configOf('run --env-file a.env -e B=flag -t alpine', { ...host, files });
  assert.deepEqual(process?.env, ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'HOSTNAME=0123456789ab', 'TERM=xterm', 'HOME=/root', 'LANG=C.UTF-8', 'A=file', 'B=flag']);
});

test('the command line follows docker\'s rules of entrypoint and command', () => {
  const withEntrypoint = { ...image, entrypoint: ['/entry', '--x'] };
  const args = (words: string[]): readonly string[] | undefined => everydayConfig(parseRunWords(words), withEntrypoint, host).process?.args;
  assert.deepEqual(args(['run', 'i']), ['/entry', '--x', '/bin/sh']);
  assert.deepEqual(args(['run', 'i', 'ls', '-l']), ['/entry', '--x', 'ls', '-l']);
  assert.deepEqual(args(['run', '--entrypoint', 'id', 'i', '-u']), ['id', '-u']);
  assert.deepEqual(args(['run', '--entrypoint=', 'i', 'ls']), ['ls']);
  assert.deepEqual(args(['run', '--init', '--entrypoint', 'id', 'i']), ['/dev/init', '--', 'id']);
  assert.throws(() => args(['run', '--entrypoint=', 'i']), { code: 'bad-usage' });
});

test('capabilities: the default is 0xa80425fb, and only root has them in effect', () => {
  assert.equal(configOf('run i').process?.capabilities?.effective?.length, 14);
  assert.deepEqual(configOf('run -u 1000 i').process?.capabilities, { bounding: defaultCapabilities });
});

test('a mount of the user takes the place of a standard one', () => {
  const config = configOf('run -v /mine:/dev/shm --tmpfs /a/b -v /c:/a i');
  assert.deepEqual(mountAt(config, '/dev/shm'), { destination: '/dev/shm', type: 'bind', source: '/mine', options: ['rbind', 'rprivate'] });
  const order = config.mounts?.map((mount) => mount.destination) ?? [];
  assert.ok(order.indexOf('/a') < order.indexOf('/a/b'), 'parents come first');
  assert.equal(mountAt(configOf('run -v /dev:/dev i'), '/dev/pts'), undefined);
});

test('binds: relative sources, volumes, propagation, read-only', () => {
  const config = configOf('run -v ./x:/x -v data:/data -v /anon --mount type=bind,src=/s,dst=/s,bind-propagation=rshared,readonly i');
  assert.equal(mountAt(config, '/x')?.source, '/work/x');
  assert.equal(mountAt(config, '/data')?.source, '/var/lib/delos/volumes/data/_data');
  assert.deepEqual(mountAt(config, '/s')?.options, ['rbind', 'rshared', 'ro', 'rro']);
  assert.equal(config.linux?.rootfsPropagation, 'shared');
  const old = configOf('run -v /a:/a:ro i', { ...host, kernel: { release: '5.10.0', major: 5, minor: 10 } });
  assert.deepEqual(mountAt(old, '/a')?.options, ['rbind', 'rprivate', 'ro']);
});

test('what must be made or looked up beforehand', () => {
  const options = parseRun('run -v ./x:/x -v data:/data -v /anon --env-file e --security-opt seccomp=p.json --device /dev/kvm:r --pid container:web --device-read-bps /dev/sda:1m i');
  assert.deepEqual(everydaySources(options, host), ['/work/x']);
  assert.deepEqual(everydayVolumes(options, host).map(({ name, target, anonymous }) => [name, target, anonymous]),
    [['data', '/data', false], [`${options.id}-2`, '/anon', true]]);
  assert.deepEqual(everydayNeeds(options), { files: ['e', 'p.json'], devices: ['/dev/kvm', '/dev/sda'], containers: ['web'] });
  assert.deepEqual(everydayNeeds(parseRun('run --security-opt seccomp=unconfined i')), { files: [], devices: [], containers: [] });
});

test('a directory of devices stands for all in it', () => {
  const { linux } = configOf('run --device /dev/snd:/dev/sound:rw i');
  assert.deepEqual(linux?.devices?.map((device) => device.path), ['/dev/sound/seq', '/dev/sound/timer']);
  assert.deepEqual(linux?.resources?.devices?.at(-1), { allow: true, type: 'c', major: 116, minor: 33, access: 'rw' });
});

test('a privileged container gets the host\'s devices, but keeps its own terminals and standard devices', () => {
  const fact = { type: 'c', major: 1, minor: 3, mode: 0o666, uid: 0, gid: 0 } as const;
  const seen = { ...host, devices: { '/dev/kvm': fact, '/dev/null': fact, '/dev/pts/0': fact, '/dev/ttyS0': fact, '/dev/ptmx': fact } };
  assert.deepEqual(configOf('run --privileged i', seen).linux?.devices?.map((device) => device.path), ['/dev/kvm', '/dev/ttyS0']);
});

test('seccomp', () => {
  const profile = JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW' });
  const seen = { ...host, files: { 'p.json': profile } };
  assert.equal(configOf('run --security-opt seccomp=unconfined i').linux?.seccomp, undefined);
  assert.equal(configOf('run --privileged i').linux?.seccomp, undefined);
  assert.equal(configOf('run --privileged --security-opt seccomp=p.json i', seen).linux?.seccomp?.defaultAction, 'SCMP_ACT_ALLOW');
  assert.deepEqual(configOf('run --cap-add sys_ptrace i').linux?.seccomp, defaultProfile([...defaultCapabilities, 'CAP_SYS_PTRACE'], host.kernel));
});

test('an ordinary user with a single id gets a container of that id', () => {
  const config = configOf('run i', { ...ordinary, subuids: [], subgids: [] });
  assert.deepEqual(config.linux?.uidMappings, [{ containerID: 0, hostID: 1000, size: 1 }]);
  assert.deepEqual(config.process?.user, { uid: 0, gid: 0 });
  assert.ok(!mountAt(config, '/dev/pts')?.options?.includes('gid=5'));
  assert.throws(() => configOf('run -u alice i', { ...ordinary, subuids: [], subgids: [] }), { code: 'unsupported', message: /^user 1000 has no id outside/ });
  assert.throws(() => configOf('run --group-add 0 i', { ...ordinary, subuids: [], subgids: [] }), { code: 'unsupported' });
});

test('an ordinary user on the host\'s network and pids gets their views bound', () => {
  const config = configOf('run --network host --pid host i', ordinary);
  assert.deepEqual(mountAt(config, '/sys'), { destination: '/sys', type: 'bind', source: '/sys', options: ['rbind', 'nosuid', 'noexec', 'nodev', 'ro'] });
  assert.equal(mountAt(config, '/proc')?.type, 'bind');
});

test('limits that cannot be set are left out, and one line says so', () => {
  const line = 'run -m 64m --cpus 1 --pids-limit 9 i';
  assert.equal(configOf(line, ordinary).linux?.resources, undefined);
  assert.deepEqual(everydayWarnings(parseRun(line), ordinary),
    ["limits that cannot be set are left out: --memory, --cpus, --pids-limit (no cgroup here can be written to; 'delos doctor' tells more)"]);
  assert.deepEqual(everydayWarnings(parseRun(line), host), []);
  assert.deepEqual(everydayWarnings(parseRun('run i'), ordinary), []);
  assert.throws(() => configOf('run -m 64m --memory-swap 32m i', ordinary), { code: 'bad-usage' }, 'a bad value is refused all the same');
});

/** Each is one line, and says which flag. */
const refused: [string, RegExp][] = [
  ['-m 1m', /^invalid --memory '1MiB': the least is 6m/],
  ['-m 64m --memory-swap 32m', /--memory-swap/],
  ['--memory-swap 64m', /--memory-swap needs --memory/],
  ['-m 64m --memory-reservation 128m', /--memory-reservation is above --memory/],
  ['--memory-swappiness 101', /memory-swappiness/],
  ['--cpus 5', /^invalid --cpus '5': this host has 4 CPUs/],
  ['--cpus 0.001', /--cpus/],
  ['--cpus 1 --cpu-quota 5000', /conflicting options: --cpus/],
  ['--cpu-period 10', /--cpu-period/],
  ['--cpu-quota 10', /--cpu-quota/],
  ['--cpu-shares=-1', /--cpu-shares/],
  ['--cpuset-cpus 3-1', /--cpuset-cpus/],
  ['--cpuset-mems a', /--cpuset-mems/],
  ['--pids-limit -2', /--pids-limit/],
  ['--blkio-weight 5', /--blkio-weight/],
  ['--device /dev/none', /this host has no device \/dev\/none/],
  ['--device-read-bps /dev/none:1m', /this host has no device \/dev\/none/],
  ['--cap-add BOGUS', /--cap-add 'BOGUS': there is no such capability/],
  ['--cap-drop x', /--cap-drop/],
  ['--security-opt bogus=1', /--security-opt/],
  ['--security-opt seccomp=missing.json', /missing\.json: the profile could not be read/],
  ['--security-opt apparmor=x', /this kernel has no AppArmor/],
  ['--security-opt label=type:x', /this kernel has no SELinux/],
  ['--env-file missing', /--env-file missing: the file could not be read/],
  ['--oom-score-adj 2000', /--oom-score-adj/],
  ['--ulimit x', /--ulimit/],
  ['--network container:nope', /no such running container/],
  ['--pid bogus', /^invalid --pid 'bogus': expected private, host, container/],
  ['--uts container:web', /^invalid --uts/],
  ['--ipc container:', /--ipc/],
  ['--hostname x --uts host', /--hostname and --uts host/],
  ['--hostname -x', /--hostname/],
  ['--hostname ' + 'a'.repeat(65), /--hostname/],
  ['--userns private', /--userns/],
  ['--uidmap 0:1:0', /--uidmap/],
  ['--uidmap 0:1000:10 --uidmap 5:2000:10', /--uidmap '5:2000:10': its ids overlap/],
  ['--uidmap 0:1000:10 --userns host', /--userns host and --uidmap/],
  ['--sysctl kernel.panic=1', /kernel\.panic.*belongs to no namespace/],
  ['--sysctl net.core.somaxconn=1 --network host', /the network namespace is not/],
  ['-u nobody', /^unable to find user nobody: no matching entries in passwd file$/],
  ['--group-add nogroup', /^unable to find group nogroup/],
  ['-w relative', /--workdir/],
  ['-v /a:/x -v /b:/x/', /two mounts at \/x/],
  ['-e =x', /environment variable '=x'/],
  ['--annotation =x', /--annotation/],
  ['--cgroup-parent /a/../..', /--cgroup-parent/],
];
for (const [flags, message] of refused) {
  test(`refused: ${flags.slice(0, 60)}`, () => {
    assert.throws(() => configOf(`run ${flags} i`), (error) =>
      error instanceof Error && error.name === 'DelosError' && !error.message.includes('\n') && (assert.match(error.message, message), true));
  });
}
