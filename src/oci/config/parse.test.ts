import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { DelosError } from '../../lib/errors.ts';
import { defaultConfig } from '../default-config.ts';
import { parseConfig, parseProcess, parseResources } from './parse.ts';
import { checkConfig } from './validate.ts';

const podman = readFileSync(new URL('../../../test/fixtures/podman-config.json', import.meta.url));

function faultOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    assert.ok(error instanceof DelosError, String(error));
    assert.equal(error.code, 'bad-config');
    return `${error.detail.field} ${error.message}`;
  }
  return 'no error';
}

/** A whole configuration with `json` in the place of one property, named with dots. */
function withValue(place: string, json: string): string {
  const member = place.split('.').reduceRight<string>((inner, name) => {
    if (inner === '') return `"${name}":${json}`;
    return `"${name}":{${name === 'process' ? '"cwd":"/",' : ''}${inner}}`;
  }, '');
  return place === 'ociVersion' ? `{${member}}` : `{"ociVersion":"1.3.0",${member}}`;
}

test('parseConfig() reads what podman writes, and nothing is lost', () => {
  const config = parseConfig(podman);
  assert.deepEqual(config, JSON.parse(podman.toString()));
  assert.deepEqual(checkConfig(config), { warnings: [] });
  assert.equal(config.linux?.resources?.memory?.limit, 268435456);
});

test('parseConfig() reads again what was written from it', () => {
  const config = parseConfig(podman);
  assert.deepEqual(parseConfig(JSON.stringify(config)), config);
});

test('parseConfig() keeps 64-bit integers exact', () => {
  const config = parseConfig(withValue('process.rlimits', '[{"type":"RLIMIT_CORE","soft":0,"hard":18446744073709551615}]'));
  assert.deepEqual(config.process?.rlimits, [{ type: 'RLIMIT_CORE', soft: 0, hard: 18446744073709551615n }]);
});

test('parseConfig() ignores what it does not know and keeps it', () => {
  const config = parseConfig('{"ociVersion":"1.9.0-rc.1+x","future":{"a":[1]},"linux":{"new":"\\u0000"},"windows":{"layerFolders":3}}');
  assert.deepEqual(Object.keys(config), ['ociVersion', 'future', 'linux', 'windows']);
});

test('parseConfig() takes null, and the empty string where it means nothing, for absent', () => {
  const config = parseConfig(
    '{"ociVersion":"1.0.2","hooks":null,"hostname":"","linux":{"namespaces":[{"type":"pid","path":""}],"rootfsPropagation":"","seccomp":null}}',
  );
  assert.deepEqual(config, { ociVersion: '1.0.2', linux: { namespaces: [{ type: 'pid' }] } });
});

test('parseConfig() is not misled by names that objects inherit', () => {
  const config = parseConfig('{"ociVersion":"1.0.0","__proto__":{"root":{"path":"/evil"}},"linux":{"sysctl":{"__proto__":"1"}}}');
  assert.equal(config.root, undefined);
  assert.deepEqual(Object.keys(config.linux?.sysctl ?? {}), ['__proto__']);
  assert.equal(({} as Record<string, unknown>)['root'], undefined);
});

