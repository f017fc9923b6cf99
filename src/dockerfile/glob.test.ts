import assert from 'node:assert/strict';
import { test } from 'node:test';
import { globForm } from './glob.ts';
import { parseIgnore } from './ignore.ts';

// Those of Go's path/filepath/match_test.go that say something about the syntax.
const cases: readonly (readonly [pattern: string, name: string, fits: boolean])[] = [
  ['abc', 'abc', true], ['*', 'abc', true], ['*c', 'abc', true], ['a*', 'a', true], ['a*', 'ab/c', false], ['a*/b', 'abc/b', true], ['a*/b', 'a/c/b', false],
  ['a*b?c*x', 'abxbbxdbxebxczzx', true], ['ab[c]', 'abc', true], ['ab[b-d]', 'abc', true], ['ab[e-g]', 'abc', false], ['ab[^c]', 'abc', false], ['ab[^e-g]', 'abc', true],
  ['a\\*b', 'a*b', true], ['a\\*b', 'ab', false], ['a?b', 'aäb', true], ['a[^a]b', 'aäb', true], ['a?b', 'a/b', false], ['a[^x]b', 'a/b', false], ['[\\]a]', ']', true],
  ['[\\-]', '-', true], ['[x\\-]', 'x', true], ['[\\-x]', 'a', false], ['a.b', 'axb', false], ['a+(b)|c', 'a+(b)|c', true], ['[a|b]', '|', true], ['[a^]', '^', true],
];

test('patterns of COPY', () => {
  for (const [pattern, name, fits] of cases) assert.equal(globForm(pattern).test(name), fits, `${pattern} ${name}`);
  for (const pattern of ['[', '[a', '[]', '[b-a]']) assert.throws(() => globForm(pattern), { code: 'bad-usage' }, pattern);
});

function left(text: string, ...names: string[]): string[] {
  const ignored = parseIgnore(text, '.dockerignore');
  return names.filter((name) => !ignored.has(name));
}

test('.dockerignore: folders with all they hold, any number of folders, exceptions, the last line counts', () => {
  assert.deepEqual(left('# all\n\n/a/\n*.md\n!README.md\n', 'a', 'a/b', 'x/a', 'b.md', 'x/b.md', 'README.md'), ['x/a', 'x/b.md', 'README.md']);
  assert.deepEqual(left('**/*.o\n**/tmp\ndocs/**\n', 'a.o', 'x/y/a.o', 'x/tmp/f', 'tmp', 'docs', 'docs/a/b', 'a.c'), ['docs', 'a.c']);
  assert.deepEqual(left('a\n!a/keep\na/keep/not\n', 'a', 'a/x', 'a/keep', 'a/keep/x', 'a/keep/not'), ['a/keep', 'a/keep/x']);
  assert.deepEqual(left('!a\na\n', 'a'), []);
  assert.deepEqual(left('*\n!src\n', 'x', 'src', 'src/a'), ['src', 'src/a']);
  assert.deepEqual(left('./x/../y\r\n', 'x', 'y'), ['x']);
  assert.equal(parseIgnore('a\n!b', 'f').hasExceptions, true);
});

test('.dockerignore: a pattern that is none is told with its place', () => {
  assert.throws(() => parseIgnore('a\n[b\n', 'f'), { code: 'bad-dockerfile', message: "f:2: '[b' is no pattern: a [ is not closed" });
  assert.throws(() => parseIgnore('!', 'f'), { message: 'f:1: expected a pattern behind !' });
});
