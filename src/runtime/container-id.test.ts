import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkId } from './container-id.ts';

test('an id is made of letters, digits and four marks', () => {
  for (const id of ['a', '0', 'A_b+c-d.e', '.hidden', '...', '-', 'x'.repeat(1024)]) checkId(id);
});

test('what could lead out of the folder of containers, or break a line of output, is refused', () => {
  for (const id of ['', '.', '..', '../x', 'a/b', '/a', 'a b', 'a\n', 'a\0', 'é', 'x'.repeat(1025)]) {
    assert.throws(() => checkId(id), { code: 'bad-id', message: /^invalid container ID format: "[^\n]*$/ }, JSON.stringify(id));
  }
});
