import assert from 'node:assert/strict';
import { test } from 'node:test';
import { othersTurn } from './turn.ts';

test('between two turns others have theirs: timers, and what was promised', async () => {
  const done: string[] = [];
  setTimeout(() => done.push('timer'), 1);
  for (let turns = 0; !done.includes('timer'); turns++) {
    assert.ok(turns < 1_000_000, 'the timer never had its turn');
    void Promise.resolve().then(() => done.push('promise'));
    await othersTurn();
  }
  assert.ok(done.includes('promise'));
});
