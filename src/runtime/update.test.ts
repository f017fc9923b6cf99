import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeResources } from './update.ts';

test('limits that are not named stay, lists are replaced', () => {
  const before = {
    memory: { limit: 1, swap: 2n ** 60n }, pids: { limit: 5 }, unified: { 'memory.high': '1', 'memory.low': '2' },
    hugepageLimits: [{ pageSize: '2MB', limit: 1 }],
  };
  const after = mergeResources(before, { memory: { limit: 3 }, cpu: { shares: 4 }, unified: { 'memory.low': '9' }, hugepageLimits: [] });
  assert.deepEqual(after, {
    memory: { limit: 3, swap: 2n ** 60n }, pids: { limit: 5 }, cpu: { shares: 4 },
    unified: { 'memory.high': '1', 'memory.low': '9' }, hugepageLimits: [],
  });
  assert.equal(before.memory.limit, 1);
});
