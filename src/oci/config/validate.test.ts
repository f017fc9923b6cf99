import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DelosError } from '../../lib/errors.ts';
import { sysctlSteps } from './checks/sysctl.ts';
import { parseConfig } from './parse.ts';
import { checkConfig, checkProcess } from './validate.ts';

interface Parts {
  readonly [property: string]: unknown;
  readonly process?: object;
  readonly linux?: { readonly namespaces?: readonly object[]; readonly [property: string]: unknown };
}

/** A small good configuration with these properties put over it and a mount namespace, as a caller's text would bring them. */
function checked(parts: Parts): string[] {
  const linux = { ...parts.linux, namespaces: [...(parts.linux?.namespaces ?? []), { type: 'mount' }] };
  const text = JSON.stringify({
    ociVersion: '1.3.0',
    root: { path: 'rootfs' },
    ...parts,
    linux,
    process: { cwd: '/', args: ['sh'], ...parts.process },
  });
  return checkConfig(parseConfig(text)).warnings;
}

function faultOf(parts: Parts): string {
  try {
    checked(parts);
  } catch (error) {
    assert.ok(error instanceof DelosError, String(error));
    return `${error.code} ${error.message}`;
  }
  return 'no error';
}

const linux = (properties: object, ...types: readonly string[]): Parts => ({
  linux: { namespaces: types.map((type) => ({ type })), ...properties },
});
const policy = (memoryPolicy: object): Parts => linux({ memoryPolicy });
const scheduler = (properties: object): Parts => ({ process: { scheduler: properties } });
const rlimits = (...limits: readonly object[]): Parts => ({ process: { rlimits: limits } });
const range = (containerID: number, hostID: number, size: number): object => ({ containerID, hostID, size });
const one = [range(0, 1000, 1)];

