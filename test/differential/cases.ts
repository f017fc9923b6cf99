import fs from 'node:fs';
import path from 'node:path';
import type { Hook, Mount, Resources } from '../../src/oci/config/types.ts';
import { without, type ConfigChange, type TestConfig } from '../support/bundle.ts';
import { all, inUserNamespace } from '../support/capability.ts';
import type { Case } from './observe.ts';

type ProcessChange = Partial<TestConfig['process']>;

const withProcess = (change: ProcessChange): ConfigChange => (config) => ({ ...config, process: { ...config.process, ...change } });
const withLinux = (change: Partial<TestConfig['linux']>): ConfigChange => (config) => ({ ...config, linux: { ...config.linux, ...change } });
const withMounts = (...mounts: readonly Mount[]): ConfigChange => (config) => ({ ...config, mounts: [...config.mounts, ...mounts] });
const withResources = (resources: Resources): ConfigChange => withLinux({ resources });
const withShell = (text: string): ConfigChange => withProcess({ args: ['sh', '-c', text] });
const same: ConfigChange = (config) => config;
const withoutHostname: ConfigChange = (config) => without(config, 'hostname');

const namespaces = (change: (all: readonly { readonly type: string; readonly path?: string }[]) => readonly object[]): ConfigChange =>
  (config) => ({ ...config, linux: { ...config.linux, namespaces: change(config.linux.namespaces) } });

const bind = (source: string, destination: string, ...options: readonly string[]): Mount => ({ type: 'bind', source, destination, options: ['bind', ...options] });
const tmpfs = (destination: string, ...options: readonly string[]): Mount => ({ type: 'tmpfs', source: 'tmpfs', destination, options });

/** On the host: a folder with a mount inside, a file, all of it below the bundle. */
const tree = 'mkdir -p "$1/tree/inner" && echo text >"$1/tree/file" && mount -t tmpfs inner "$1/tree/inner"';
const fileInBundle = ({ path: folder }: { readonly path: string }): void => fs.writeFileSync(path.join(folder, 'file'), 'text');
const folderInImage = ({ rootfs }: { readonly rootfs: string }): void => {
  fs.mkdirSync(path.join(rootfs, 'opt/inner'), { mode: 0o700 });
  fs.writeFileSync(path.join(rootfs, 'opt/file'), 'text', { mode: 0o640 });
  fs.chownSync(path.join(rootfs, 'opt/file'), 3, 4);
  fs.symlinkSync('file', path.join(rootfs, 'opt/link'));
};

const known = ['CAP_CHOWN', 'CAP_KILL', 'CAP_SYS_CHROOT', 'CAP_SYS_ADMIN', 'CAP_MKNOD', 'CAP_SETPCAP'];

