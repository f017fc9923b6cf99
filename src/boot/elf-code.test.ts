import assert from 'node:assert/strict';
import { test } from 'node:test';
import { elfWithCode, TEXT } from '../../test/support/elf-code.ts';
import { listedLine, listing, namesOf } from '../cpu/disassemble/listing.ts';
import { DelosError } from '../lib/errors.ts';
import { readElfCode } from './elf-code.ts';

test('sections of code and the names in them, at the addresses that they are meant for', () => {
  const { codeSize, sections, symbols } = readElfCode(elfWithCode());
  assert.equal(codeSize, 64);
  assert.deepEqual(sections.map(({ name, address, bytes }) => [name, address, bytes.length]), [['.text', TEXT, 8]]);
  assert.deepEqual(symbols, [{ name: 'first', address: TEXT, size: 3 }, { name: 'second', address: TEXT + 3n, size: 0 }]);
  const [section] = sections;
  const lines = [...listing(section?.bytes ?? new Uint8Array(), TEXT, codeSize)].map((each) => listedLine(each, namesOf(symbols)).trim().split('\t').at(-1));
  assert.deepEqual(lines, ['push   rbp', 'pop    rbp', 'ret', 'call   0xffffffff81000000 <first>']);
});

test('a name goes as far as its function', () => {
  const nameOf = namesOf([{ name: 'f', address: 0x10n, size: 4 }, { name: 'g', address: 0x20n, size: 0 }]);
  assert.deepEqual([0xfn, 0x10n, 0x13n, 0x14n, 0x20n, 0x99n].map((address) => nameOf(address)), [undefined, 'f', 'f+0x3', undefined, 'g', 'g+0x79']);
});

/** Of the last section header, which is at the end: alignment and entry size. */
const unread = 20;

test('a file that is cut off anywhere is refused', () => {
  const whole = elfWithCode();
  for (let length = 0; length < whole.length - unread; length++) {
    assert.throws(() => readElfCode(whole.subarray(0, length)), (error) => error instanceof DelosError && error.code === 'bad-kernel', `${length} bytes`);
  }
});