/** Place, JSON put there, and the words after the place. */
const bad: [place: string, json: string, fault: string][] = [
  ['ociVersion', '"2.0.0"', '/ociVersion ociVersion: expected a version 1.x.y, found "2.0.0"'],
  ['ociVersion', '"1.0"', '/ociVersion ociVersion: expected a version 1.x.y, found "1.0"'],
  ['root', '{}', '/root/path root.path: expected a string that is not empty, found nothing'],
  ['root', '"rootfs"', '/root root: expected an object, found "rootfs"'],
  ['root', '{"path":"/","readonly":1}', '/root/readonly root.readonly: expected true or false, found 1'],
  ['hostname', '["a"]', '/hostname hostname: expected a string, found an array'],
  ['hostname', '"a\\u0000b"', '/hostname hostname: expected a string without NUL, found "a\\u0000b"'],
  ['mounts', '{}', '/mounts mounts: expected an array, found an object'],
  ['mounts', '[{"destination":""}]', '/mounts/0/destination mounts[0].destination: expected a string that is not empty, found ""'],
  ['mounts', '[{"destination":"/a","options":["ro",7]}]', '/mounts/0/options/1 mounts[0].options[1]: expected a string, found 7'],
  ['mounts', '[{"destination":"/a","uidMappings":[{"containerID":0,"hostID":-1,"size":1}]}]',
    '/mounts/0/uidMappings/0/hostID mounts[0].uidMappings[0].hostID: expected an integer from 0 to 4294967295, found -1'],
  ['hooks.prestart', '[{"path":"bin/x"}]', '/hooks/prestart/0/path hooks.prestart[0].path: expected an absolute path, found "bin/x"'],
  ['hooks.poststop', '[{"path":"/x","timeout":0}]',
    '/hooks/poststop/0/timeout hooks.poststop[0].timeout: expected an integer from 1 to 2147483647, found 0'],
  ['hooks.poststop', '[{"path":"/x","env":["A"]}]', '/hooks/poststop/0/env/0 hooks.poststop[0].env[0]: expected NAME=value, found "A"'],
  ['annotations', '{"a/b~c":1}', '/annotations/a~1b~0c annotations["a/b~c"]: expected a string, found 1'],
  ['annotations', '{"":"x"}', '/annotations/ annotations[""]: expected a name that is not empty, found ""'],
  ['process', '{}', '/process/cwd process.cwd: expected an absolute path, found nothing'],
  ['process', '{"cwd":"work"}', '/process/cwd process.cwd: expected an absolute path, found "work"'],
  ['process.args', '[]', '/process/args process.args: expected at least one string, found an empty array'],
  ['process.args', '["a","b\\u0000"]', '/process/args/1 process.args[1]: expected a string without NUL, found "b\\u0000"'],
  ['process.env', '["PATH"]', '/process/env/0 process.env[0]: expected NAME=value, found "PATH"'],
  ['process.env', '["=x"]', '/process/env/0 process.env[0]: expected NAME=value, found "=x"'],
  ['process.user.uid', '4294967296', '/process/user/uid process.user.uid: expected an integer from 0 to 4294967295, found 4294967296'],
  ['process.user.uid', '1.5', '/process/user/uid process.user.uid: expected an integer from 0 to 4294967295, found 1.5'],
  ['process.user.umask', '512', '/process/user/umask process.user.umask: expected an integer from 0 to 511, found 512'],
  ['process.user.additionalGids', '[1,"2"]',
    '/process/user/additionalGids/1 process.user.additionalGids[1]: expected an integer from 0 to 4294967295, found "2"'],
  ['process.consoleSize', '{"height":25}', '/process/consoleSize/width process.consoleSize.width: expected an integer from 0 to 65535, found nothing'],
  ['process.terminal', '"yes"', '/process/terminal process.terminal: expected true or false, found "yes"'],
  ['process.capabilities', '["CAP_KILL"]', '/process/capabilities process.capabilities: expected an object, found an array'],
  ['process.rlimits', '[{"type":"RLIMIT_CPU","soft":0,"hard":"x"}]',
    '/process/rlimits/0/hard process.rlimits[0].hard: expected an integer from 0 to 18446744073709551615, found "x"'],
  ['process.rlimits', '[{"type":"RLIMIT_CPU","soft":18446744073709551616,"hard":1}]',
    '/process/rlimits/0/soft process.rlimits[0].soft: expected an integer from 0 to 18446744073709551615, found 18446744073709551616'],
  ['process.rlimits', '[{"type":"RLIMIT_CPU","soft":-1,"hard":1}]',
    '/process/rlimits/0/soft process.rlimits[0].soft: expected an integer from 0 to 18446744073709551615, found -1'],
  ['process.oomScoreAdj', '1001', '/process/oomScoreAdj process.oomScoreAdj: expected an integer from -1000 to 1000, found 1001'],
  ['process.ioPriority', '{"class":"IOPRIO_CLASS_NONE"}',
    '/process/ioPriority/class process.ioPriority.class: expected one of IOPRIO_CLASS_RT, IOPRIO_CLASS_BE, IOPRIO_CLASS_IDLE, found "IOPRIO_CLASS_NONE"'],
  ['process.ioPriority', '{"class":"IOPRIO_CLASS_RT","priority":8}',
    '/process/ioPriority/priority process.ioPriority.priority: expected an integer from 0 to 7, found 8'],
  ['process.scheduler.nice', '20', '/process/scheduler/policy process.scheduler.policy: expected one of SCHED_OTHER, SCHED_FIFO, SCHED_RR, '
    + 'SCHED_BATCH, SCHED_ISO, SCHED_IDLE, SCHED_DEADLINE, found nothing'],
  ['process.execCPUAffinity.initial', '"0-x"',
    '/process/execCPUAffinity/initial process.execCPUAffinity.initial: expected a list such as "0-3,7", found "0-x"'],
  ['linux.namespaces', '[{"type":"net"}]',
    '/linux/namespaces/0/type linux.namespaces[0].type: expected one of pid, network, mount, ipc, uts, user, cgroup, time, found "net"'],
  ['linux.namespaces', '[{"type":"pid","path":"proc/1/ns/pid"}]',
    '/linux/namespaces/0/path linux.namespaces[0].path: expected an absolute path, found "proc/1/ns/pid"'],
  ['linux.timeOffsets.boottime', '{"secs":9223372037}',
    '/linux/timeOffsets/boottime/secs linux.timeOffsets.boottime.secs: expected an integer from -9223372036 to 9223372036, found 9223372037'],
  ['linux.timeOffsets.monotonic', '{"nanosecs":1000000000}',
    '/linux/timeOffsets/monotonic/nanosecs linux.timeOffsets.monotonic.nanosecs: expected an integer from 0 to 999999999, found 1000000000'],
  ['linux.devices', '[{"type":"x","path":"/dev/a"}]', '/linux/devices/0/type linux.devices[0].type: expected one of c, b, u, p, found "x"'],
  ['linux.devices', '[{"type":"c","path":"/dev/a","major":4096,"minor":0}]',
    '/linux/devices/0/major linux.devices[0].major: expected an integer from 0 to 4095, found 4096'],
  ['linux.netDevices', '{"a/b":{}}', '/linux/netDevices/a~1b linux.netDevices["a/b"]: expected a name that is a network device name '
    + '(1 to 15 bytes without "/", ":" or spaces), found "a/b"'],
  ['linux.sysctl', '{"net.x":3}', '/linux/sysctl/net.x linux.sysctl["net.x"]: expected a string, found 3'],
  ['linux.maskedPaths', '["proc/kcore"]', '/linux/maskedPaths/0 linux.maskedPaths[0]: expected an absolute path, found "proc/kcore"'],
  ['linux.readonlyPaths', '"/proc"', '/linux/readonlyPaths linux.readonlyPaths: expected an array, found "/proc"'],
  ['linux.rootfsPropagation', '"public"', '/linux/rootfsPropagation linux.rootfsPropagation: expected one of shared, slave, private, '
    + 'unbindable, rshared, rslave, rprivate, runbindable, found "public"'],
  ['linux.personality', '{"domain":"BSD"}', '/linux/personality/domain linux.personality.domain: expected one of LINUX, LINUX32, found "BSD"'],
  ['linux.memoryPolicy', '{"mode":"BIND"}', '/linux/memoryPolicy/mode linux.memoryPolicy.mode: expected one of MPOL_DEFAULT, MPOL_BIND, '
    + 'MPOL_INTERLEAVE, MPOL_WEIGHTED_INTERLEAVE, MPOL_PREFERRED, MPOL_PREFERRED_MANY, MPOL_LOCAL, found "BIND"'],
  ['linux.resources.unified', '{"../memory.max":"1"}', '/linux/resources/unified/..~1memory.max linux.resources.unified["../memory.max"]: '
    + 'expected a name that is a file name without "/", found "../memory.max"'],
  ['linux.resources.hugepageLimits', '[{"pageSize":"2kB","limit":0}]',
    '/linux/resources/hugepageLimits/0/pageSize linux.resources.hugepageLimits[0].pageSize: expected a page size such as "2MB", found "2kB"'],
  ['linux.resources.devices', '[{"allow":true,"access":"rx"}]',
    '/linux/resources/devices/0/access linux.resources.devices[0].access: expected letters out of "rwm", found "rx"'],
  ['linux.resources.memory.limit', '9223372036854775808', '/linux/resources/memory/limit linux.resources.memory.limit: expected an integer '
    + 'from -1 to 9223372036854775807, found 9223372036854775808'],
  ['linux.seccomp', '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":[],"action":"SCMP_ACT_ERRNO"}]}',
    '/linux/seccomp/syscalls/0/names linux.seccomp.syscalls[0].names: expected at least one system call, found an empty array'],
  ['linux.seccomp', '{"defaultAction":"A","syscalls":[{"names":["x"],"action":"B","args":[{"index":6,"value":0,"op":"C"}]}]}',
    '/linux/seccomp/syscalls/0/args/0/index linux.seccomp.syscalls[0].args[0].index: expected an integer from 0 to 5, found 6'],
];