const processes: readonly Case[] = [
  { name: 'as runc spec has it', config: same },
  { name: 'user, groups and umask', config: withProcess({ user: { uid: 1000, gid: 1000, additionalGids: [5, 20, 1000], umask: 0o27 } }) },
  { name: 'a user that /etc/passwd lacks', config: withProcess({ user: { uid: 4321, gid: 8765 } }) },
  { name: 'a user with capabilities', config: withProcess({ user: { uid: 1000, gid: 1000 }, capabilities: { bounding: known, permitted: known, effective: known, inheritable: known, ambient: known } }) },
  { name: 'different sets of capabilities', config: withProcess({ capabilities: { bounding: known, permitted: known.slice(0, 4), effective: known.slice(0, 2), inheritable: known.slice(1, 3), ambient: known.slice(1, 2) } }) },
  { name: 'no capabilities', config: withProcess({ capabilities: {} }) },
  { name: 'capabilities left out', config: (config) => ({ ...config, process: { ...config.process, capabilities: undefined } }) },
  { name: 'new privileges allowed', config: withProcess({ noNewPrivileges: false }) },
  { name: 'limits', config: withProcess({ rlimits: [{ type: 'RLIMIT_NOFILE', soft: 100, hard: 200 }, { type: 'RLIMIT_CORE', soft: 0, hard: 0 }, { type: 'RLIMIT_STACK', soft: 4 << 20, hard: 8 << 20 }, { type: 'RLIMIT_FSIZE', soft: 1 << 30, hard: 1 << 30 }, { type: 'RLIMIT_NPROC', soft: 50, hard: 60 }] }) },
  { name: 'no limits', config: withProcess({ rlimits: [] }) },
  { name: 'score of the OOM killer', config: withProcess({ oomScoreAdj: 500 }) },
  { name: 'a folder to begin in', config: withProcess({ cwd: '/tmp' }) },
  { name: 'a folder to begin in that is missing', config: withProcess({ cwd: '/opt/deep/er' }) },
  { name: 'a folder to begin in that is a file', config: withProcess({ cwd: '/etc/passwd' }) },
  { name: 'a folder to begin in that the user may not enter', config: withProcess({ cwd: '/root', user: { uid: 1000, gid: 1000 } }), image: ({ rootfs }) => fs.chmodSync(path.join(rootfs, 'root'), 0o700) },
  { name: 'an environment without PATH and HOME', config: withProcess({ env: ['A=1', 'B='], args: ['/bin/probe'] }) },
  { name: 'an environment with HOME, doubles and odd names', config: withProcess({ env: ['HOME=/tmp', 'PATH=/bin', 'A=1', 'A=2', 'with space=x', 'B=a=b'] }) },
  { name: 'an empty environment', config: withProcess({ env: [], args: ['/bin/probe'] }) },
  { name: 'a program found by PATH', config: withProcess({ env: ['PATH=/nowhere:/opt:/bin'], args: ['other'] }), image: ({ rootfs }) => fs.copyFileSync(path.join(rootfs, 'bin/probe'), path.join(rootfs, 'opt/other')) },
  { name: 'a program found from the folder to begin in', config: withProcess({ cwd: '/bin', args: ['./probe'] }) },
  { name: 'a program that is missing', config: withProcess({ args: ['missing'] }) },
  { name: 'a path to a program that is missing', config: withProcess({ args: ['/bin/missing'] }) },
  { name: 'a program without PATH', config: withProcess({ env: [], args: ['probe'] }) },
  { name: 'a program that may not be executed', config: withProcess({ args: ['/etc/passwd'] }) },
  { name: 'a folder as the program', config: withProcess({ args: ['/bin'] }) },
  { name: 'a program of an unknown format', config: withProcess({ args: ['/opt/text'] }), image: ({ rootfs }) => fs.writeFileSync(path.join(rootfs, 'opt/text'), 'text', { mode: 0o755 }) },
  { name: 'a program whose interpreter is missing', config: withProcess({ args: ['/opt/text'] }), image: ({ rootfs }) => fs.writeFileSync(path.join(rootfs, 'opt/text'), '#!/nowhere\n', { mode: 0o755 }) },
  { name: 'no arguments', config: withProcess({ args: [] }) },
  { name: 'exit code 0', config: withShell('exit 0') },
  { name: 'exit code 42', config: withShell('exit 42') },
  { name: 'exit code 255', config: withShell('exit 255') },
  { name: 'killed by itself', config: withShell('sh -c "kill -9 \\$\\$"; echo $?; exit 3') },
  { name: 'killed by SIGTERM', config: all(namespaces((list) => list.filter(({ type }) => type !== 'pid')), withShell('kill -TERM $$; sleep 5')) },
  { name: 'killed by SIGKILL', config: all(namespaces((list) => list.filter(({ type }) => type !== 'pid')), withShell('kill -KILL $$; sleep 5')) },
  { name: 'input', config: withProcess({ args: ['cat'] }), input: 'one\ntwo\n' },
  { name: 'no input', config: withShell('cat; echo "read $?"'), input: null },
  { name: 'both outputs', config: withShell('echo out; echo err >&2'), input: null },
  { name: 'descriptors beside stdio stay out', config: withShell('ls /proc/self/fd | wc -l'), input: null },
];

