/** Configurations that no engine would write: each is refused with exit code 1 and one line that names the place, and nothing is left. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { pid } from 'node:process';
import { test } from 'node:test';
import { makeBundle, script, without, type ConfigChange, type TestConfig } from '../support/bundle.ts';
import { runDelos } from '../support/delos.ts';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { newId } from '../support/marker.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'busybox', 'cgroups');

const linux = (properties: object): ConfigChange => (config) => ({ ...config, linux: { ...config.linux, ...properties } });
const process = (properties: object): ConfigChange => (config) => ({ ...config, process: { ...config.process, ...properties } });
const resources = (properties: object): ConfigChange => linux({ resources: properties });
const put = (properties: object): ConfigChange => (config) => ({ ...config, ...properties });
const mount = (properties: object): ConfigChange => (config) => ({ ...config, mounts: [...config.mounts, { destination: '/tmp', type: 'tmpfs', source: 'tmpfs', ...properties }] });
const namespace = (type: string, at?: unknown): ConfigChange => (config) => ({
  ...config, linux: { ...config.linux, namespaces: [...config.linux.namespaces.filter((other) => other.type !== type), { type, ...(at === undefined ? {} : { path: at }) }] },
});
const hook = (kind: string, properties: object): ConfigChange => (config) => ({ ...config, hooks: { [kind]: [{ path: '/bin/true', ...properties }] } });
/** A number as the text has it, which JSON.stringify would round. */
const raw = (change: ConfigChange, number: string): ConfigChange => (config) => JSON.stringify(change(config)).replaceAll('"NUMBER"', number);
const lacking = (property: keyof TestConfig): ConfigChange => (config) => without(config, property);

