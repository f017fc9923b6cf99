import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDevice, parseDeviceRate, parseDeviceRule } from './device-flag.ts';
import { mergeEnvironment, parseEnvironment, parseEnvironmentFile, parseLabels, parseSysctls } from './key-value.ts';
import { parseMount, parseTmpfs, parseVolume } from './mount-flag.ts';
import { parseUlimit } from './ulimit.ts';

function refuses(read: (text: string) => unknown, ...texts: string[]): void {
  for (const text of texts) assert.throws(() => read(text), { code: 'bad-usage', message: /^[^\n]+$/ }, JSON.stringify(text));
}

test('-v', () => {
  assert.deepEqual(parseVolume('/a:/b:ro,z'), { type: 'bind', source: '/a', target: '/b', createSource: true, readonly: true, options: [], relabel: 'z' });
  assert.deepEqual(parseVolume('./a:/b:rshared'), { type: 'bind', source: './a', target: '/b', createSource: true, readonly: false, options: ['rshared'] });
  assert.deepEqual(parseVolume('data:/b'), { type: 'volume', source: 'data', target: '/b', createSource: false, readonly: false, options: [] });
  assert.deepEqual(parseVolume('/data'), { type: 'volume', target: '/data', readonly: false, options: [] });
  refuses(parseVolume, '', ':', 'data', '/a:b', '/a:/', '/a:/b:rx', '/a:/b:ro:x', '-x:/b', '/a:', '/a:/b:');
});

test('--mount', () => {
  assert.deepEqual(parseMount('type=bind,source=/a,target=/b,readonly'), { type: 'bind', source: '/a', target: '/b', readonly: true, options: [] });
  assert.deepEqual(parseMount('type=bind,src=/a,dst=/b,ro=false,bind-propagation=rslave'), { type: 'bind', source: '/a', target: '/b', readonly: false, options: ['rslave'] });
  assert.deepEqual(parseMount('type=bind,"src=/a,b",dst=/b,bind-recursive=readonly'), { type: 'bind', source: '/a,b', target: '/b', readonly: false, options: ['rro'], nonRecursive: false });
  assert.deepEqual(parseMount('type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=1770'), { type: 'tmpfs', target: '/t', readonly: false, options: ['size=1048576', 'mode=1770'] });
  refuses(parseMount, '', 'type=bind,target=/b', 'type=bind,source=/a', 'type=weird,target=/b', 'type=bind,source=/a,target=b', 'type=tmpfs,source=/a,target=/b',
    'type=bind,source=/a,target=/b,tmpfs-size=1m', 'type=bind,source=/a,target=/b,bogus=1', 'type=bind,source=/a,target=/b,readonly=maybe', 'type=bind,"source=/a,target=/b');
});

test('--tmpfs', () => {
  assert.deepEqual(parseTmpfs('/x'), { type: 'tmpfs', target: '/x', readonly: false, options: [] });
  assert.deepEqual(parseTmpfs('/x:size=1m,mode=1777,exec,ro'), { type: 'tmpfs', target: '/x', readonly: true, options: ['size=1048576', 'mode=1777', 'exec'] });
  refuses(parseTmpfs, '', 'x', '/', '/x:bogus', '/x:size=lots', '/x:mode=9');
});

test('--device and its cgroup rules and rates', () => {
  assert.deepEqual(parseDevice('/dev/kvm'), { source: '/dev/kvm', target: '/dev/kvm', access: 'rwm' });
  assert.deepEqual(parseDevice('/dev/kvm:r'), { source: '/dev/kvm', target: '/dev/kvm', access: 'r' });
  assert.deepEqual(parseDevice('/dev/a:/dev/b:rw'), { source: '/dev/a', target: '/dev/b', access: 'rw' });
  refuses(parseDevice, '', 'kvm', '/dev/a:/dev/b:rx', '/dev/a:/dev/b:rr', '/dev/a:b', '/dev/a:/dev/b:r:w');
  assert.deepEqual(parseDeviceRule('c 10:* rw'), { type: 'c', major: 10, minor: -1, access: 'rw' });
  refuses(parseDeviceRule, '', 'c 1 rwm', 'x 1:3 r', 'c 1:3', 'c 1:3 rr', 'c -1:3 r');
  assert.deepEqual(parseDeviceRate('device-read-bps', '/dev/sda:1mb', 'bytes'), { path: '/dev/sda', rate: 1024 * 1024 });
  refuses((text) => parseDeviceRate('device-read-iops', text, 'number'), '/dev/sda', '/dev/sda:1mb', '/dev/sda:-1', 'sda:1');
});

test('--ulimit', () => {
  assert.deepEqual(parseUlimit('nofile=1024:2048'), { type: 'RLIMIT_NOFILE', soft: 1024, hard: 2048 });
  assert.deepEqual(parseUlimit('core=0'), { type: 'RLIMIT_CORE', soft: 0, hard: 0 });
  assert.deepEqual(parseUlimit('memlock=-1'), { type: 'RLIMIT_MEMLOCK', soft: 18446744073709551615n, hard: 18446744073709551615n });
  refuses(parseUlimit, '', 'nofile', 'nofile=', 'nofile=2:1', 'nofile=-1:5', 'bogus=1', 'nofile=1:2:3', 'nofile=x', 'nofile=18446744073709551616');
});

test('the environment', () => {
  const callers = { HOME: '/home/me' };
  assert.deepEqual(parseEnvironment(['A=1', 'B=', 'HOME', 'UNSET', 'C=x=y'], callers), ['A=1', 'B=', 'HOME=/home/me', 'C=x=y']);
  assert.throws(() => parseEnvironment(['=x'], callers), { code: 'bad-usage' });
  assert.deepEqual(parseEnvironment(['constructor'], callers), []);
  assert.deepEqual(parseEnvironmentFile('f', '\uFEFF# comment\n\n  A="1" # kept\r\nHOME\nUNSET\nB=\n', callers), ['A="1" # kept', 'HOME=/home/me', 'B=']);
  assert.throws(() => parseEnvironmentFile('my.env', 'A=1\nA B=1\n', callers), { message: "my.env:2: 'A B=1': expected NAME=value with no space in the name" });
  assert.deepEqual(mergeEnvironment(['A=1', 'B=1'], ['A=2', 'C=3']), ['A=2', 'B=1', 'C=3']);
});

test('labels and sysctls', () => {
  assert.deepEqual(parseLabels('label', ['a=1', 'b', 'c=x=y', 'a=2']), { a: '2', b: '', c: 'x=y' });
  assert.ok(Object.hasOwn(parseLabels('label', ['__proto__=x']), '__proto__'));
  refuses((text) => parseLabels('label', [text]), '', '=x');
  assert.deepEqual(parseSysctls(['net.ipv4.ip_forward=1']), { 'net.ipv4.ip_forward': '1' });
  refuses((text) => parseSysctls([text]), '', 'net.x', '=1', 'a b=1');
});