for (const [place, json, fault] of bad) {
  test(`parseConfig() refuses ${json.slice(0, 60)} as ${place}`, () => {
    assert.equal(faultOf(() => parseConfig(withValue(place, json))), fault);
  });
}

test('parseConfig() refuses what is no object', () => {
  assert.equal(faultOf(() => parseConfig('[]')), ' the document: expected an object, found an empty array');
  assert.equal(faultOf(() => parseConfig('null')), ' the document: expected an object, found null');
  assert.equal(faultOf(() => parseConfig('{}')), '/ociVersion ociVersion: expected a version 1.x.y, found nothing');
});

test('parseProcess() reads a process and names faults by their place in config.json', () => {
  const { process } = defaultConfig({ rootless: false });
  assert.deepEqual(parseProcess(JSON.stringify(process)), process);
  assert.equal(faultOf(() => parseProcess('{"cwd":"/","args":[]}')),
    '/process/args process.args: expected at least one string, found an empty array');
  assert.match(faultOf(() => parseProcess('{')), /process\.json: line 1, column 2/);
});

test('parseResources() reads limits and names faults by their place in config.json', () => {
  assert.deepEqual(parseResources('{"memory":{"limit":-1},"pids":{"limit":9007199254740993}}'),
    { memory: { limit: -1 }, pids: { limit: 9007199254740993n } });
  assert.equal(faultOf(() => parseResources('{"cpu":{"idle":2}}')),
    '/linux/resources/cpu/idle linux.resources.cpu.idle: expected an integer from 0 to 1, found 2');
});
