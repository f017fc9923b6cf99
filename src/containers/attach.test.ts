import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeySequence } from './attach.ts';

const keys = (): KeySequence => new KeySequence(Uint8Array.from([16, 17]));

test('the keys are found in one piece and in two', () => {
  assert.deepEqual(keys().take(Buffer.from([97, 16, 17, 98])), { passed: Buffer.from('a'), matched: true });
  const typed = keys();
  assert.deepEqual(typed.take(Buffer.from([16])), { passed: Buffer.alloc(0), matched: false });
  assert.deepEqual(typed.take(Buffer.from([17])), { passed: Buffer.alloc(0), matched: true });
});

test('a beginning that does not go on is passed on', () => {
  const typed = keys();
  typed.take(Buffer.from([16]));
  assert.deepEqual(typed.take(Buffer.from([98])), { passed: Buffer.from([16, 98]), matched: false });
  assert.deepEqual(typed.take(Buffer.from([16, 16, 17])), { passed: Buffer.from([16]), matched: true });
});

test('no keys, no end', () => {
  assert.deepEqual(new KeySequence(new Uint8Array(0)).take(Buffer.from([16, 17])), { passed: Buffer.from([16, 17]), matched: false });
});
