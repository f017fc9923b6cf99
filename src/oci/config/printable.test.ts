import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { described, quoted } from './printable.ts';

test('described() names values that are short and the kind of others', () => {
  assert.deepEqual([undefined, null, true, 3, 18446744073709551615n, 'a', [], [1], {}].map(described), [
    'nothing', 'null', 'true', '3', '18446744073709551615', '"a"', 'an empty array', 'an array', 'an object',
  ]);
});

test('described() says why a number beyond 2^53 is not taken', () => {
  assert.match(described(1e17), /^100000000000000000, which is not exact/);
});

test('quoted() gives one short line without anything a terminal acts on', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (value) => {
    const line = quoted(value);
    assert.doesNotMatch(line, /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u);
    assert.ok(line.length <= 6 * 61 + 2);
  }));
  assert.equal(quoted('\u001b[2J'), '"\\u001b[2J"');
  assert.equal(quoted('a'.repeat(61)), `"${'a'.repeat(60)}…"`);
});
