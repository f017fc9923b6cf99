import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copyPath, parseCopyWord } from './copy-place.ts';

test('which of the words are of a container', () => {
  assert.deepEqual(parseCopyWord('-'), { kind: 'stream' });
  assert.deepEqual(parseCopyWord('box:/a:b'), { kind: 'container', container: 'box', path: '/a:b' });
  assert.deepEqual(parseCopyWord('box:'), { kind: 'container', container: 'box', path: '' });
  for (const path of ['file', '/a:b', './a:b', '../a:b', 'a/b']) assert.deepEqual(parseCopyWord(path), { kind: 'host', path });
  assert.throws(() => parseCopyWord(':/a'), { code: 'bad-usage' });
});

test('paths and how they end', () => {
  const cases: readonly (readonly [text: string, path: string, base: string, ending: '' | 'folder' | 'contents'])[] = [
    ['/a/b', 'a/b', 'b', ''], ['b', 'w/b', 'b', ''], ['/a/b/', 'a/b', 'b', 'folder'], ['/a/b//', 'a/b', 'b', 'folder'], ['/a/b/.', 'a/b', 'b', 'contents'],
    ['/a/b/./', 'a/b', 'b', 'folder'], ['.', 'w', 'w', 'contents'], ['/', '', '', 'contents'], ['/.', '', '', 'contents'], ['', 'w', 'w', 'folder'],
    ['..', 'w/..', '', 'contents'],
    ['/a/..', 'a/..', '', 'contents'], ['/a/b/..c', 'a/b/..c', '..c', ''], ['/a/.b', 'a/.b', '.b', ''], ['/a/b.', 'a/b.', 'b.', ''],
  ];
  for (const [text, path, base, ending] of cases) {
    assert.deepEqual(copyPath(text, '/w'), { path, base, isFolder: ending !== '', isContents: ending === 'contents' }, text);
  }
  assert.equal(copyPath('é', '/').path, 'Ã©');
});
