import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dockerfileWords, jsonWords } from './dockerfile-words.ts';

test('words, quotes and backslashes', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['', []], ['  a  b\tc ', ['a', 'b', 'c']], ['a="b c" \'d "e\'', ['a=b c', 'd "e']], ['a\\ b "c\\"d" "\\n"', ['a b', 'c"d', '\\n']], ['"" x', ['', 'x']],
  ];
  for (const [text, words] of cases) assert.deepEqual(dockerfileWords(text), words, text);
  for (const text of ['"a', "'a", 'a\\']) assert.throws(() => dockerfileWords(text), { code: 'bad-usage' });
});

test('a JSON list of strings, or text', () => {
  assert.deepEqual(jsonWords(' ["a", "b"] '), ['a', 'b']);
  for (const text of ['a b', '["a", 1]', '[a]', '{"a": "b"}', '"a"']) assert.equal(jsonWords(text), undefined, text);
});
