import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMount } from '../vocabulary/mount-flag.ts';
import { bytesOf, everydayOptions, variable } from './flags.ts';

const least = { image: 'host', command: ['true'] };

test('what is not said is shut', () => {
  const flags = everydayOptions(least, 'id');
  assert.deepEqual([flags.network, flags.env, flags.memory, flags.privileged, flags['security-opt']], ['none', [], undefined, false, ['no-new-privileges']]);
});

test('options become the flags of the same name', () => {
  const flags = everydayOptions({
    ...least, env: { A: '1=2', B: '' }, cwd: '/w', user: 'a:b', memory: '1k', cpus: 2, pids: -1, readonly: true, hostname: 'h', network: 'host', tmpfs: ['/t'],
    capAdd: ['KILL'], capDrop: ['ALL'], seccomp: 'unconfined',
  }, 'id');
  assert.deepEqual([flags.env, flags.workdir, flags.user, flags.memory, flags.cpus], [['A=1=2', 'B='], '/w', 'a:b', 1024, 2]);
  assert.deepEqual([flags['pids-limit'], flags['read-only'], flags.hostname, flags.network, flags.tmpfs], [-1, true, 'h', 'host', ['/t']]);
  assert.deepEqual([flags['cap-add'], flags['cap-drop'], flags['security-opt']], [['KILL'], ['ALL'], ['no-new-privileges', 'seccomp=unconfined']]);
});

test('a mount of any path comes through as it is', () => {
  const mounts = [{ source: '/a,b "c"', target: '/t,=x', readonly: true }, { source: 'rel', target: '/r' }];
  const [first, second] = everydayOptions({ ...least, mounts }, 'id').mount.map(parseMount);
  assert.deepEqual([first?.type, first?.source, first?.target, first?.readonly], ['bind', '/a,b "c"', '/t,=x', true]);
  assert.deepEqual([second?.source, second?.target, second?.readonly], ['rel', '/r', false]);
});

test('sizes and variables that are none are refused', () => {
  assert.deepEqual([bytesOf(undefined), bytesOf(0), bytesOf('2m')], [undefined, 0, 2 * 1024 * 1024]);
  for (const size of [-1, 0.5, Number.NaN, 2 ** 60, 'x']) assert.throws(() => bytesOf(size), { code: 'bad-usage' }, String(size));
  for (const [name, value] of [['', 'x'], ['A=', 'x'], ['A\0', 'x'], ['A', '\0']] as const) assert.throws(() => variable(name, value), { code: 'bad-usage' });
});
