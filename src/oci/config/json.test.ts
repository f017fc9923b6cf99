import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { DelosError } from '../../lib/errors.ts';
import { findJsonFault } from './json-fault.ts';
import { MAX_DOCUMENT, parseJson } from './json.ts';

const messageOf = (document: string | Uint8Array): string => {
  try {
    parseJson(document, 'config.json');
  } catch (error) {
    assert.ok(error instanceof DelosError, String(error));
    assert.equal(error.code, 'bad-config');
    return error.message;
  }
  return 'no error';
};

const accepts = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

test('parseJson() keeps every digit of integers, whatever their size', () => {
  assert.deepEqual(parseJson('[9007199254740991,9007199254740992,18446744073709551615,-9223372036854775808]', ''), [
    9007199254740991, 9007199254740992n, 18446744073709551615n, -9223372036854775808n,
  ]);
  assert.deepEqual(parseJson('{"text":"18446744073709551615","fraction":0.1234567890123456789}', ''), {
    text: '18446744073709551615', fraction: 0.12345678901234568,
  });
});

test('parseJson() agrees with BigInt on any 64-bit integer', () => {
  fc.assert(fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), (value) => {
    const read = parseJson(`{"value": ${value}}`, '') as { value: number | bigint };
    assert.equal(BigInt(read.value), value);
    assert.equal(typeof read.value, Number.isSafeInteger(Number(value)) ? 'number' : 'bigint');
  }));
});

test('parseJson() does not spend time on millions of digits', () => {
  const read = parseJson(`[${'9'.repeat(1_000_000)}]`, '');
  assert.deepEqual(read, [Infinity]);
});

test('parseJson() reads bytes as UTF-8 and refuses others', () => {
  assert.equal(parseJson(Buffer.from('"é☃"'), ''), 'é☃');
  assert.equal(messageOf(Buffer.from([0x22, 0xe9, 0x22])), 'config.json: expected UTF-8, found bytes that are not');
});

test('parseJson() refuses what is too large or too deep', () => {
  assert.equal(messageOf(' '.repeat(MAX_DOCUMENT + 1)), 'config.json: expected at most 16777216 bytes, found 16777217');
  const deep = `${'['.repeat(1_000_000)}1234567890123456789${']'.repeat(1_000_000)}`;
  assert.equal(messageOf(deep), 'config.json: objects or arrays are nested too deeply');
});

test('parseJson() says where a text stops being JSON', () => {
  const table: [text: string, fault: string][] = [
    ['', 'line 1, column 1: expected a value, found the end'],
    ['{', 'line 1, column 2: expected a property name in quotes or "}", found the end'],
    ['{"a":x}', 'line 1, column 6: expected a value, found "x"'],
    ['{\n  "a": 1,\n}', 'line 3, column 1: expected a property name in quotes, found "}"'],
    ['{"a" 1}', 'line 1, column 6: expected ":" after a property name, found "1"'],
    ['{"a": 1 "b": 2}', 'line 1, column 9: expected "," or "}", found "\\""'],
    ['[1 2]', 'line 1, column 4: expected "," or "]", found "2"'],
    ['[1,]', 'line 1, column 4: expected a value, found "]"'],
    ['[01]', 'line 1, column 3: expected "," or "]", found "1"'],
    ['{} {}', 'line 1, column 4: expected the end, found "{"'],
    ['["a', 'line 1, column 4: expected the closing quote of a string, found the end'],
    ['["a\nb"]', 'line 1, column 4: expected an escape for this control character, found "\\n"'],
    ['["\\x"]', 'line 1, column 3: expected an escape of JSON, found "\\\\"'],
    ["{'a': 1}", 'line 1, column 2: expected a property name in quotes or "}", found "\'"'],
    ['[tru]', 'line 1, column 2: expected a value, found "t"'],
    ['[\u202e]', 'line 1, column 2: expected a value, found "\\u202e"'],
  ];
  for (const [text, fault] of table) assert.equal(messageOf(text), `config.json: ${fault}`);
});

test('findJsonFault() finds a fault exactly where JSON.parse does', () => {
  const alphabet = fc.constantFrom(...'{}[]",:\\ \n0123-+.eEtrufalsn/'.split(''), '"a"', 'true', 'null', '\\u00e9', '\0', 'é');
  const texts = fc.oneof(fc.string({ unit: alphabet }), fc.json().chain((json) => withOneChange(json, alphabet)));
  fc.assert(fc.property(texts, (text) => assert.equal(findJsonFault(text) === undefined, accepts(text), text)), { numRuns: 2000 });
});

const withOneChange = (json: string, alphabet: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(fc.nat({ max: json.length }), fc.nat({ max: 2 }), alphabet)
    .map(([at, cut, put]) => json.slice(0, at) + put + json.slice(at + cut));

test('findJsonFault() is not overwhelmed by depth or length', () => {
  assert.equal(findJsonFault('['.repeat(100_000))?.column, 100_001);
  assert.equal(findJsonFault(`"${'a\\n'.repeat(1_000_000)}`)?.column, 3_000_002);
});