const filesystems: readonly Case[] = [
  { name: 'a root that is read-only', config: (config) => ({ ...config, root: { path: 'rootfs', readonly: true } }) },
  { name: 'a root that is missing', config: (config) => ({ ...config, root: { path: 'nowhere' } }) },
  ...(['shared', 'slave', 'private', 'unbindable', 'rshared', 'rslave', 'rprivate', 'runbindable'] as const).map((rootfsPropagation) => ({ name: `propagation of the root: ${rootfsPropagation}`, config: withLinux({ rootfsPropagation }) })),
  ...['shared', 'slave', 'private', 'unbindable', 'rshared', 'rslave', 'rprivate', 'runbindable'].map((option) => ({
    name: `a mount that is ${option}`, config: withMounts(bind('$BUNDLE/tree', '/mnt', 'rbind', option)), setup: `${tree}; mount --bind "$1/tree" "$1/tree"; mount --make-rshared "$1/tree"`,
  })),
  { name: 'a folder', config: withMounts(bind('$BUNDLE/tree', '/mnt')), setup: tree },
  { name: 'a folder and what is mounted in it', config: withMounts(bind('$BUNDLE/tree', '/mnt', 'rbind')), setup: tree },
  { name: 'a folder with flags', config: withMounts(bind('$BUNDLE/tree', '/mnt', 'ro', 'nosuid', 'nodev', 'noexec', 'noatime')), setup: tree },
  { name: 'a tree with flags', config: withMounts(bind('$BUNDLE/tree', '/mnt', 'rbind', 'ro', 'nosuid')), setup: tree },
  { name: 'a tree that is read-only all the way down', config: withMounts(bind('$BUNDLE/tree', '/mnt', 'rbind', 'rro')), setup: tree },
  { name: 'a tree with other recursive flags', config: withMounts(bind('$BUNDLE/tree', '/mnt', 'rbind', 'rnosuid', 'rnoexec', 'rnoatime')), setup: tree },
  { name: 'a file', config: withMounts(bind('$BUNDLE/file', '/mnt/new/file', 'ro')), image: fileInBundle },
  { name: 'a file over a file', config: withMounts(bind('$BUNDLE/file', '/etc/passwd')), image: fileInBundle },
  { name: 'a device', config: withMounts(bind('/dev/null', '/mnt/null')) },
  { name: 'a source relative to the bundle', config: withMounts(bind('file', '/mnt/file')), image: fileInBundle },
  { name: 'a source that is missing', config: withMounts(bind('/nowhere', '/mnt')) },
  { name: 'a destination through a link', config: withMounts(tmpfs('/opt/link/in')), image: ({ rootfs }) => fs.symlinkSync('/mnt', path.join(rootfs, 'opt/link')) },
  { name: 'a destination through a link that leads out', config: withMounts(tmpfs('/opt/link')), image: ({ rootfs }) => fs.symlinkSync('../../../../mnt', path.join(rootfs, 'opt/link')) },
  { name: 'a tmpfs', config: withMounts(tmpfs('/mnt')) },
  { name: 'a tmpfs with size, mode and flags', config: withMounts(tmpfs('/mnt', 'size=1m', 'mode=1700', 'noexec', 'nr_inodes=100', 'uid=5')) },
  { name: 'a tmpfs over a folder with rights of its own', config: withMounts(tmpfs('/opt')), image: ({ rootfs }) => fs.chmodSync(path.join(rootfs, 'opt'), 0o1770) },
  { name: 'a tmpfs with what was below it', config: withMounts(tmpfs('/opt', 'tmpcopyup')), image: folderInImage },
  { name: 'a tmpfs that is read-only', config: withMounts(tmpfs('/mnt', 'ro')) },
  { name: 'times', config: withMounts(tmpfs('/mnt', 'noatime'), tmpfs('/opt', 'strictatime', 'nodiratime')) },
  { name: 'options that undo others', config: withMounts(tmpfs('/mnt', 'ro', 'rw', 'nosuid', 'suid', 'noexec', 'exec', 'nodev', 'dev')) },
  { name: 'defaults', config: withMounts(tmpfs('/mnt', 'defaults')) },
  { name: 'synchronous', config: withMounts(tmpfs('/mnt', 'sync', 'dirsync', 'mand')) },
  { name: 'an overlay', config: withMounts({ type: 'overlay', source: 'overlay', destination: '/mnt', options: ['lowerdir=$BUNDLE/lower', 'upperdir=$BUNDLE/upper', 'workdir=$BUNDLE/work'] }), setup: 'mkdir "$1/lower" "$1/upper" "$1/work"' },
  { name: 'an unknown filesystem', config: withMounts({ type: 'nothing', source: 'none', destination: '/mnt' }) },
  { name: 'an unknown option', config: withMounts(tmpfs('/mnt', 'nothing=1')) },
  { name: 'cgroups that can be written to', config: (config) => ({ ...config, mounts: config.mounts.map((mount) => (mount.type === 'cgroup' ? { ...mount, options: ['nosuid', 'noexec', 'nodev', 'rw'] } : mount)) }) },
  { name: 'no mounts but proc', config: (config) => ({ ...config, mounts: config.mounts.filter(({ type }) => type === 'proc') }) },
  { name: 'other paths masked and read-only', config: withLinux({ maskedPaths: ['/opt', '/etc/passwd', '/nowhere'], readonlyPaths: ['/mnt', '/bin/probe', '/nowhere'] }) },
  { name: 'nothing masked and nothing read-only', config: withLinux({ maskedPaths: [], readonlyPaths: [] }) },
];

