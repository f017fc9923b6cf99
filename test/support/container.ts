import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeBundle, type Bundle, type ConfigChange } from './bundle.ts';
import { runDelos, runtime, storeRoot, type Outcome, type RunOptions } from './delos.ts';
import { assertNoLeaks, leaks } from './leaks.ts';
import { marker, newId } from './marker.ts';

export interface Attempt {
  readonly config?: ConfigChange;
  /** Changes the image before it runs. */
  readonly image?: (rootfs: string, bundle: Bundle) => void;
  /** Looks at what it has left in the bundle, before that goes. */
  readonly inspect?: (outcome: Outcome, bundle: Bundle) => void;
  /** Words after `run`, before the id. */
  readonly flags?: readonly string[];
  readonly options?: RunOptions;
}

/** Makes a bundle, runs it once to its end and removes it; fails when anything of it is left on the host. */
export async function attempt({ config, image, inspect, flags = [], options = {} }: Attempt): Promise<Outcome> {
  const before = leaks();
  using bundle = makeBundle(config);
  image?.(bundle.rootfs, bundle);
  const outcome = runDelos(['run', ...flags, newId()], { ...options, bundle });
  inspect?.(outcome, bundle);
  await assertNoLeaks(before);
  return outcome;
}

/** A container that runs in the background. Disposing of it deletes it by force. */
export interface Launched extends Disposable {
  readonly id: string;
  /** pid of its init on the host. */
  readonly pid: number;
  /** What it has written so far, stdout and stderr. */
  output(): string;
  exec(flags: readonly string[], args: readonly string[], options?: RunOptions): Outcome;
}

/** `run --detach`, with its output in a file of the bundle, since a pipe would stay open as long as it runs. */
export function launch(bundle: Bundle, flags: readonly string[] = []): Launched {
  const id = newId();
  const log = path.join(bundle.path, `${id}.log`);
  const descriptor = fs.openSync(log, 'w');
  const [program = '', ...words] = [...runtime, '--root', storeRoot, 'run', '--detach', '--bundle', bundle.path, ...flags, id];
  const { status } = spawnSync(program, words, { stdio: ['ignore', descriptor, descriptor], env: { ...process.env, DELOS_TEST: marker }, timeout: 20_000 });
  fs.closeSync(descriptor);
  const output = (): string => fs.readFileSync(log, 'utf8');
  assert.equal(status, 0, output());
  const { pid } = JSON.parse(runDelos(['state', id]).stdout) as { pid: number };
  return {
    id,
    pid,
    output,
    exec: (execFlags, args, options = {}) => runDelos(['exec', ...execFlags, id, ...args], options),
    [Symbol.dispose]: () => void runDelos(['delete', '--force', id]),
  };
}

/** Waits until `condition` holds. Fails after `withinMs`, with what it was about. */
export async function until(what: string, condition: () => boolean, withinMs = 5000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > deadline) assert.fail(`not within ${withinMs} ms: ${what}`);
    await sleep(10);
  }
}