const bad: [parts: Parts, fault: string][] = [
  [{ root: null }, 'root: expected the root filesystem of the container, found nothing'],
  [{ process: { args: null } }, 'process.args: expected at least one string, found nothing'],
  [linux({}, 'pid', 'ipc', 'pid'), 'linux.namespaces[2].type: a second pid namespace'],

  [{ hostname: 'a' }, 'hostname: needs a namespace of type uts in linux.namespaces'],
  [{ domainname: 'a' }, 'domainname: needs a namespace of type uts in linux.namespaces'],
  [{ ...linux({}, 'uts'), hostname: 'é'.repeat(33) }, `hostname: expected at most 64 bytes, found "${'é'.repeat(33)}"`],

  [linux({ uidMappings: one }), 'linux.uidMappings: needs a namespace of type user in linux.namespaces'],
  [linux({ uidMappings: one }, 'user'), 'linux.gidMappings: expected at least one range for the new user namespace, found nothing'],
  [linux({ uidMappings: [], gidMappings: one }, 'user'),
    'linux.uidMappings: expected at least one range for the new user namespace, found an empty array'],
  [linux({ uidMappings: [range(0, 0, 0)], gidMappings: one }, 'user'), 'linux.uidMappings[0].size: expected at least 1, found 0'],
  [linux({ uidMappings: [range(0, 4294967295, 1)], gidMappings: one }, 'user'),
    'linux.uidMappings[0]: reaches beyond the last id, 4294967294'],
  [linux({ uidMappings: [range(5, 100, 5), range(0, 0, 6)], gidMappings: one }, 'user'),
    'linux.uidMappings[0].containerID: meets the range of uidMappings[1]'],
  [linux({ uidMappings: one, gidMappings: [range(0, 0, 10), range(10, 9, 1)] }, 'user'),
    'linux.gidMappings[1].hostID: meets the range of gidMappings[0]'],
  [linux({ uidMappings: Array.from({ length: 341 }, (_, i) => range(i, i, 1)), gidMappings: one }, 'user'),
    'linux.uidMappings: expected at most 340 ranges, found 341'],

  [{ mounts: [{ destination: '/a', options: ['bind'], uidMappings: one }] },
    'mounts[0].gidMappings: expected ranges beside uidMappings, found nothing'],
  [{ mounts: [{ destination: '/a', options: ['bind'], gidMappings: one }] },
    'mounts[0].uidMappings: expected ranges beside gidMappings, found nothing'],
  [{ mounts: [{ destination: '/a', type: 'tmpfs', uidMappings: one, gidMappings: one }] }, 'mounts[0]: only a bind mount can map ids'],
  [{ mounts: [{ destination: '/a', options: ['rbind', 'idmap'] }] },
    'mounts[0].options: idmap without uidMappings needs a namespace of type user in linux.namespaces'],

  [linux({ timeOffsets: { boottime: { secs: 1 } } }), 'linux.timeOffsets: needs a namespace of type time in linux.namespaces'],
  [{ linux: { timeOffsets: { boottime: { secs: 1 } }, namespaces: [{ type: 'time', path: '/n' }] } },
    'linux.timeOffsets: cannot be set in the joined namespace /n'],

  [linux({ sysctl: { 'net.ipv4.ip_forward': '1' } }, 'ipc'), 'linux.sysctl["net.ipv4.ip_forward"]: needs a namespace of type network in linux.namespaces'],
  [linux({ sysctl: { 'kernel.shmmax': '1' } }, 'network'), 'linux.sysctl["kernel.shmmax"]: needs a namespace of type ipc in linux.namespaces'],
  [linux({ sysctl: { 'fs/mqueue/msg_max': '1' } }), 'linux.sysctl["fs/mqueue/msg_max"]: needs a namespace of type ipc in linux.namespaces'],
  [linux({ sysctl: { 'kernel.domainname': 'a' } }), 'linux.sysctl["kernel.domainname"]: needs a namespace of type uts in linux.namespaces'],
  [linux({ sysctl: { 'kernel.hostname': 'a' } }, 'uts'), 'linux.sysctl["kernel.hostname"]: is what the property hostname sets'],
  [linux({ sysctl: { 'kernel.core_pattern': '|/x' } }, 'ipc', 'uts', 'network'),
    'linux.sysctl["kernel.core_pattern"]: belongs to no namespace, so it would change the host'],
  [linux({ sysctl: { 'net/../kernel/core_pattern': '|/x' } }, 'network'),
    'linux.sysctl["net/../kernel/core_pattern"]: expected the name of a sysctl, as in "net.ipv4.ip_forward"'],
  [linux({ sysctl: { 'net.//.kernel.core_pattern': '|/x' } }, 'network'),
    'linux.sysctl["net.//.kernel.core_pattern"]: expected the name of a sysctl, as in "net.ipv4.ip_forward"'],
  [linux({ sysctl: { net: '1' } }, 'network'), 'linux.sysctl.net: belongs to no namespace, so it would change the host'],

  [rlimits({ type: 'RLIMIT_NOFILES', soft: 1, hard: 1 }), 'process.rlimits[0].type: expected a limit of getrlimit(2), found "RLIMIT_NOFILES"'],
  [rlimits({ type: 'RLIMIT_CPU', soft: 2, hard: 1 }), 'process.rlimits[0].soft: expected at most the hard limit, 1, found 2'],
  [rlimits({ type: 'RLIMIT_CPU', soft: 1, hard: 1 }, { type: 'RLIMIT_CPU', soft: 1, hard: 2 }),
    'process.rlimits[1].type: RLIMIT_CPU is limited twice'],

  [scheduler({ policy: 'SCHED_FIFO' }), 'process.scheduler.priority: expected 1 to 99 for SCHED_FIFO, found nothing'],
  [scheduler({ policy: 'SCHED_OTHER', priority: 1 }), 'process.scheduler.priority: is for SCHED_FIFO and SCHED_RR only'],
  [scheduler({ policy: 'SCHED_BATCH', runtime: 1 }), 'process.scheduler.runtime: is for SCHED_DEADLINE only'],
  [scheduler({ policy: 'SCHED_DEADLINE', runtime: 20000, deadline: 10000 }),
    'process.scheduler: SCHED_DEADLINE expects 1024 <= runtime <= deadline <= period'],

  [linux({ devices: [{ type: 'c', path: '/dev/a', minor: 1 }] }),
    'linux.devices[0].major: expected a major number for a device of type c, found nothing'],
  [linux({ netDevices: { eth0: {} } }), 'linux.netDevices: needs a namespace of type network in linux.namespaces'],
  [linux({ netDevices: { eth0: {}, eth1: { name: 'eth0' } } }, 'network'), 'linux.netDevices.eth1: is the second device to be named eth0'],

  [policy({ mode: 'MPOL_BIND' }), 'linux.memoryPolicy.nodes: expected nodes for MPOL_BIND, found nothing'],
  [policy({ mode: 'MPOL_LOCAL', nodes: '0' }), 'linux.memoryPolicy.nodes: expected no nodes for MPOL_LOCAL, found "0"'],
  [policy({ mode: 'MPOL_PREFERRED', flags: ['MPOL_F_STATIC_NODES'] }), 'linux.memoryPolicy.flags: MPOL_F_STATIC_NODES needs nodes'],
  [policy({ mode: 'MPOL_BIND', nodes: '0', flags: ['MPOL_F_STATIC_NODES', 'MPOL_F_RELATIVE_NODES'] }),
    'linux.memoryPolicy.flags: MPOL_F_RELATIVE_NODES and MPOL_F_STATIC_NODES exclude each other'],
  [policy({ mode: 'MPOL_INTERLEAVE', nodes: '0', flags: ['MPOL_F_NUMA_BALANCING'] }),
    'linux.memoryPolicy.flags: MPOL_F_NUMA_BALANCING is for MPOL_BIND and MPOL_PREFERRED_MANY, not MPOL_INTERLEAVE'],

  [linux({ cgroupsPath: '/a/../../b' }), 'linux.cgroupsPath: expected a path without "..", found "/a/../../b"'],
  [linux({ personality: { domain: 'LINUX', flags: ['ADDR_NO_RANDOMIZE'] } }),
    'linux.personality.flags[0]: expected none, since the specification defines none, found "ADDR_NO_RANDOMIZE"'],
];

