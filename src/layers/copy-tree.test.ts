import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { skipUnless } from '../../test/support/skip.ts';
import { compareTrees } from './compare.ts';
import { copyTree } from './copy-tree.ts';

test('a copy has all that the tree has, and shares nothing with it', { skip: skipUnless('root') }, async (context) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-copy-'));
  context.after(() => fs.rmSync(folder, { recursive: true }));
  const [from, to, shifted] = ['from', 'to', 'shifted'].map((name) => path.join(folder, name)) as [string, string, string];
  for (const name of [from, to, shifted]) fs.mkdirSync(name);
  execFileSync('sh', ['-euc', `
    mkdir -p etc/deep/er closed; echo one > etc/one; ln etc/one etc/deep/again; ln -s ../nowhere etc/link
    head -c 3000000 /dev/urandom > large; truncate -s 10M holes; mkfifo fifo; mknod null c 1 3; touch setuid
    chown 12:34 etc/one setuid; chown -h 56:78 etc/link; chmod 4755 setuid; chmod 2000 closed; chmod 1777 etc/deep
    setfattr -n user.note -v told etc/one; touch -d 2001-02-03T04:05:06.123456789 etc/one etc/deep .`], { cwd: from });
  await copyTree(from, to, { owner: (uid, gid) => [uid, gid] });
  assert.deepEqual([...compareTrees(from, to, { contents: true })], []);
  const [one, again] = ['etc/one', 'etc/deep/again'].map((name) => fs.statSync(path.join(to, name)).ino);
  assert.equal(one, again);
  fs.appendFileSync(path.join(to, 'etc/one'), 'two\n');
  assert.equal(fs.readFileSync(path.join(from, 'etc/one'), 'utf8'), 'one\n');

  await copyTree(from, shifted, { owner: (uid, gid) => [uid + 1000, gid + 2000] });
  assert.deepEqual([...compareTrees(from, shifted, { contents: true, owner: (uid, gid) => [uid - 1000, gid - 2000] })], []);
  assert.equal(fs.statSync(path.join(shifted, 'setuid')).uid, 1012);
});

test('what is in the way is told by its name', { skip: skipUnless('root') }, async (context) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-copy-'));
  context.after(() => fs.rmSync(folder, { recursive: true }));
  const [from, to] = ['from', 'to'].map((name) => path.join(folder, name)) as [string, string];
  for (const name of [from, to]) fs.mkdirSync(path.join(name, 'a'), { recursive: true });
  await assert.rejects(copyTree(from, to), { code: 'io', message: /"a" cannot be copied to it: mkdirat: EEXIST/ });
});
