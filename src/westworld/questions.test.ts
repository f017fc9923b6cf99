import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mark, questions } from './questions.ts';

test('ten questions of ten options each', () => {
  assert.equal(questions.length, 10);
  for (const { text, options, explanation } of questions) {
    assert.equal(new Set(options).size, 10, text);
    assert.notEqual(explanation, '');
  }
});

test('seven right ones pass, six do not', () => {
  assert.deepEqual(mark('BCBCBBBBBC'), { percent: 100, passed: true, right: Array.from({ length: 10 }, () => true) });
  assert.deepEqual([mark('BCBCBBBAAA').percent, mark('BCBCBBBAAA').passed], [70, true]);
  assert.deepEqual([mark('bcbcbb aaaa').percent, mark('b,c,b,c,b,b,a,a,a,a').passed], [60, false]);
});

test('too few letters, too many and others are refused', () => {
  for (const answers of ['', 'BCBCBBBBB', 'BCBCBBBBBCB', 'BCBCBBBBBK', 'BCBCBBBBB1']) assert.throws(() => mark(answers), RangeError, answers);
});
