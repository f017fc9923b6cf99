import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { SIGKILL } from '../../src/abi/signal.ts';
import { DelosError } from '../../src/lib/errors.ts';
import { createContainer } from '../../src/runtime/create.ts';
import { deleteContainer } from '../../src/runtime/delete.ts';
import { execContainer } from '../../src/runtime/exec.ts';
import { killContainer } from '../../src/runtime/kill.ts';
import type { CreateRequest } from '../../src/runtime/requests.ts';
import { startContainer } from '../../src/runtime/start.ts';
import { launch } from '../support/container.ts';
import { makeBundle, script } from '../support/bundle.ts';
import { runDelos, startDelos, storeRoot } from '../support/delos.ts';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { newId } from '../support/marker.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'busybox', 'cgroups');
const force = { force: true };

type Operation = (request: CreateRequest) => Promise<unknown>;

const operations = {
  create: (request) => createContainer(request),
  start: ({ root, id }) => startContainer(root, id),
  kill: ({ root, id }) => killContainer(root, id, SIGKILL),
  exec: ({ root, id }) => execContainer({
    root, id, systemdCgroup: false, process: { cwd: '/', args: ['true'], env: ['PATH=/bin'] }, detach: false, preserveFds: 0, ignorePaused: false, cgroup: {},
  }),
  delete: ({ root, id }) => deleteContainer(root, id, force),
} satisfies Record<string, Operation>;

type Name = keyof typeof operations;

const pairs: readonly [Name, Name, 'created' | 'running' | 'none'][] = [
  ['start', 'delete', 'created'], ['delete', 'start', 'created'], ['start', 'start', 'created'], ['kill', 'start', 'created'],
  ['delete', 'delete', 'running'], ['kill', 'delete', 'running'], ['exec', 'delete', 'running'], ['exec', 'kill', 'running'],
  ['create', 'create', 'none'], ['create', 'delete', 'none'],
];

test('two operations at once: each succeeds or says in one line why not, and nothing is left', { skip }, async (context) => {
  using bundle = makeBundle(script('exec sleep 300'));
  const warm: CreateRequest = { root: storeRoot, id: newId(), bundle: bundle.path, systemdCgroup: false, preserveFds: 0, noPivot: false, noNewKeyring: false };
  await createContainer(warm);
  await deleteContainer(storeRoot, warm.id, force);
  const before = leaks();
  for (const [first, second, status] of pairs) {
    await context.test(`${first} and ${second}`, async () => {
      for (const laterMs of [0, 0.5, 1, 2, 4, 8]) {
        const request = { ...warm, id: newId() };
        if (status !== 'none') await createContainer(request);
        if (status === 'running') await startContainer(request.root, request.id);
        const one: Promise<unknown> = operations[first](request);
        const other = after(laterMs).then((): Promise<unknown> => operations[second](request));
        for (const [index, outcome] of (await Promise.allSettled([one, other])).entries()) {
          if (outcome.status === 'fulfilled') continue;
          const { reason } = outcome as { reason: unknown };
          assert.notEqual([first, second][index], 'delete', String(reason));
          assert.ok(reason instanceof DelosError && !reason.message.includes('\n'), `${laterMs} ms: ${reason instanceof Error ? reason.stack : String(reason)}`);
        }
        await deleteContainer(request.root, request.id, force);
        await assertNoLeaks(before);
      }
    });
  }
});

/** Timers of Node are too coarse for this; what has been begun goes on at each turn. */
async function after(ms: number): Promise<void> {
  for (const end = performance.now() + ms; performance.now() < end; ) await new Promise((resolve) => setImmediate(resolve));
}

test('the same by the command line', { skip }, async () => {
  const before = leaks();
  using bundle = makeBundle(script('exec sleep 300'));
  for (const [one, other] of [[['delete', '--force'], ['delete', '--force']], [['kill'], ['delete', '--force']], [['exec'], ['delete', '--force']]]) {
    const container = launch(bundle);
    const words = (command: readonly string[] = []): string[] => [...command, container.id, ...(command[0] === 'exec' ? ['true'] : command[0] === 'kill' ? ['KILL'] : [])];
    for (const { status, stderr } of await Promise.all([one, other].map((command) => startDelos(words(command)).outcome))) {
      // A program that is killed while it runs is no fault of the command's.
      if (status !== 0 && status !== 128 + SIGKILL) assert.match(stderr, /^time="[^"]+" level=error msg="[^\n]*"\n$/);
    }
    assert.equal(runDelos(['delete', '--force', container.id]).status, 0);
    await assertNoLeaks(before);
  }
});

test('a pid that now is another process\'s: the container has stopped, and the stranger gets no signal', { skip }, async (context) => {
  const before = leaks();
  using bundle = makeBundle(script('exec sleep 300'));
  const stranger = spawn('sleep', ['300'], { stdio: 'ignore' });
  context.after(() => stranger.kill('SIGKILL'));
  const container = launch(bundle);
  const init = path.join(storeRoot, container.id, 'init');
  const own = fs.readFileSync(init, 'utf8');
  // What it would be, had the container's init died and the stranger got its pid.
  const startTime = own.slice(own.lastIndexOf(')')).split(' ')[20] ?? '';
  const stat = fs.readFileSync(`/proc/${stranger.pid}/stat`, 'utf8').split(' ');
  process.kill(container.pid, 'SIGKILL');
  fs.writeFileSync(init, stat.with(21, startTime).join(' '));
  assert.notEqual(stat[21], startTime);
  assert.equal((JSON.parse(runDelos(['state', container.id]).stdout) as { status: string }).status, 'stopped');
  for (const words of [['kill', container.id, 'KILL'], ['kill', '--all', container.id, 'KILL']]) {
    assert.match(runDelos(words).stderr, /container not running/);
  }
  assert.equal(runDelos(['delete', container.id]).status, 0);
  assert.ok(fs.existsSync(`/proc/${stranger.pid}/stat`) && stranger.exitCode === null && stranger.signalCode === null);
  stranger.kill('SIGKILL');
  await assertNoLeaks(before);
});
