import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Everyday, ended } from '../support/everyday.ts';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'cgroups');
const sleeper = ['host', 'sleep', '300'];

/** What `run -d` takes here and now, so that the moments are spread over all of it. */
async function startMs(everyday: Everyday): Promise<number> {
  const begin = performance.now();
  everyday.output('run', '-d', '--name', 'first', ...sleeper);
  const end = performance.now();
  everyday.output('rm', '-f', 'first');
  return end - begin;
}

/** A listing removes what a process that was killed has begun. */
function nothingIsLeft(everyday: Everyday): void {
  assert.deepEqual(everyday.names(), []);
  assert.deepEqual(fs.readdirSync(path.join(everyday.data, 'containers')), []);
  assert.deepEqual(fs.readdirSync(path.join(everyday.data, 'names')), []);
}

/** The monitor of the container that is being made; nothing when it has ended. */
function monitor(): number | undefined {
  const found = leaks().processes.find((line) => line.endsWith(' monitor'));
  return found === undefined ? undefined : Number.parseInt(found, 10);
}

function oneLine(code: number | null, stderr: string): void {
  if (code !== 0) assert.match(stderr, /^[^\n]+\n$/);
}

test('run -d whose starter is killed at any moment: rm -f or the next start clears up', { skip }, async (context) => {
  const before = leaks();
  {
    await using everyday = new Everyday();
    const longestMs = 1.2 * await startMs(everyday);
    const left = { nothing: 0, something: 0 };
    for (let moment = 0; moment <= 6; moment++) {
      const starter = everyday.start('run', '-d', '--name', 'victim', ...sleeper);
      await sleep((longestMs * moment) / 6);
      starter.kill('SIGKILL');
      await ended(starter);
      left[everyday.names().length > 0 ? 'something' : 'nothing']++;
      if (everyday.names().length > 0 && moment % 2 === 0) {
        const { status, stderr } = everyday.delos('start', 'victim');
        assert.ok(status === 0 || /already running/.test(stderr), stderr);
        assert.equal(everyday.output('ps', '--format', '{{.Names}} {{.State}}'), 'victim running\n');
      }
      if (everyday.names().length > 0) everyday.output('rm', '-f', 'victim');
      assert.equal(everyday.output('run', '--rm', '--name', 'victim', 'host', 'echo', 'again'), 'again\n');
      nothingIsLeft(everyday);
    }
    context.diagnostic(`${left.nothing} times there was no container yet, ${left.something} times there was; up to ${longestMs.toFixed(0)} ms`);
  }
  await assertNoLeaks(before);
});

test('run -d whose monitor is killed at any moment: one line or a container, and rm -f or the next start clears up', { skip }, async (context) => {
  const before = leaks();
  {
    await using everyday = new Everyday();
    const codes: (number | null)[] = [];
    for (let moment = 0; moment < 5; moment++) {
      const starter = everyday.start('run', '-d', '--name', 'victim', ...sleeper);
      let stderr = '';
      starter.stderr?.on('data', (text: Buffer) => (stderr += text.toString()));
      let found = monitor();
      while (found === undefined && starter.exitCode === null) {
        await sleep(1);
        found = monitor();
      }
      await sleep(4 * moment);
      if (found !== undefined) process.kill(found, 'SIGKILL');
      const code = await ended(starter);
      codes.push(code);
      oneLine(code, stderr);
      if (moment % 2 === 0) {
        const { status, stderr: told } = everyday.delos('start', 'victim');
        assert.ok(status === 0 || /already running/.test(told), told);
      }
      everyday.output('rm', '-f', 'victim');
      nothingIsLeft(everyday);
    }
    context.diagnostic(`exit codes ${codes.join(' ')}`);
  }
  await assertNoLeaks(before);
});

test('run -d whose container is killed at any moment: it has stopped, and starts again', { skip }, async () => {
  const before = leaks();
  {
    await using everyday = new Everyday();
    everyday.output('run', '-d', '--name', 'victim', ...sleeper);
    for (let moment = 0; moment < 3; moment++) {
      process.kill(Number(everyday.output('inspect', '-f', '{{.State.Pid}}', 'victim')), 'SIGKILL');
      if (moment % 2 === 0) assert.equal(everyday.output('wait', 'victim'), '137\n');
      everyday.output('start', 'victim');
      assert.equal(everyday.output('ps', '--format', '{{.Names}} {{.State}}'), 'victim running\n');
    }
  }
  await assertNoLeaks(before);
});
