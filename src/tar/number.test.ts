import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDecimal, readNumber, readTime, writeNumber, writeTime } from './number.ts';

const field = (text: string): number | undefined => readNumber(Buffer.from(text, 'latin1'), 0, text.length);

test('octal digits stand between blanks and NULs', () => {
  assert.equal(field('0000644\0'), 0o644);
  assert.equal(field('   644 \0'), 0o644);
  assert.equal(field('77777777'), 0o77777777);
  assert.equal(field('\0\0\0\0\0\0\0\0'), 0);
  assert.equal(field('12\x0099999'), 0o12);
  for (const wrong of ['0000648\0', '-0000001', '0x12\0\0\0\0', '12 34\0\0\0']) assert.equal(field(wrong), undefined, wrong);
});

test('base 256 reaches below zero and beyond octal', () => {
  assert.equal(field('\x80\0\0\0\0\x20\0\0'), 0x200000);
  assert.equal(field('\x80\0\0\0\0\0\0\0\x01\0\0\0'), 2 ** 24);
  assert.equal(field('\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe'), -2);
  assert.equal(field('\xff\xff\xff\xff\xff\xff\xff\xff'), -1);
  assert.equal(field('\x80\0\0\0\0\x1f\xff\xff\xff\xff\xff\xff'), Number.MAX_SAFE_INTEGER);
  assert.equal(field('\x80\0\0\0\0\x20\0\0\0\0\0\0'), undefined);
  assert.equal(field('\xbf\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff'), undefined);
});

test('a number is written as octal or not at all', () => {
  const block = Buffer.alloc(8, 0xee);
  assert.equal(writeNumber(block, 0, 8, 0o7777777), true);
  assert.equal(block.toString('latin1'), '7777777\0');
  for (const no of [0o10000000, -1, 1.5, Number.NaN]) assert.equal(writeNumber(block, 0, 8, no), false);
});

test('decimal numbers are exact or refused', () => {
  assert.equal(readDecimal('9007199254740991'), Number.MAX_SAFE_INTEGER);
  for (const wrong of ['9007199254740992', '', '1e3', '0x1', ' 1', '1.0']) assert.equal(readDecimal(wrong), undefined, wrong);
});

test('times keep nanoseconds on both sides of 1970', () => {
  for (const [text, seconds, nanoseconds] of [
    ['0', 0, 0], ['1700000000.123456789', 1700000000, 123456789], ['1.5', 1, 500000000], ['-1', -1, 0], ['-1.5', -2, 500000000], ['-0.000000001', -1, 999999999],
  ] as const) {
    assert.deepEqual(readTime(text), { seconds, nanoseconds }, text);
    assert.equal(writeTime({ seconds, nanoseconds }), text);
  }
  assert.deepEqual(readTime('1.1234567899'), { seconds: 1, nanoseconds: 123456789 });
  assert.deepEqual(readTime('-1.0000000001'), { seconds: -2, nanoseconds: 999999999 });
  for (const wrong of ['', '.5', '1,5', 'NaN', '1e9', '99999999999999999999']) assert.equal(readTime(wrong), undefined, wrong);
});
