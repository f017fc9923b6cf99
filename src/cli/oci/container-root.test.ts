import assert from 'node:assert/strict';
import path from 'node:path';
import test from 'node:test';
import { defaultRoot } from '../../runtime/store.ts';
import { containerRoot } from './container-root.ts';

test('--root is made absolute', () => {
  assert.equal(containerRoot({ root: 'here' }), path.resolve('here'));
});

test('without --root it is the one of the user, never the current folder', () => {
  assert.equal(containerRoot({}), defaultRoot());
  assert.equal(containerRoot({ root: '' }), defaultRoot());
});