const hostile: readonly (readonly [what: string, change: ConfigChange, says: RegExp])[] = [
  ['no text at all', () => '', /config\.json/],
  ['a number', () => '1', /object/],
  ['half an object', () => '{"ociVersion": "1.3.0",', /line 1/],
  ['a hundred thousand brackets', () => '['.repeat(100_000), /nest|deep|line|object/i],
  ['two values', (config) => `${JSON.stringify(config)} {}`, /line 1/],
  ['bytes that are no UTF-8', () => '{"ociVersion": "\xff\xfe"}', /ociVersion/],
  ['version 2', put({ ociVersion: '2.0.0' }), /ociVersion/],
  ['a version that is a number', put({ ociVersion: 1 }), /ociVersion/],

  ['no root', lacking('root'), /root/],
  ['a root that is not there', put({ root: { path: 'elsewhere' } }), /root\.path/],
  ['a root that is a file', put({ root: { path: 'config.json' } }), /root\.path/],
  ['a root with a NUL in its path', put({ root: { path: 'root\0fs' } }), /root\.path/],
  ['a root that is a number', put({ root: 5 }), /root/],

  ['no process', lacking('process'), /process/],
  ['a process that is a string', put({ process: 'sh' }), /process/],
  ['no arguments', process({ args: [] }), /process\.args/],
  ['an argument that is a number', process({ args: ['echo', 1] }), /process\.args\[1\]/],
  ['an argument with a NUL', process({ args: ['echo', 'a\0b'] }), /process\.args\[1\]/],
  ['a variable with a NUL', process({ env: ['A=\0'] }), /process\.env\[0\]/],
  ['a relative working directory', process({ cwd: 'tmp' }), /process\.cwd/],
  ['a working directory that is a file', process({ cwd: '/etc/passwd' }), /process\.cwd/],
  ['a program that is not there', process({ args: ['/missing'] }), /process\.args\[0\]/],
  ['a program that is a directory', process({ args: ['/tmp'] }), /process\.args/],
  ['uid -1', process({ user: { uid: -1, gid: 0 } }), /process\.user\.uid/],
  ['uid 2^32', process({ user: { uid: 2 ** 32, gid: 0 } }), /process\.user\.uid/],
  ['uid 1.5', process({ user: { uid: 1.5, gid: 0 } }), /process\.user\.uid/],
  ['uid 1e400', raw(process({ user: { uid: 'NUMBER', gid: 0 } }), '1e400'), /process\.user\.uid/],
  ['a limit that does not exist', process({ rlimits: [{ type: 'RLIMIT_NONSENSE', soft: 1, hard: 1 }] }), /process\.rlimits\[0\]\.type/],
  ['a soft limit above the hard one', process({ rlimits: [{ type: 'RLIMIT_NOFILE', soft: 2, hard: 1 }] }), /process\.rlimits\[0\]/],
  ['a limit of 2^64', raw(process({ rlimits: [{ type: 'RLIMIT_NOFILE', soft: 'NUMBER', hard: 'NUMBER' }] }), '18446744073709551616'), /process\.rlimits\[0\]/],
  ['an oomScoreAdj of 2000', process({ oomScoreAdj: 2000 }), /process\.oomScoreAdj/],
  ['capabilities that are a list', process({ capabilities: ['CAP_KILL'] }), /process\.capabilities/],
  ['an unknown scheduler', process({ scheduler: { policy: 'SCHED_NONSENSE' } }), /process\.scheduler\.policy/],
  ['an unknown I/O class', process({ ioPriority: { class: 'IOPRIO_CLASS_NONSENSE' } }), /process\.ioPriority\.class/],

  ['mounts that are an object', put({ mounts: {} }), /mounts/],
  ['a mount without a destination', put({ mounts: [{ type: 'tmpfs' }] }), /mounts\[0\]\.destination/],
  ['a mount with a NUL in its destination', mount({ destination: '/tmp/\0x' }), /mounts\[7\]\.destination/],
  ['a file system that does not exist', mount({ type: 'nonsensefs' }), /mounts\[7\]/],
  ['an option that the file system does not know', mount({ options: ['nonsense=1'] }), /mounts\[7\]/],
  ['a size that is no number', mount({ options: ['size=nonsense'] }), /mounts\[7\]/],
  ['a bind of what is not there', mount({ type: 'bind', source: '/missing', options: ['bind'] }), /mounts\[7\]\.source/],
  ['a bind of a directory on a file', mount({ type: 'bind', source: '/etc', destination: '/etc/passwd', options: ['bind'] }), /mounts\[7\]/],
  ['a mount on what is below a file', mount({ destination: '/etc/passwd/below' }), /mounts\[7\]/],

  ['namespaces that are an object', linux({ namespaces: { type: 'pid' } }), /linux\.namespaces/],
  ['a namespace that does not exist', namespace('nonsense'), /linux\.namespaces\[\d\]\.type/],
  ['two namespaces of a type', (config) => linux({ namespaces: [...config.linux.namespaces, { type: 'pid' }] })(config), /second pid namespace/],
  ['no mount namespace', (config) => linux({ namespaces: config.linux.namespaces.filter(({ type }) => type !== 'mount') })(config), /linux\.namespaces.*mount/],
  ['a namespace that is not there', namespace('network', '/proc/1/ns/missing'), /linux\.namespaces/],
  ['a namespace of another type', namespace('network', '/proc/self/ns/uts'), /linux\.namespaces/],
  ['a namespace that is a file', namespace('ipc', '/etc/passwd'), /linux\.namespaces/],
  ['a namespace by a relative path', namespace('network', 'net'), /linux\.namespaces/],
  ['a path that is a number', namespace('network', 3), /linux\.namespaces/],
  ['a user namespace without a map', namespace('user'), /linux\.uidMappings/],
  ['maps that overlap', (config) => linux({ uidMappings: [{ containerID: 0, hostID: 1, size: 10 }, { containerID: 5, hostID: 100, size: 1 }], gidMappings: [{ containerID: 0, hostID: 1, size: 1 }] })(namespace('user')(config) as TestConfig), /linux\.uidMappings\[\d\]/],
  ['a thousand ranges of ids', (config) => {
    const many = Array.from({ length: 1000 }, (_, index) => ({ containerID: index, hostID: 100000 + index, size: 1 }));
    return linux({ uidMappings: many, gidMappings: many })(namespace('user')(config) as TestConfig);
  }, /linux\.uidMappings/],

  ['a sysctl of the host', linux({ sysctl: { 'kernel.core_pattern': '|/bin/sh' } }), /linux\.sysctl/],
  ['a sysctl that climbs', linux({ sysctl: { 'net/../kernel/core_pattern': '|/bin/sh' } }), /linux\.sysctl/],
  ['a sysctl in the host\'s network', (config) => linux({ sysctl: { 'net.ipv4.ip_forward': '0' } })(namespace('network', `/proc/${pid}/ns/net`)(config) as TestConfig), /linux\.sysctl/],
  ['a sysctl that is a number', linux({ sysctl: { 'net.ipv4.ip_forward': 1 } }), /linux\.sysctl/],
  ['a sysctl that the kernel refuses', linux({ sysctl: { 'net.ipv4.ip_default_ttl': 'nonsense' } }), /linux\.sysctl/],

  ['a cgroup above its place', linux({ cgroupsPath: '../escape' }), /linux\.cgroupsPath/],
  ['a cgroup by way of ..', linux({ cgroupsPath: '/a/../../../tmp' }), /linux\.cgroupsPath/],
  ['the root cgroup', linux({ cgroupsPath: '/' }), /linux\.cgroupsPath/],
  ['a cgroup with a newline', linux({ cgroupsPath: '/a\nb' }), /linux\.cgroupsPath/],
  ['a memory limit of 1.5', resources({ memory: { limit: 1.5 } }), /linux\.resources\.memory\.limit/],
  ['a memory limit beyond 64 bits', raw(resources({ memory: { limit: 'NUMBER' } }), '1180591620717411303424'), /linux\.resources\.memory\.limit/],
  ['a memory limit that is a word', resources({ memory: { limit: '1g' } }), /linux\.resources\.memory\.limit/],
  ['processors that do not exist', resources({ cpu: { cpus: '1000-2000' } }), /linux\.resources\.cpu\.cpus/],
  ['processors that are no list', resources({ cpu: { cpus: 'all of them' } }), /linux\.resources\.cpu\.cpus/],
  ['a device rule of an unknown type', resources({ devices: [{ allow: true, type: 'z', access: 'r' }] }), /linux\.resources\.devices\[0\]/],
  ['a device rule with unknown access', resources({ devices: [{ allow: true, type: 'c', access: 'rx' }] }), /linux\.resources\.devices\[0\]/],

  ['a device of an unknown type', linux({ devices: [{ type: 'x', path: '/dev/x', major: 1, minor: 1 }] }), /linux\.devices\[0\]\.type/],
  ['a device without numbers', linux({ devices: [{ type: 'c', path: '/dev/x' }] }), /linux\.devices\[0\]\.major/],
  ['a device at a relative path', linux({ devices: [{ type: 'c', path: 'x', major: 1, minor: 1 }] }), /linux\.devices\[0\]\.path/],
  ['an unknown action of seccomp', linux({ seccomp: { defaultAction: 'SCMP_ACT_NONSENSE' } }), /linux\.seccomp\.defaultAction/],
  ['an unknown architecture of seccomp', linux({ seccomp: { defaultAction: 'SCMP_ACT_ALLOW', architectures: ['SCMP_ARCH_NONSENSE'] } }), /linux\.seccomp\.architectures/],
  ['seven arguments of seccomp', linux({ seccomp: { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['read'], action: 'SCMP_ACT_ERRNO', args: [{ index: 6, value: 0, op: 'SCMP_CMP_EQ' }] }] } }), /linux\.seccomp\.syscalls\[0\]/],
  ['an unknown propagation', linux({ rootfsPropagation: 'everywhere' }), /linux\.rootfsPropagation/],
  ['Intel RDT', linux({ intelRdt: { closID: 'a' } }), /linux\.intelRdt/],
  ['a host name of 65 bytes', put({ hostname: 'a'.repeat(65) }), /hostname/],
  ['annotations that are numbers', put({ annotations: { a: 1 } }), /annotations/],

  ['a hook by a relative path', hook('createRuntime', { path: 'true' }), /hooks\.createRuntime\[0\]\.path/],
  ['a hook that is not there', hook('createRuntime', { path: '/missing' }), /hooks\.createRuntime\[0\]/],
  ['a hook that fails', hook('createRuntime', { path: '/bin/false' }), /hooks\.createRuntime\[0\]/],
  ['a hook of the container that fails', hook('createContainer', { path: '/bin/false' }), /hooks\.createContainer\[0\]/],
  ['a hook in the container that fails', hook('startContainer', { path: '/bin/false' }), /hooks\.startContainer\[0\]/],
  ['a hook that hangs', hook('createRuntime', { path: '/bin/sleep', args: ['sleep', '100'], timeout: 1 }), /hooks\.createRuntime\[0\].*timeout/],
  ['a hook with a timeout of 0', hook('createRuntime', { timeout: 0 }), /hooks\.createRuntime\[0\]\.timeout/],
  ['hooks that are an object', put({ hooks: { prestart: { path: '/bin/true' } } }), /hooks\.prestart/],
];

