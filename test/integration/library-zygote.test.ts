import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { create, run, type RunOptions } from '../../src/index.ts';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { marker } from '../support/marker.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'cgroups');
let count = 0;

function host(...command: string[]): RunOptions {
  return { image: 'host', command, id: `${marker}-${++count}` };
}

function children(pid: number): number[] {
  return fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter((word) => word !== '').map(Number);
}

/** The zygote of this process: the child that was told so. */
function zygote(): number {
  const found = children(process.pid).find((pid) => fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('\0-z\0'));
  assert.ok(found !== undefined, 'there is a zygote');
  return found;
}

/** The runner of the only container. */
async function runner(): Promise<number> {
  for (;;) {
    const [pid] = children(zygote());
    if (pid !== undefined && children(pid).length > 0) return pid;
    await sleep(2);
  }
}

test('a zygote that is killed takes no container with it, and the next has a new one', { skip }, async () => {
  await run(host('true'));
  const before = leaks();
  const first = zygote();
  const running = run(host('sh', '-c', 'sleep 0.3; echo done'));
  await runner();
  process.kill(first, 'SIGKILL');
  const next = await run(host('echo', 'next'));
  assert.equal(next.stdout.toString(), 'next\n');
  assert.notEqual(zygote(), first);
  assert.equal((await running).stdout.toString(), 'done\n');
  await assertNoLeaks(before);
});

test('a zygote that is killed with a plan before it: the plan is run by another', { skip }, async () => {
  await run(host('true'));
  const before = leaks();
  const first = zygote();
  process.kill(first, 'SIGSTOP');
  const waiting = [run(host('echo', '1')), run(host('echo', '2'))];
  await sleep(50);
  process.kill(first, 'SIGKILL');
  assert.deepEqual((await Promise.all(waiting)).map(({ stdout }) => stdout.toString()), ['1\n', '2\n']);
  await assertNoLeaks(before);
});

test('a runner that is killed is an error that says so, and the container goes', { skip }, async () => {
  await run(host('true'));
  const before = leaks();
  const running = run(host('sleep', '100'));
  const killed = assert.rejects(running, { code: 'interrupted' });
  process.kill(await runner(), 'SIGKILL');
  await killed;
  {
    await using container = await create(host('sleep', '100'));
    process.kill(await runner(), 'SIGKILL');
    await assert.rejects(container.wait(), { code: 'interrupted' });
  }
  await assertNoLeaks(before);
});

test('50 at once, each with its own result', { skip }, async () => {
  await run(host('true'));
  const before = leaks();
  const results = await Promise.all(Array.from({ length: 50 }, (_, index) => run({ ...host('sh', '-c', 'cat; exit $0', String(index)), stdin: `in ${index}` })));
  assert.deepEqual(results.map(({ exitCode, stdout }) => [exitCode, stdout.toString()]), Array.from({ length: 50 }, (_, index) => [index, `in ${index}`]));
  await assertNoLeaks(before);
});

test('500 runs leave no descriptor and nothing else', { skip }, async () => {
  await run(host('true'));
  const before = leaks();
  const descriptors = fs.readdirSync('/proc/self/fd').length;
  for (let round = 0; round < 100; round++) await Promise.all(Array.from({ length: 5 }, () => run(host('true'))));
  await assertNoLeaks(before);
  assert.equal(fs.readdirSync('/proc/self/fd').length, descriptors);
});

test('a process ends when it has nothing else to do, and its zygote with it', { skip }, async () => {
  const library = pathToFileURL(path.resolve(import.meta.dirname, '../../src/index.ts')).href;
  const code = `import { run } from '${library}'; import fs from 'node:fs';
    await run({ image: 'host', command: ['true'], id: '${marker}-ends' });
    console.log(fs.readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8').trim());`;
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', code], { encoding: 'utf8', timeout: 20_000 });
  assert.equal(status, 0);
  const pid = Number(stdout);
  assert.ok(pid > 0);
  for (let tries = 0; fs.existsSync(`/proc/${pid}`) && tries < 200; tries++) await sleep(10);
  assert.ok(!fs.existsSync(`/proc/${pid}`));
});
