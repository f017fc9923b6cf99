import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runExtended } from '../bpf/extended-run.ts';
import { deviceProgram } from './device-program.ts';
import { defaultDeviceRules, devicePolicy, devicesVersion, deviceWrites, type DevicePolicy } from './devices.ts';
import type { DeviceRule } from './linux-resources.ts';
import { hybridHost, recorded, unifiedHost } from './recorded-hosts.ts';

const accessBits = { m: 1, r: 2, w: 4 } as const;

/** What the kernel would hear from the program. */
function answer(program: Uint8Array, type: 'b' | 'c', major: number, minor: number, access: string): boolean {
  const context = new DataView(new ArrayBuffer(12));
  const bits = [...access].reduce((sum, letter) => sum | accessBits[letter as 'm' | 'r' | 'w'], 0);
  context.setUint32(0, (bits << 16) | (type === 'b' ? 1 : 2), true);
  context.setUint32(4, major, true);
  context.setUint32(8, minor, true);
  return runExtended(program, new Uint8Array(context.buffer)) === 1n;
}

/** The meaning of the rules, told without a program: for each letter the last rule that names the device. */
function isAllowed(rules: readonly DeviceRule[], type: 'b' | 'c', major: number, minor: number, access: string): boolean {
  return [...access].every((letter) => [...rules, ...defaultDeviceRules].findLast((rule) =>
    ((rule.type ?? 'a') === 'a' || rule.type === type)
    && [undefined, -1, major].includes(rule.major as number | undefined)
    && [undefined, -1, minor].includes(rule.minor as number | undefined)
    && (rule.access ?? 'rwm').includes(letter))?.allow ?? false);
}

/** What devices.list would hold. A model of the kernel's v1 controller, for comparing its answer with the program's. */
function legacyAnswer(policy: DevicePolicy, type: 'b' | 'c', major: number, minor: number, access: string): boolean {
  const [first, ...exceptions] = deviceWrites(policy);
  const matching = exceptions.filter(({ value }) => {
    const [kind, number = '', letters = ''] = value.split(' ');
    const [a, b] = number.split(':');
    return kind === type && [String(major), '*'].includes(a ?? '') && [String(minor), '*'].includes(b ?? '')
      && [...access].some((letter) => letters.includes(letter));
  });
  if (first?.file === 'devices.allow') return matching.length === 0;
  return matching.some(({ value }) => [...access].every((letter) => value.split(' ')[2]?.includes(letter)));
}

/** What the kernel asks for: open(2) for reading, writing or both, mknod(2) for a node. */
const accesses = ['r', 'w', 'm', 'rw'];

function everyDevice(visit: (type: 'b' | 'c', major: number, minor: number, access: string) => void): void {
  for (const type of ['b', 'c'] as const) {
    for (const [major, minor] of [[1, 3], [1, 5], [8, 0], [8, 1], [10, 200], [10, 229], [136, 7], [5, 1]] as const) {
      for (const access of accesses) visit(type, major, minor, access);
    }
  }
}

const lists: Record<string, DeviceRule[]> = {
  'nothing said': [],
  'denied, as engines write it': [{ allow: false, access: 'rwm' }],
  'everything': [{ allow: true, type: 'a', access: 'rwm' }],
  'a disk to read': [{ allow: false }, { allow: true, type: 'b', major: 8, minor: 0, access: 'r' }],
  'read in one rule, write in another': [{ allow: true, type: 'b', major: 8, access: 'r' }, { allow: true, type: 'b', major: 8, minor: 0, access: 'w' }],
  'all but a disk': [{ allow: true }, { allow: false, type: 'b', major: 8, minor: 0, access: 'w' }],
  'given and taken': [{ allow: true, type: 'c', major: 10, minor: 200 }, { allow: false, type: 'c', major: 10, minor: -1, access: 'w' }],
  'forgotten by a': [{ allow: true, type: 'b', major: 8 }, { allow: false, type: 'a' }],
};

