import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Progress } from './progress.ts';

function written(isTTY: boolean, show: (progress: Progress) => void): string {
  let text = '';
  show(new Progress({ isTTY, columns: 20, write: (part: string) => { text += part; } }));
  return text;
}

function twoThings(progress: Progress): void {
  progress.update('a', 'Reading', '1B');
  progress.update('a', 'Reading', '2B');
  progress.update('a', 'Reading', '2B');
  progress.update('b', 'Done');
}

test('off a terminal: a line for each new state', () => {
  assert.equal(written(false, twoThings), 'a: Reading\nb: Done\n');
});

test('on a terminal: lines redrawn in place, cut to its width', () => {
  assert.equal(written(true, twoThings), 'a: Reading 1B\x1b[K\n\x1b[1Aa: Reading 2B\x1b[K\n\x1b[1Aa: Reading 2B\x1b[K\nb: Done\x1b[K\n');
  assert.equal(written(true, (progress) => progress.update('a-long-name', 'Reading', '1B')), 'a-long-name: Readi…\x1b[K\n');
});