for (const [what, change, says] of hostile) {
  test(`refused: ${what}`, { skip }, async () => {
    const before = leaks();
    {
      using bundle = makeBundle(change);
      const { status, stdout, stderr } = runDelos(['run', newId()], { bundle });
      assert.equal(status, 1, stderr);
      assert.equal(stdout, '');
      const errors = stderr.trimEnd().split('\n').filter((line) => !line.includes('level=warning'));
      assert.equal(errors.length, 1, stderr);
      assert.match(stderr, says);
      assert.doesNotMatch(stderr, /internal error|[^\n\x20-\x7e\u00a0-\uffff]/);
    }
    await assertNoLeaks(before);
  });
}

const ids = ['', '.', '..', '../x', 'a/b', '/abs', 'a b', 'a\nb', 'é', 'a:b', 'x'.repeat(1025), '%2e%2e'];

test('ids that are none are refused by every command, and make nothing', { skip }, async () => {
  const before = leaks();
  {
    using bundle = makeBundle();
    for (const id of ids) {
      const { status, stderr } = runDelos(['run', id], { bundle });
      assert.equal(status, 1, id);
      assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
    }
    for (const command of ['create', 'start', 'state', 'kill', 'delete', 'pause']) assert.equal(runDelos([command, '../escape'], { bundle }).status, 1, command);
  }
  await assertNoLeaks(before);
});

