import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { run, type RunOptions } from '../../src/index.ts';
import { makeBundle } from '../support/bundle.ts';
import { until } from '../support/container.ts';
import { storeRoot } from '../support/delos.ts';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { marker, newId } from '../support/marker.ts';
import { skipUnless } from '../support/skip.ts';
import { WarmPlanner } from '../support/warm-planner.ts';

const skip = skipUnless('root', 'busybox', 'cgroups', 'unshare', 'nsenter');
const cold = [path.resolve(import.meta.dirname, '../../build/delos-oci')];

/** Runs `count` containers at the same time; gives their exit codes. */
async function atOnce(count: number, runtime: readonly string[], bundle: string): Promise<unknown[]> {
  const [program = '', ...words] = runtime;
  return Promise.all(Array.from({ length: count }, async () => {
    const child = spawn(program, [...words, '--root', storeRoot, 'run', '--bundle', bundle, newId()], { stdio: 'ignore', env: { ...process.env, DELOS_TEST: marker } });
    const [code] = (await once(child, 'exit')) as [number | null];
    return code;
  }));
}

test('50 commands at once with a planner, 12 without: all run, and nothing is left', { skip }, async () => {
  using bundle = makeBundle((config) => ({ ...config, process: { ...config.process, args: ['sh', '-c', 'exit 3'] } }));
  using planner = await WarmPlanner.start();
  const [before, mounts] = [leaks(), planner.mounts()];
  await atOnce(1, planner.command, bundle.path);
  const idle = [...planner.descriptors().filter((target) => target !== 'socket'), 'socket'];
  assert.deepEqual(await atOnce(50, planner.command, bundle.path), Array.from({ length: 50 }, () => 3));
  assert.deepEqual(await atOnce(12, cold, bundle.path), Array.from({ length: 12 }, () => 3));
  await assertNoLeaks(before);
  assert.equal(planner.mounts(), mounts);
  await until('the planner has closed all connections', () => JSON.stringify(planner.descriptors()) === JSON.stringify(idle));
});

/** cgroups by controller as the kernel counts them: with those that are removed but still have pages. Others make some, too. */
function cgroupCounts(): Record<string, number> {
  const rows = fs.readFileSync('/proc/cgroups', 'utf8').trimEnd().split('\n').slice(1).map((line) => line.split('\t'));
  return Object.fromEntries(rows.map(([name = '', , count]) => [name, Number(count)]));
}

/** Bytes of a process that it shares with nobody. */
function privateBytes(pid: number | 'self'): number {
  const text = fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  return [...text.matchAll(/^Private_\w+: +(\d+) kB$/gm)].reduce((sum, [, kb]) => sum + 1024 * Number(kb), 0);
}

/** Children of this process: the zygote, and what nobody has waited for. */
function children(): number[] {
  return fs.readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ').filter((word) => word !== '').map(Number);
}

function zombies(): number {
  return fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter((pid) => {
    try {
      const [state, parent] = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
      return state === 'Z' && [process.pid, ...children()].includes(Number(parent));
    } catch {
      return false;
    }
  }).length;
}

test('500 in sequence and 50 at once out of one process: no descriptor, mount, cgroup, process or memory is left', { skip }, async (context) => {
  using bundle = makeBundle();
  const options = (): RunOptions => ({ image: bundle.path, id: newId() });
  const some = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index++) assert.equal((await run(options())).exitCode, 0);
  };
  // Caches of the process fill, its code is compiled.
  await some(150);
  const before = leaks();
  const [descriptors, own, memory] = [fs.readdirSync('/proc/self/fd').length, children(), children().map(privateBytes)];
  const [heap, counts] = [await liveHeap(), cgroupCounts()];
  await some(350);
  const together = await Promise.all(Array.from({ length: 50 }, async () => run(options())));
  assert.deepEqual(new Set(together.map(({ exitCode }) => exitCode)), new Set([0]));
  await assertNoLeaks(before);
  assert.equal(fs.readdirSync('/proc/self/fd').length, descriptors);
  assert.deepEqual(children(), own);
  assert.equal(zombies(), 0);
  const grown = (await liveHeap()) - heap;
  const zygotes = children().map(privateBytes).map((bytes, index) => bytes - (memory[index] ?? 0));
  context.diagnostic(`the heap has grown by ${grown} bytes, the zygote by ${zygotes.join(' ')}; ${privateBytes('self')} bytes are this process's own`);
  const more = Object.entries(cgroupCounts()).map(([name, count]) => `${name} ${count - (counts[name] ?? 0)}`);
  context.diagnostic(`cgroups more than before, as the kernel counts them: ${more.join(', ')}`);
  // Of 400 plans of 70 kB, or 400 records of 5 kB, hardly any is left.
  assert.ok(grown < 1 << 20, `${grown} bytes`);
  assert.ok(zygotes.every((bytes) => bytes < 1 << 16), zygotes.join(' '));
});

/** Bytes that are in use after everything else was collected. */
async function liveHeap(): Promise<number> {
  const { setFlagsFromString } = await import('node:v8');
  const { runInNewContext } = await import('node:vm');
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let round = 0; round < 3; round++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
