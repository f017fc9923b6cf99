import assert from 'node:assert/strict';
import { test } from 'node:test';
import { giveBack } from './give-back.ts';

test('memory is freed with the chunk at its end, and not before', () => {
  const memory = Buffer.alloc(100_000, 'x');
  giveBack(memory.subarray(0, 60_000));
  assert.equal(memory.length, 100_000);
  giveBack(memory.subarray(60_000));
  assert.equal(memory.length, 0);
});

test('what may be of a pool stays', () => {
  const small = Buffer.from('small');
  giveBack(small);
  for (let size = 1; size < Buffer.poolSize / 2; size *= 2) giveBack(Buffer.allocUnsafe(size));
  assert.equal(small.toString(), 'small');
});