const withNamespace = (type: string, where: string): ConfigChange => namespaces((list) => list.map((one) => (one.type === type ? { type, path: where } : one)));

const isolation: readonly Case[] = [
  ...['pid', 'network', 'ipc', 'uts', 'cgroup'].map((type) => ({
    name: `without a namespace: ${type}`,
    config: all(type === 'uts' ? withoutHostname : same, namespaces((list) => list.filter((one) => one.type !== type))),
  })),
  { name: 'the namespace of the network joined', config: withNamespace('network', '$BUNDLE/joined'), setup: 'touch "$1/joined"; unshare --net="$1/joined" ip link set lo up' },
  { name: 'the namespace of names joined', config: all(withoutHostname, withNamespace('uts', '$BUNDLE/joined')), setup: 'touch "$1/joined"; unshare --uts="$1/joined" hostname joined' },
  { name: 'the namespace of messages joined', config: withNamespace('ipc', '$BUNDLE/joined'), setup: 'touch "$1/joined"; unshare --ipc="$1/joined" true' },
  { name: 'a namespace to join that is missing', config: withNamespace('network', '/nowhere') },
  { name: 'a namespace to join of another type', config: withNamespace('network', '/proc/1/ns/uts') },
  { name: 'a namespace to join that is a file', config: withNamespace('network', '/etc/passwd') },
  { name: 'users from 100000 on', config: inUserNamespace, image: owned },
  {
    name: 'users in several ranges', config: all(inUserNamespace, withProcess({ user: { uid: 1000, gid: 1000, additionalGids: [2000] } }), withLinux({
      uidMappings: [{ containerID: 0, hostID: 100000, size: 1000 }, { containerID: 1000, hostID: 300000, size: 1 }, { containerID: 1001, hostID: 200000, size: 64000 }],
      gidMappings: [{ containerID: 0, hostID: 100000, size: 1000 }, { containerID: 1000, hostID: 300000, size: 5000 }],
    })), image: owned,
  },
  { name: 'users and a network of the host', config: all(inUserNamespace, namespaces((list) => list.filter(({ type }) => type !== 'network')), (config) => ({ ...config, mounts: config.mounts.map((one) => (one.type === 'sysfs' ? bind('/sys', '/sys', 'rbind', 'ro', 'nosuid') : one)).filter(({ type }) => type !== 'cgroup') })), image: owned },
  { name: 'a group that is not mapped', config: all(inUserNamespace, withProcess({ user: { uid: 0, gid: 99999 } })), image: owned },
  { name: 'a name for the domain', config: (config) => ({ ...config, domainname: 'example' }) },
  { name: 'no name for the host', config: withoutHostname },
  { name: 'a name for the host without its namespace', config: namespaces((list) => list.filter(({ type }) => type !== 'uts')) },
  { name: 'parameters of the kernel', config: withLinux({ sysctl: { 'net.ipv4.ip_forward': '1', 'net.ipv4.ping_group_range': '0 1000', 'net/core/somaxconn': '1024', 'kernel.shmmax': '65536', 'kernel.sem': '250 32000 32 64', 'fs.mqueue.msg_max': '20' } }) },
  { name: 'a parameter of the whole machine', config: withLinux({ sysctl: { 'kernel.panic': '0' } }) },
  { name: 'a parameter without its namespace', config: all(namespaces((list) => list.filter(({ type }) => type !== 'ipc')), withLinux({ sysctl: { 'kernel.shmmax': '65536' } })) },
  { name: 'devices', config: withLinux({ devices: [
    { path: '/dev/fuse', type: 'c', major: 10, minor: 229, fileMode: 0o600, uid: 5, gid: 6 }, { path: '/dev/deep/er', type: 'c', major: 1, minor: 3 },
    { path: '/dev/block', type: 'b', major: 7, minor: 0, fileMode: 0o660 }, { path: '/dev/pipe', type: 'p', fileMode: 0o644 }, { path: '/dev/null', type: 'c', major: 1, minor: 3, fileMode: 0o644 },
  ] }) },
  { name: 'a default device to which others are denied', config: all(withLinux({ devices: [{ path: '/dev/loop', type: 'b', major: 7, minor: 1 }] }), withShell('cat /dev/null; cat /dev/loop')), input: null },
  { name: 'system calls refused', config: withLinux({ seccomp: { defaultAction: 'SCMP_ACT_ALLOW', architectures: ['SCMP_ARCH_X86_64'], syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 95 }, { names: ['chroot'], action: 'SCMP_ACT_ERRNO' }] } }) },
  { name: 'a system call that kills', config: all(withLinux({ seccomp: { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_KILL_PROCESS' }] } }), withShell('mkdir /tmp/a; echo $?')), input: null },
  { name: 'an unknown system call in the profile', config: withLinux({ seccomp: { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['nothing'], action: 'SCMP_ACT_ERRNO' }] } }) },
  { name: 'a profile on a process that may gain privileges', config: all(withProcess({ noNewPrivileges: false, capabilities: { bounding: known, effective: known, permitted: known } }), withLinux({ seccomp: { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['chroot'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 }] } })) },
  { name: 'a personality', config: withLinux({ personality: { domain: 'LINUX32' } }) },
];

/** Ids from 100000 on own the image. */
function owned({ rootfs }: { readonly rootfs: string }): void {
  for (const name of ['.', ...fs.readdirSync(rootfs)]) fs.lchownSync(path.join(rootfs, name), 100000, 100000);
}

const hook = (text: string, more: Partial<Hook> = {}): Hook => ({ path: '/bin/sh', args: ['sh', '-c', text], env: ['PATH=/bin:/usr/bin', 'GIVEN=yes'], ...more });
/** What a hook was told, in the image's /tmp, which it reaches from the host or from inside. */
const telling = (name: string, folder = '$BUNDLE/rootfs/tmp'): readonly Hook[] =>
  [hook(`echo ${name}=$GIVEN in $(pwd), mask $(umask), $(tr ',' '\\n' | grep -E 'status|color' | tr '\\n' ' ') >${folder}/hook-${name}`)];

const hooks: readonly Case[] = [
  { name: 'hooks', config: (config) => ({ ...config, annotations: { color: 'green' }, hooks: { prestart: telling('prestart'), createRuntime: telling('createRuntime'), createContainer: telling('createContainer'), startContainer: telling('startContainer', '/tmp'), poststart: [hook('true')], poststop: [hook('true')] } }) },
  ...(['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'] as const).map((name): Case => ({ name: `a hook that fails: ${name}`, config: all(withShell('sleep 1; echo ran'), (config) => ({ ...config, hooks: { [name]: [hook('exit 5')] } })), input: null })),
  { name: 'a hook that takes too long', config: all(withShell('echo ran'), (config) => ({ ...config, hooks: { createRuntime: [hook('exec sleep 20', { timeout: 1 })] } })), input: null },
  { name: 'a hook that is missing', config: all(withShell('echo ran'), (config) => ({ ...config, hooks: { createRuntime: [{ path: '/nowhere' }] } })), input: null },
];

const deny = { allow: false, access: 'rwm' };

const resources: readonly Case[] = [
  { name: 'memory', config: withResources({ memory: { limit: 64 << 20, reservation: 32 << 20, swappiness: 10 } }) },
  { name: 'memory and swap', config: withResources({ memory: { limit: 64 << 20, swap: 128 << 20 } }) },
  { name: 'memory without the OOM killer', config: withResources({ memory: { limit: 64 << 20, disableOOMKiller: true, useHierarchy: true } }) },
  { name: 'memory without limit', config: withResources({ memory: { limit: -1, swap: -1, reservation: -1 } }) },
  { name: 'share of the processor', config: withResources({ cpu: { shares: 512 } }) },
  { name: 'quota of the processor', config: withResources({ cpu: { quota: 50000, period: 100000 } }) },
  { name: 'quota without a period', config: withResources({ cpu: { quota: 20000 } }) },
  { name: 'period without a quota', config: withResources({ cpu: { period: 50000 } }) },
  { name: 'no quota', config: withResources({ cpu: { quota: -1, shares: 2 } }) },
  { name: 'bursts of the processor', config: withResources({ cpu: { quota: 50000, period: 100000, burst: 20000 } }) },
  { name: 'idle', config: withResources({ cpu: { idle: 1 } }) },
  { name: 'certain processors', config: withResources({ cpu: { cpus: '1', mems: '0' } }) },
  { name: 'processors that are missing', config: withResources({ cpu: { cpus: '99' } }) },
  { name: 'processes', config: withResources({ pids: { limit: 20 } }) },
  { name: 'processes without limit', config: withResources({ pids: { limit: -1 } }) },
  { name: 'no process at all', config: withResources({ pids: { limit: 0 } }) },
  { name: 'weight of blocks', config: withResources({ blockIO: { weight: 300 } }) },
  { name: 'rates of blocks', config: withResources({ blockIO: { throttleReadBpsDevice: [{ major: 254, minor: 0, rate: 1 << 20 }], throttleWriteIOPSDevice: [{ major: 254, minor: 0, rate: 100 }] } }) },
  { name: 'huge pages', config: withResources({ hugepageLimits: [{ pageSize: '2MB', limit: 4 << 20 }] }) },
  { name: 'version 2 by name', config: withResources({ unified: { 'hugetlb.2MB.max': '4194304' } }) },
  { name: 'devices denied', config: withResources({ devices: [deny] }) },
  { name: 'devices allowed', config: withResources({ devices: [deny, { allow: true, type: 'c', major: 10, minor: 229, access: 'rw' }, { allow: true, type: 'b', major: 7, access: 'r' }, { allow: true, type: 'c', major: 1, minor: 3, access: 'm' }] }) },
  { name: 'devices allowed and denied again', config: withResources({ devices: [deny, { allow: true, type: 'c', major: 10, access: 'rwm' }, { allow: false, type: 'c', major: 10, access: 'w' }] }) },
  { name: 'all devices', config: withResources({ devices: [{ allow: true, access: 'rwm' }] }) },
  { name: 'no rules for devices', config: withResources({}) },
  { name: 'a place for the cgroup by itself', config: (config) => ({ ...config, linux: without(config.linux, 'cgroupsPath') }), input: null },
  { name: 'a place for the cgroup relative to the parent’s', config: (config) => ({ ...config, linux: { ...config.linux, cgroupsPath: config.linux.cgroupsPath?.slice(1) } }), input: null },
];

export const cases: readonly Case[] = [...processes, ...filesystems, ...isolation, ...hooks, ...resources];
