import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpio } from './cpio.ts';

test('an entry is its header, its name and its data, each padded to four bytes', () => {
  const bytes = cpio([{ name: 'dir', mode: 0o40755 }, { name: 'dir/a', mode: 0o100644, data: Buffer.from('hello') }]);
  const header = (inode: string, mode: string, size: string, name: string): string =>
    `070701${[inode, mode, '0', '0', '1', '0', size, '0', '0', '0', '0', name, '0'].map((field) => field.padStart(8, '0')).join('')}`;
  const text = [
    `${header('1', '41ed', '0', '4')}dir\0\0\0`,
    `${header('2', '81a4', '5', '6')}dir/a\0hello\0\0\0`,
    `${header('0', '0', '0', 'b')}TRAILER!!!\0\0\0\0`,
  ].join('');
  assert.equal(bytes.toString('latin1'), text);
});
