import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { find, root } from './files.ts';

const coverage = readFileSync(join(root, 'docs/reference/coverage.md'), 'utf8');
const testFolders = ['attack', 'clients', 'differential', 'documents', 'integration', 'vm'];

/** The files that a page names in `...`: by their path from the root, or a test by its path below test/ without its ending. */
function filesNamedIn(page: string): string[] {
  const words = [...page.matchAll(/`([^`\n]+)`/g)].map(([, word = '']) => word);
  return words.flatMap((word) => {
    if (/^(?:docs|fuzz|native|src|test|tools)\/\S+$/.test(word)) return [word];
    return /^[a-z]+\/[\w-]+$/.test(word) && testFolders.includes(word.split('/')[0] ?? '') ? [`test/${word}.test.ts`] : [];
  });
}

test('the files that a page names are found out, other words are not', () => {
  const page = 'see `src/a.ts`, `documents/01-one` and `attack/escape`; not `/proc/self`, `cgroup.procs`, `./dev check`, src/b.ts';
  assert.deepEqual(filesNamedIn(page), ['src/a.ts', 'test/documents/01-one.test.ts', 'test/attack/escape.test.ts']);
});

test('every file that coverage.md names is there', () => {
  const named = filesNamedIn(coverage);
  assert.ok(named.length > 200, String(named.length));
  assert.deepEqual(named.filter((file) => !existsSync(join(root, file))), []);
});

test('coverage.md names every test of the documents', () => {
  const named = new Set(filesNamedIn(coverage).map((file) => basename(file)));
  assert.deepEqual(find('test/documents/*.test.ts').filter((file) => !named.has(basename(file))), []);
});
