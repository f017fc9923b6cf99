import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { lockContainer } from '../../src/runtime/lock.ts';

function rootFor(context: TestContext): string {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'delos-lock-'));
  context.after(() => fs.rmSync(root, { recursive: true }));
  fs.mkdirSync(path.join(root, 'one'));
  fs.mkdirSync(path.join(root, 'two'));
  return root;
}

test('one at a time, and every one in the end', async (context) => {
  const root = rootFor(context);
  let inside = 0;
  let done = 0;
  await Promise.all(Array.from({ length: 10 }, async () => {
    using _ = await lockContainer(root, 'one');
    assert.equal(++inside, 1);
    await sleep(2);
    inside--;
    done++;
  }));
  assert.equal(done, 10);
});

test('other containers are not locked with it, and waiting has an end', async (context) => {
  const root = rootFor(context);
  using _one = await lockContainer(root, 'one');
  using _two = await lockContainer(root, 'two', 0);
  await assert.rejects(lockContainer(root, 'one', 20), { code: 'wrong-state', message: 'container one is being changed by another command' });
  await assert.rejects(lockContainer(root, 'three'), { code: 'not-found' });
  await assert.rejects(lockContainer(root, '../x'), { code: 'bad-id' });
});

test('who gets the lock of a folder that was removed meanwhile gets none, though there is a new one', async (context) => {
  const root = rootFor(context);
  for (const makeNew of [false, true]) {
    const lock = await lockContainer(root, 'one');
    const waiting = assert.rejects(lockContainer(root, 'one'), { code: 'not-found' });
    await sleep(5);
    fs.rmdirSync(path.join(root, 'one'));
    if (makeNew) fs.mkdirSync(path.join(root, 'one'));
    lock[Symbol.dispose]();
    await waiting;
    if (!makeNew) fs.mkdirSync(path.join(root, 'one'));
  }
});

test('a process that is killed leaves no lock, nor do its children keep it', async (context) => {
  const root = rootFor(context);
  const program = `import { spawn } from 'node:child_process';
    import { lockContainer } from ${JSON.stringify(path.resolve(import.meta.dirname, '../../src/runtime/lock.ts'))};
    const lock = await lockContainer(${JSON.stringify(root)}, 'one');
    const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
    console.log(child.pid);
    setInterval(() => lock, 1000);`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [text] = (await once(holder.stdout, 'data')) as [Buffer];
  context.after(() => process.kill(Number(text.toString()), 'SIGKILL'));
  await assert.rejects(lockContainer(root, 'one', 20), { code: 'wrong-state' });
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  using _ = await lockContainer(root, 'one', 0);
});
