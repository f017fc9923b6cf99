// node fuzz/disassemble.ts [--seconds N] [--seed N]: any bytes as code of each size. Each line is of 1 to 15 bytes and of one line, and the lines
// together are all bytes; nothing is thrown. Exits with 1 and the seed when it is otherwise.
import assert from 'node:assert/strict';
import { listing } from '../src/cpu/disassemble/listing.ts';
import { campaign } from './support/campaign.ts';
import { generator, pick } from './support/generator.ts';

/** Prefixes, escapes and the opcodes that have the most forms come often. */
const frequent = [0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x2e, 0x48, 0x4f, 0x0f, 0x38, 0x3a, 0xc7, 0xd9, 0xdb, 0xae, 0xff];
let lines = 0;

await campaign('disassemble', (runs) => `${runs} pieces of code, ${lines} lines`, (seed) => {
  const random = generator(seed);
  const code = Uint8Array.from({ length: 1 + random(40) }, () => (random(3) === 0 ? pick(frequent, random) : random(256)));
  let sum = 0;
  for (const { length, text, mnemonic } of listing(code, BigInt(random(0x7fffffff)) << BigInt(random(33)), pick([16, 32, 64] as const, random))) {
    assert.ok(length >= 1 && length <= 15 && mnemonic !== '' && !text.includes('\n') && !/undefined|NaN/.test(text), text);
    sum += length;
    lines++;
  }
  assert.equal(sum, code.length);
});