for (const [parts, fault] of bad) {
  test(`checkConfig() refuses: ${fault.slice(0, 90)}`, () => assert.equal(faultOf(parts), `bad-config ${fault}`));
}

test('checkConfig() refuses Intel RDT by its name', () => {
  assert.equal(faultOf(linux({ intelRdt: { closID: 'a' } })), 'unsupported linux.intelRdt: Intel RDT is not supported');
});

test('checkConfig() refuses to mount in the host\'s namespace', () => {
  const config = parseConfig('{"ociVersion":"1.3.0","root":{"path":"/r"},"process":{"cwd":"/","args":["a"]}}');
  assert.throws(() => checkConfig(config), /^DelosError: linux\.namespaces: expected a namespace of type mount/);
});

const good: [what: string, parts: Parts][] = [
  ['64 bytes of names in a new or joined uts namespace',
    { hostname: 'a'.repeat(64), domainname: 'é'.repeat(32), linux: { namespaces: [{ type: 'uts', path: '/n' }] } }],
  ['ranges that touch and do not meet',
    linux({ uidMappings: [range(0, 1000, 1), range(1, 100000, 65536)], gidMappings: [range(1, 1, 5), range(0, 0, 1)] }, 'user')],
  ['the last id there is', linux({ uidMappings: [range(0, 0, 4294967295)], gidMappings: one }, 'user')],
  ['a bind mount with ranges', { mounts: [{ destination: '/a', type: 'bind', uidMappings: one, gidMappings: one }] }],
  ['idmap with the container\'s own ranges',
    { mounts: [{ destination: '/a', options: ['bind', 'idmap'] }], ...linux({ uidMappings: one, gidMappings: one }, 'user') }],
  ['time offsets in a new namespace', linux({ timeOffsets: { monotonic: { secs: -1 } } }, 'time')],
  ['sysctls of the container\'s own namespaces, in either spelling',
    linux({ sysctl: { 'net/ipv4/conf/eth0.1/mtu': '1', 'kernel.sem': '1', 'fs.mqueue.msg_max': '1', 'kernel.domainname': 'a' } },
      'network', 'ipc', 'uts')],
  ['a limit of RLIM_INFINITY for both', rlimits({ type: 'RLIMIT_CORE', soft: 0, hard: 1 })],
  ['a fifo without numbers', linux({ devices: [{ type: 'p', path: '/dev/a' }] })],
  ['devices that change their names', linux({ netDevices: { eth0: { name: 'eth1' }, eth1: { name: 'eth0' } } }, 'network')],
  ['SCHED_DEADLINE with its three times', scheduler({ policy: 'SCHED_DEADLINE', runtime: 10000, deadline: 20000, period: 20000 })],
  ['a preferred node or none', policy({ mode: 'MPOL_PREFERRED' })],
  ['dots in a cgroup\'s name', linux({ cgroupsPath: '/a..b/c' })],
];

for (const [what, parts] of good) {
  test(`checkConfig() takes ${what}`, () => assert.deepEqual(checked(parts), []));
}

test('checkConfig() warns, and goes on, where runc does', () => {
  assert.deepEqual(checked({ mounts: [{ destination: 'data' }] }), ['mounts[0].destination: "data" is not absolute; taken from "/"']);
  assert.deepEqual(checked({ process: { capabilities: { bounding: ['CAP_KILL', 'CAP_NEW', 'toString'], ambient: ['CAP_NEW'] } } }),
    ['process.capabilities: ignored, because unknown: "CAP_NEW", "toString"']);
  assert.deepEqual(checked(scheduler({ policy: 'SCHED_IDLE', nice: 5 })),
    ['process.scheduler.nice: ignored, since SCHED_IDLE has no nice value']);
});

test('checkConfig() refuses a configuration without a process', () => {
  assert.throws(() => checkConfig({ ociVersion: '1.3.0', root: { path: '/' } }), /^DelosError: process: expected the process of the container/);
});

test('checkProcess() judges the process of exec alike', () => {
  assert.deepEqual(checkProcess({ cwd: '/', args: ['sh'], capabilities: { bounding: ['CAP_X'] } }).warnings.length, 1);
  assert.throws(() => checkProcess({ cwd: '/' }), /process\.args: expected at least one string/);
});

test('sysctlSteps() follows the first separator', () => {
  assert.deepEqual(sysctlSteps('net.ipv4.conf.eth0/1.mtu'), ['net', 'ipv4', 'conf', 'eth0.1', 'mtu']);
  assert.deepEqual(sysctlSteps('net/ipv4/conf/eth0.1/mtu'), ['net', 'ipv4', 'conf', 'eth0.1', 'mtu']);
  for (const name of ['', '.', '/', '..', 'net..a', '/net/a', 'net/./a', 'net/..', 'net.a.', 'net./.a']) {
    assert.equal(sysctlSteps(name), undefined, name);
  }
});
