import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkName, randomId, randomName, resolveContainer, shortId } from './names.ts';

test('an id is 64 hexadecimal digits, and its short form no number', () => {
  assert.match(randomId(), /^[0-9a-f]{64}$/);
  const draws = [new Uint8Array(32).fill(0x11), new Uint8Array(32).fill(0x1a)];
  assert.equal(shortId(randomId(() => draws.shift() ?? assert.fail('drawn too often'))), '1a1a1a1a1a1a');
});

test('a random name is valid, and another is drawn when it is taken', () => {
  const name = randomName();
  checkName(name);
  assert.match(name, /^[a-z]+_[a-z]+$/);
  const draws = [0, 0, 1, 1];
  const first = randomName(undefined, () => 0);
  assert.notEqual(randomName((candidate) => candidate === first, () => draws.shift() ?? 0), first);
  assert.equal(randomName((candidate) => !candidate.endsWith('3'), () => 0), `${first}3`);
});

test('names', () => {
  for (const good of ['ab', 'web-1', 'a_b.c', '0x']) checkName(good);
  for (const bad of ['', 'a', '-ab', '../x', 'a b', 'a/b', 'ab\n']) assert.throws(() => checkName(bad), { code: 'bad-id' }, bad);
});

const known = [{ id: 'abc1', name: 'web' }, { id: 'abd2', name: 'abc' }, { id: 'fff3', name: 'x1' }];

test('a word resolves to an id, a name, or the only id that begins with it', () => {
  assert.equal(resolveContainer('abc1', known).name, 'web');
  assert.equal(resolveContainer('abc', known).id, 'abd2', 'a name goes before a prefix');
  assert.equal(resolveContainer('f', known).id, 'fff3');
  assert.throws(() => resolveContainer('ab', known), { code: 'bad-id', message: "'ab' begins the ids of 2 containers: abc1, abd2" });
  assert.throws(() => resolveContainer('', known), { code: 'not-found' });
  assert.throws(() => resolveContainer('we', known), { code: 'not-found', message: 'no such container: we' });
});
