import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { containerFolder } from '../../src/runtime/store.ts';
import { readInit, signalInit } from '../../src/runtime/init-process.ts';
import { SIGKILL } from '../../src/abi/signal.ts';
import { makeBundle, script, type Bundle } from '../support/bundle.ts';
import { until } from '../support/container.ts';
import { storeRoot } from '../support/delos.ts';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { marker, newId } from '../support/marker.ts';
import { skipUnless } from '../support/skip.ts';
import { WarmPlanner } from '../support/warm-planner.ts';

const skip = skipUnless('root', 'busybox', 'cgroups', 'unshare', 'nsenter');
const cold = [path.resolve(import.meta.dirname, '../../build/delos-oci')];
const env = { ...process.env, DELOS_TEST: marker };
const commands = [['create'], ['run'], ['run', '--detach']];

/** Who is killed: everyone in the process group of the runtime, the runtime alone, the container's init, both. */
const victims = ['group', 'runtime', 'init', 'both'] as const;

type Victim = (typeof victims)[number];

/** Starts a command, kills after a while whoever is there to be killed, and waits for the command if it was not that. */
async function killed(command: readonly string[], id: string, victim: Victim, afterMs: number): Promise<string> {
  const [program = '', ...words] = command;
  const child = spawn(program, words, { detached: true, stdio: 'ignore', env });
  const exit = once(child, 'exit');
  const pid = child.pid ?? 0;
  const folder = containerFolder(storeRoot, id);
  // Timers of Node are too coarse for what takes two milliseconds.
  if (afterMs > 20) await sleep(afterMs);
  else for (const end = performance.now() + afterMs; performance.now() < end; );
  const init = readInit(folder);
  const isThere = init !== undefined;
  if (victim !== 'init') kill(victim === 'group' ? -pid : pid);
  if (init !== undefined && (victim === 'init' || victim === 'both')) signalInit(init, SIGKILL);
  // Nobody killed a command that waits for its container.
  if (victim === 'init' && !isThere) kill(-pid);
  await exit;
  return isThere ? 'init' : 'none';
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

function deleteByForce(runtime: readonly string[], id: string): void {
  const [program = '', ...words] = [...runtime, '--root', storeRoot, 'delete', '--force', id];
  const { status, stderr } = spawnSync(program, words, { encoding: 'utf8', env, timeout: 20_000 });
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
}

/** What `create` takes here and now, so that the moments are spread over all of it. */
function creationMs(runtime: readonly string[], bundle: Bundle): number {
  const id = newId();
  const [program = '', ...words] = [...runtime, '--root', storeRoot, 'create', '--bundle', bundle.path, id];
  const begin = performance.now();
  assert.equal(spawnSync(program, words, { stdio: 'ignore', env, timeout: 20_000 }).status, 0);
  const end = performance.now();
  deleteByForce(runtime, id);
  return end - begin;
}

/** Kills at moments from the start on; after each, `delete --force` leaves nothing, and now and then the same id runs again. */
async function killAtMoments(context: TestContext, runtime: readonly string[], sleeper: Bundle, moments: number): Promise<void> {
  using short = makeBundle();
  const longestMs = 1.5 * Math.min(creationMs(runtime, sleeper), creationMs(runtime, sleeper));
  const before = leaks();
  const found = { init: 0, none: 0 };
  for (let moment = 0; moment < moments; moment++) {
    const id = newId();
    const victim = victims[moment % victims.length] ?? 'group';
    const words = commands[moment % commands.length] ?? [];
    const afterMs = (longestMs * moment) / (moments - 1);
    const there = await killed([...runtime, '--root', storeRoot, ...words, '--bundle', sleeper.path, id], id, victim, afterMs);
    found[there === 'init' ? 'init' : 'none']++;
    deleteByForce(runtime, id);
    if (moment % 8 === 0) {
      const [program = '', ...again] = [...runtime, '--root', storeRoot, 'run', '--bundle', short.path, id];
      const { status, stderr } = spawnSync(program, again, { encoding: 'utf8', env, timeout: 20_000 });
      assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
    }
    try {
      await assertNoLeaks(before);
    } catch (error) {
      context.diagnostic(`${words.join(' ')}, ${victim} killed after ${afterMs.toFixed(2)} ms`);
      throw error;
    }
  }
  context.diagnostic(`${found.none} times there was no init yet, ${found.init} times there was; up to ${longestMs.toFixed(1)} ms`);
}

test('kill -9 at any moment without a planner: delete --force leaves nothing', { skip }, async (context) => {
  using bundle = makeBundle(script('exec sleep 300'));
  await killAtMoments(context, cold, bundle, 25);
});

test('kill -9 at any moment with a warm planner: delete --force leaves nothing', { skip }, async (context) => {
  using bundle = makeBundle(script('exec sleep 300'));
  using planner = await WarmPlanner.start();
  const mounts = planner.mounts();
  creationMs(planner.command, bundle);
  const idle = [...planner.descriptors().filter((target) => target !== 'socket'), 'socket'];
  await killAtMoments(context, planner.command, bundle, 73);
  assert.equal(planner.mounts(), mounts);
  await until('the planner has closed all connections', () => JSON.stringify(planner.descriptors()) === JSON.stringify(idle));
});
