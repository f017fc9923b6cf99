import assert from 'node:assert/strict';
import { test } from 'node:test';
import { editDistance, nearest } from './nearest.ts';

test('editDistance counts letters added, left out, changed and swapped', () => {
  const expected: [string, string, number][] = [['', '', 0], ['abc', 'abc', 0], ['', 'ab', 2], ['run', 'rnu', 1], ['start', 'stat', 1], ['kitten', 'sitting', 3]];
  for (const [a, b, distance] of expected) assert.equal(editDistance(a, b), distance, `${a} ${b}`);
});

test('nearest is careful with short words', () => {
  const known = ['run', 'ps', 'rm', 'inspect', 'pause'];
  assert.equal(nearest('inspcet', known), 'inspect');
  assert.equal(nearest('ins', known), 'inspect');
  assert.equal(nearest('p', known), undefined);
  assert.equal(nearest('xyz', known), undefined);
});
