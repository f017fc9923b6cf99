import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expandDocument, expandWord, expandWords } from './expansion.ts';
import { rawWords } from './words.ts';

const values: Readonly<Record<string, string>> = { A: 'one', EMPTY: '', SPACED: 'x  y', A_1: 'under' };
const variables = (name: string): string | undefined => (Object.hasOwn(values, name) ? values[name] : undefined);
const word = (text: string): string => expandWord(text, variables, '\\');

test('variables, with what to take in their place', () => {
  const wanted: Readonly<Record<string, string>> = {
    '$A': 'one', '${A}b': 'oneb', '$A_1': 'under', '$NONE.': '.', '${NONE:-else}': 'else', '${EMPTY:-else}': 'else', '${EMPTY-else}': '', '${NONE-else}': 'else',
    '${A:+set}': 'set', '${EMPTY:+set}': '', '${EMPTY+set}': 'set', '${NONE+set}': '', '${A:?no}': 'one', '${NONE:-${A:+${A}-}x}': 'one-x', '${NONE:-}': '',
    '$': '$', 'a$': 'a$', '$/': '$/', '$1x': 'x', '${NONE:-"a b"}': 'a b', '${NONE:-\\}}': '}',
  };
  for (const [text, value] of Object.entries(wanted)) assert.equal(word(text), value, text);
});

test('quotes and escapes, as a Dockerfile has them', () => {
  const wanted: Readonly<Record<string, string>> = {
    "'$A'": '$A', '"$A"': 'one', '"a \\"b\\" \\$A \\x"': 'a "b" $A \\x', '\\$A': '$A', 'a\\ b': 'a b', "'a'\"b\"c": 'abc', '\\': '\\', "\"it's\"": "it's",
  };
  for (const [text, value] of Object.entries(wanted)) assert.equal(word(text), value, text);
  assert.equal(expandWord('`$A c:\\x', variables, '`'), '$A c:\\x');
});

test('words: blanks separate them, those of values too', () => {
  assert.deepEqual(expandWords(' 80  $SPACED "$SPACED" $EMPTY "" a', variables, '\\'), ['80', 'x', 'y', 'x  y', '', 'a']);
  assert.deepEqual(rawWords('a="b c" \'d e\'f g\\ h  i', '\\'), ['a="b c"', "'d e'f", 'g\\ h', 'i']);
});

test('in a document quotes mean nothing', () => assert.equal(expandDocument('"$A" \'$A\' \\$A \\\\ \\n', variables, '\\'), '"one" \'one\' $A \\ \\n'));

test('what is not closed, no variable, or complains', () => {
  const refused: Readonly<Record<string, RegExp>> = {
    '"a': /" is not closed/, "'a": /' is not closed/, '${A': /\$\{ is not closed/, '${': /name of a variable/, '${A/b/c}': /expected one of/, '${NONE:?is wanted}': /^NONE: is wanted$/,
    '${NONE?}': /^NONE: is not set$/,
  };
  for (const [text, message] of Object.entries(refused)) assert.throws(() => word(text), { name: 'DelosError', message }, text);
});
