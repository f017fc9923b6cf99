import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { readInside } from './read-inside.ts';

test('readInside() reads ordinary files of the root and nothing else', (context) => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-inside-'));
  context.after(() => fs.rmSync(root, { recursive: true }));
  fs.mkdirSync(path.join(root, 'etc'));
  fs.writeFileSync(path.join(root, 'etc/passwd'), 'root:x:0:0');
  fs.symlinkSync('../../../../../../../../etc/passwd', path.join(root, 'etc/climbing'));
  fs.symlinkSync('/etc/passwd', path.join(root, 'etc/absolute'));
  fs.symlinkSync('/proc/self/root/etc/passwd', path.join(root, 'etc/magic'));
  execFileSync('mkfifo', [path.join(root, 'etc/fifo')]);
  const huge = fs.openSync(path.join(root, 'etc/huge'), 'w');
  fs.ftruncateSync(huge, 2 ** 33);
  fs.closeSync(huge);
  for (const name of ['passwd', 'climbing', 'absolute']) assert.equal(readInside(root, `etc/${name}`), 'root:x:0:0', name);
  for (const name of ['magic', 'fifo', 'huge', 'missing', 'passwd/x', '']) assert.equal(readInside(root, `etc/${name}`), '', name);
  assert.equal(readInside(path.join(root, 'none'), 'etc/passwd'), '');
});