test('what is odd and yet right is done', { skip }, async () => {
  const before = leaks();
  const canary = 'reached\n';
  const odd: readonly (readonly [what: string, change: ConfigChange])[] = [
    ['a thousand mounts', (config) => ({ ...config, mounts: [...config.mounts, ...Array.from({ length: 1000 }, (_, index) => ({ destination: `/tmp/${index}`, type: 'tmpfs', source: 'tmpfs', options: ['size=4k'] }))] })],
    ['unknown capabilities and system calls', (config) => linux({ seccomp: { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['nonsense'], action: 'SCMP_ACT_ERRNO' }] } })(process({ capabilities: { bounding: ['CAP_NONSENSE'] } })(config) as TestConfig)],
    ['a hook that does not read its state', (config) => ({ ...hook('createRuntime', {})(config) as object, annotations: { a: 'x'.repeat(200_000) } })],
    ['devices and masks that climb', linux({ devices: [{ type: 'c', path: '/../../dev/zero', major: 1, minor: 5 }], maskedPaths: ['/../../etc/group', '/missing'], readonlyPaths: ['/../..'] })],
    ['a lot of environment', process({ env: Array.from({ length: 2000 }, (_, index) => `V${index}=${'x'.repeat(50)}`) })],
    ['a hundred thousand tokens that nobody knows', put({ unknown: Array.from({ length: 100_000 }, (_, index) => index) })],
  ];
  {
    using bundle = makeBundle();
    for (const [what, change] of odd) {
      bundle.configure((config) => ({ ...(script('/bin/echo reached', change)(config) as object) }));
      const { status, stdout, stderr } = runDelos(['run', newId()], { bundle, timeoutMs: 60_000 });
      assert.equal(`${what}: ${stdout}`, `${what}: ${canary}`, stderr);
      assert.equal(status, 0, what);
    }
    assert.ok(fs.existsSync(path.join(bundle.rootfs, 'etc/group')));
  }
  await assertNoLeaks(before);
});