for (const [name, rules] of Object.entries(lists)) {
  test(`the program and v1's list agree with the rules: ${name}`, () => {
    const policy = devicePolicy(rules);
    const program = deviceProgram(policy);
    everyDevice((type, major, minor, access) => {
      const expected = isAllowed(rules, type, major, minor, access);
      const asked = `${type} ${major}:${minor} ${access}`;
      assert.equal(answer(program, type, major, minor, access), expected, asked);
      // With "allow a", the kernel's v1 stops an access when any part of it is denied, and so do the rules.
      assert.equal(legacyAnswer(policy, type, major, minor, access), expected, `v1 ${asked}`);
    });
  });
}

test('a hole in a wider rule works in v2 and is refused by name in v1', () => {
  const rules: DeviceRule[] = [{ allow: true, type: 'c', major: 10, access: 'rw' }, { allow: false, type: 'c', major: 10, minor: 200, access: 'rw' }];
  const policy = devicePolicy(rules);
  const program = deviceProgram(policy);
  everyDevice((type, major, minor, access) => assert.equal(answer(program, type, major, minor, access), isAllowed(rules, type, major, minor, access)));
  assert.throws(() => deviceWrites(policy), {
    code: 'unsupported',
    message: 'linux.resources.devices[1]: cgroup v1 cannot take c 10:200 rw out of the wider c 10:* rw before it',
  });
});

test('v1 hears the default first and then the exceptions', () => {
  assert.deepEqual(deviceWrites(devicePolicy([{ allow: false }, { allow: true, type: 'b', major: 8n, minor: 0n, access: 'rm' }])).slice(0, 4), [
    { controller: 'devices', file: 'devices.deny', value: 'a', why: '/linux/resources/devices' },
    { controller: 'devices', file: 'devices.allow', value: 'b 8:0 rm', why: '/linux/resources/devices/1' },
    { controller: 'devices', file: 'devices.allow', value: 'c *:* m', why: '/linux/resources/devices' },
    { controller: 'devices', file: 'devices.allow', value: 'b *:* m', why: '/linux/resources/devices' },
  ]);
  assert.deepEqual(deviceWrites(devicePolicy([{ allow: true }])), [
    { controller: 'devices', file: 'devices.allow', value: 'a', why: '/linux/resources/devices' },
  ]);
});

test('rules that later ones cover take no room in the program', () => {
  const repeated = Array.from({ length: 50 }, () => ({ allow: true, type: 'b', major: 8, minor: 0, access: 'r' }));
  assert.equal(deviceProgram(devicePolicy(repeated)).length, deviceProgram(devicePolicy(repeated.slice(1, 2))).length);
});

test('a program has no code that nothing reaches', () => {
  // The verifier would refuse it: without a rule that denies there must be one end only.
  const allowing: DevicePolicy = { allowByDefault: true, rules: [] };
  assert.equal(deviceProgram(allowing).length, 8 * 8);
});

test('rules that are none are refused', () => {
  const of = (rule: DeviceRule) => () => devicePolicy([rule]);
  assert.throws(of({ allow: true, type: 'p' }), { code: 'bad-config', message: 'linux.resources.devices[0].type: expected "a", "b" or "c", found "p"' });
  assert.throws(of({ allow: true, type: 'c', access: 'rx' }), { code: 'bad-config', message: /devices\[0\]\.access: expected letters out of "rwm", found "rx"/ });
  assert.throws(of({ allow: true, type: 'c', major: -2 }), { code: 'bad-config', message: /devices\[0\]\.major: expected -1 to 2147483647, found -2/ });
  assert.throws(of({ allow: true, type: 'c', major: 1.5 }), { code: 'bad-config' });
  assert.throws(of({ allow: false, access: 'w' }), { code: 'bad-config', message: /devices\[0\]: expected type "b" or "c"/ });
});

test('v1 keeps the devices where it is mounted', () => {
  assert.equal(devicesVersion(recorded(hybridHost)), 1);
  assert.equal(devicesVersion(recorded(unifiedHost)), 2);
  assert.equal(devicesVersion({ mode: 'legacy', hierarchies: [], unifiedControllers: [], bfq: false }), undefined);
});
