import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { abis, syscallNumbers, X32_SYSCALL_BIT } from './syscall-numbers.ts';

const folder = '/usr/include/x86_64-linux-gnu/asm';
const headers = ['unistd_64.h', 'unistd_32.h', 'unistd_x32.h'];
const skip = existsSync(`${folder}/unistd_64.h`) ? false : `${folder} is missing: install linux-libc-dev to compare with the C headers`;

test('every number in the C headers is in the table, and no other up to the headers\' newest', { skip }, () => {
  headers.forEach((header, column) => {
    const defined = new Map<string, number>();
    for (const [, name, x32, plain] of readFileSync(`${folder}/${header}`, 'utf8').matchAll(/^#define __NR_(\w+) (?:\(__X32_SYSCALL_BIT \+ (\d+)\)|(\d+))$/gm)) {
      defined.set(name ?? '', Number(x32 ?? plain));
    }
    assert.ok(defined.size > 300, header);
    for (const [name, number] of defined) assert.equal(syscallNumbers().get(name)?.[column], number, `${name} in ${header}`);
    const values = new Set(defined.values());
    const newest = Math.max(...[...values].filter((number) => number < 512));
    // 335 and 336 came to x86-64 late, in a gap.
    for (const [name, numbers] of syscallNumbers()) {
      const number = numbers[column] ?? -1;
      assert.ok(number < 0 || number > newest || values.has(number) || number === 335 || number === 336, `${name} ${number} is not in ${header}`);
    }
  });
});

test('a number has one name in each ABI, and every call exists in one ABI at least', () => {
  for (const [column, abi] of abis.entries()) {
    const numbers = [...syscallNumbers().values()].map((row) => row[column] ?? -1).filter((number) => number >= 0);
    assert.equal(new Set(numbers).size, numbers.length, abi);
    assert.ok(Math.max(...numbers) < X32_SYSCALL_BIT);
  }
  for (const [name, numbers] of syscallNumbers()) assert.ok(Math.max(...numbers) >= 0, name);
});

test('from 424 on, all ABIs share their numbers', () => {
  for (const [name, [x86_64, i386, x32]] of syscallNumbers()) {
    if (x86_64 >= 424) assert.deepEqual([i386, x32], [x86_64, x86_64], name);
  }
});
