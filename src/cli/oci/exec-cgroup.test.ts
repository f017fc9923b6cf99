import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseExecCgroups } from './exec-cgroup.ts';

test('one path for all, or one for each controller', () => {
  assert.deepEqual(parseExecCgroups([]), {});
  assert.deepEqual(parseExecCgroups(['sub/x']), { '': 'sub/x' });
  assert.deepEqual(parseExecCgroups(['cpu,memory:a', 'pids:b', 'name=systemd:c']), { cpu: 'a', memory: 'a', pids: 'b', 'name=systemd': 'c' });
});

test('what says two things at once is refused', () => {
  for (const texts of [['a', 'b'], ['cpu:a', 'b'], ['cpu:a:b'], [':a'], ['cpu,:a'], ['c/u:a']]) {
    assert.throws(() => parseExecCgroups(texts), { code: 'bad-usage', message: /^--cgroup / }, texts.join(' '));
  }
});
