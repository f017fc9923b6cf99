import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quoted } from '../tar/byte-string.ts';
import { pathOf, placeOf, whiteoutFor, whiteoutOf } from './names.ts';

test('names are taken apart: dots and slashes mean nothing, the rest is kept byte by byte', () => {
  for (const [name, folder, base] of [
    ['a', '', 'a'], ['a/b', 'a', 'b'], ['a/b/c', 'a/b', 'c'], ['./a', '', 'a'], ['/a', '', 'a'], ['//a//b//', 'a', 'b'], ['a/.', '', 'a'], ['a/./b', 'a', 'b'],
    ['.', '', ''], ['./', '', ''], ['/', '', ''], ['a/..', '', ''], ['a/../b', '', 'b'], ['.a/..b/c..', '.a/..b', 'c..'], ['...', '', '...'], ['a/.wh.b', 'a', '.wh.b'], [' ', '', ' '],
    ['a\n', '', 'a\n'], ['\xff/\x80', '\xff', '\x80'],
  ] as const) {
    assert.deepEqual(placeOf(name), { folder, base }, JSON.stringify(name));
    assert.equal(pathOf(placeOf(name)), folder === '' ? base : `${folder}/${base}`);
  }
});

test('names that lead out are refused', () => {
  for (const name of ['..', '../a', '/..', 'a/../..', 'a/../../b', './/..', 'a/b/../../../c']) assert.throws(() => placeOf(name), { code: 'bad-archive' }, name);
  assert.throws(() => placeOf('a\0'), { code: 'bad-archive' });
  assert.throws(() => placeOf('a/\0/b'), { code: 'bad-archive' });
});

test('whiteouts', () => {
  assert.equal(whiteoutOf('a'), undefined);
  assert.equal(whiteoutOf('.whx'), undefined);
  assert.equal(whiteoutOf('x.wh.a'), undefined);
  assert.deepEqual(whiteoutOf('.wh.a'), { kind: 'hide', base: 'a' });
  assert.deepEqual(whiteoutOf('.wh..a'), { kind: 'hide', base: '.a' });
  assert.deepEqual(whiteoutOf('.wh..wh..opq'), { kind: 'opaque' });
  assert.deepEqual(whiteoutOf('.wh..wh.plnk'), { kind: 'other' });
  for (const name of ['.wh.', '.wh..', '.wh...']) assert.throws(() => whiteoutOf(name), { code: 'bad-archive' }, name);
  assert.deepEqual(whiteoutOf(whiteoutFor('x')), { kind: 'hide', base: 'x' });
});

test('a name in a message is one line of printable characters, and not endless', () => {
  assert.equal(quoted('caf\xc3\xa9'), '"café"');
  for (const name of ['\n\x1b[2J', '\x7f\xc2\x85\xe2\x80\xae\xe2\x80\xa8', '"\\', '\xff\xfe', 'x'.repeat(5000), '\0'.repeat(300)]) {
    assert.match(quoted(name), /^"[^\p{C}\u2028\u2029]{0,800}"$/u);
  }
});
