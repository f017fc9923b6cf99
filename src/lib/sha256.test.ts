import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { sha256, sha256Bytes } from './sha256.ts';

test('the examples of FIPS 180-2, appendix B', () => {
  assert.equal(sha256('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  assert.equal(sha256('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq'), '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1');
  assert.equal(sha256(''), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
});

test('property: it is what node:crypto has, at every length of the padding', () => {
  const of = (text: string): string => createHash('sha256').update(text).digest('hex');
  for (let length = 0; length < 200; length++) assert.equal(sha256('x'.repeat(length)), of('x'.repeat(length)));
  fc.assert(fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => assert.equal(sha256(text), of(text))));
});

test('property: bytes, of a part of a buffer too', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(70), (bytes, from) => {
    const part = bytes.subarray(from);
    assert.deepEqual(sha256Bytes(part), new Uint8Array(createHash('sha256').update(part).digest()));
  }));
});
