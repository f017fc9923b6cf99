// A container that is still being built: what it is called, what may be done with it, and what becomes of it without its maker.
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createContainer } from '../../src/runtime/create.ts';
import { deleteContainer } from '../../src/runtime/delete.ts';
import { execContainer } from '../../src/runtime/exec.ts';
import { readInit } from '../../src/runtime/init-process.ts';
import { pauseContainer } from '../../src/runtime/pause.ts';
import { spawned } from '../../src/runtime/place.ts';
import type { CreateRequest } from '../../src/runtime/requests.ts';
import { startContainer } from '../../src/runtime/start.ts';
import { containerState } from '../../src/runtime/state.ts';
import { conditionOf, type Status } from '../../src/runtime/status.ts';
import { readRecord } from '../../src/runtime/store.ts';
import { makeBundle, script, type Bundle } from '../support/bundle.ts';
import { until } from '../support/container.ts';
import { CutPlan } from '../support/cut-plan.ts';
import { runDelos, startDelos, storeRoot } from '../support/delos.ts';
import { assertNoLeaks, leaks } from '../support/leaks.ts';
import { newId } from '../support/marker.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'busybox', 'cgroups');

interface Shown {
  readonly id: string;
  readonly pid: number;
  readonly status: string;
}

/** A container whose making stands still in a hook, until it is let go. */
interface Making {
  readonly bundle: Bundle;
  readonly id: string;
  readonly maker: ChildProcess;
  /** What the hook was told of the container on its stdin. */
  readonly told: Shown;
  letGo(): void;
}

async function stoppedIn(hook: string, command: 'create' | 'run', context: TestContext): Promise<Making> {
  const bundle = makeBundle();
  const id = newId();
  const [told, go] = [path.join(bundle.path, 'told'), path.join(bundle.path, 'go')];
  const wait = `cat > ${told}.part; mv ${told}.part ${told}; while [ ! -e ${go} ]; do sleep 0.01; done`;
  bundle.configure(script('exec sleep 300', (config) => ({
    ...config, hooks: { [hook]: [{ path: '/bin/sh', args: ['sh', '-c', wait], env: ['PATH=/bin:/usr/bin'] }] },
  })));
  const letGo = (): void => fs.writeFileSync(go, '');
  const { child, outcome } = startDelos([command, id], { bundle });
  outcome.catch(() => undefined);
  context.after(() => {
    letGo();
    runDelos(['delete', '--force', id]);
    bundle[Symbol.dispose]();
  });
  await until('the hook begins', () => fs.existsSync(told));
  return { bundle, id, maker: child, told: JSON.parse(fs.readFileSync(told, 'utf8')) as Shown, letGo };
}

/** As `state` prints it. */
function stateOf(id: string): Shown {
  return containerState(storeRoot, readRecord(storeRoot, id));
}

function execTrue(id: string): Promise<number> {
  return execContainer({
    root: storeRoot, id, systemdCgroup: false, process: { cwd: '/', args: ['true'], env: ['PATH=/bin'] }, detach: false, preserveFds: 0, ignorePaused: false, cgroup: {},
  });
}

for (const command of ['create', 'run'] as const) {
  for (const hook of ['prestart', 'createRuntime', 'createContainer']) {
    test(`${command}: during ${hook} a container is creating, has its pid, and takes no start`, { skip }, async (context) => {
      const { id, told, maker, letGo } = await stoppedIn(hook, command, context);
      assert.equal(told.status, 'creating');
      assert.ok(told.pid > 0 && fs.existsSync(`/proc/${told.pid}`));
      const shown = stateOf(id);
      assert.deepEqual([shown.status, shown.pid], ['creating', told.pid]);
      const refused = (message: string): object => ({ code: 'wrong-state', message });
      await assert.rejects(startContainer(storeRoot, id), refused('cannot start a container in the creating state'));
      await assert.rejects(execTrue(id), refused('cannot exec in a container in the creating state'));
      await assert.rejects(pauseContainer(storeRoot, id), refused('container not running'));
      await assert.rejects(deleteContainer(storeRoot, id), refused(`cannot delete container ${id} that is not stopped: creating`));
      assert.deepEqual(stateOf(id), shown);
      letGo();
      if (command === 'create') {
        assert.deepEqual(await once(maker, 'exit'), [0, null]);
        assert.deepEqual(stateOf(id), { ...shown, status: 'created' });
        await startContainer(storeRoot, id);
      } else {
        await until('the program runs', () => stateOf(id).status !== 'creating');
      }
      assert.deepEqual(stateOf(id), { ...shown, status: 'running' });
      assert.equal(await execTrue(id), 0);
    });
  }

  test(`${command}: a maker that is killed takes its container with it, which can be deleted`, { skip }, async (context) => {
    const { id, told, maker, letGo } = await stoppedIn('createRuntime', command, context);
    maker.kill('SIGKILL');
    await once(maker, 'exit');
    await until('the end of init', () => stateOf(id).status === 'stopped');
    assert.deepEqual([stateOf(id).pid, fs.existsSync(`/proc/${told.pid}/exe`)], [0, false]);
    await assert.rejects(startContainer(storeRoot, id), { code: 'wrong-state', message: 'cannot start a container that has stopped' });
    letGo();
    await deleteContainer(storeRoot, id);
    assert.throws(() => stateOf(id), { code: 'not-found' });
  });
}

test('the commands say of a container that is being built what the library does', { skip }, async (context) => {
  const { id, told } = await stoppedIn('createRuntime', 'create', context);
  const shown = JSON.parse(runDelos(['state', id]).stdout) as Shown;
  assert.deepEqual([shown.status, shown.pid], ['creating', told.pid]);
  const listed = (JSON.parse(runDelos(['list', '--format', 'json']).stdout) as Shown[]).find((row) => row.id === id);
  assert.deepEqual([listed?.status, listed?.pid], ['creating', told.pid]);
  const { status, stderr } = runDelos(['start', id]);
  assert.equal(status, 1);
  assert.match(stderr, /^time="[^"]+" level=error msg="cannot start a container in the creating state"\n$/);
});

test('the maker or init dies at any step: a container called created can be started, and any can be deleted', { skip }, async (context) => {
  using bundle = makeBundle(script('exec sleep 300'));
  const request = (): CreateRequest => ({ root: storeRoot, id: newId(), bundle: bundle.path, systemdCgroup: false, preserveFds: 0, noPivot: false, noNewKeyring: false });
  const steps = await makingSteps(request());
  const wait = steps.findLastIndex(({ why }) => why === 'init waits for start');
  const before = leaks();
  const seen: Record<string, number> = {};
  for (const [index, { why }] of steps.entries()) {
    // Every step of the last, where a container becomes one that is built.
    if (index % 10 !== 0 && !/container is built|waits for start/.test(why)) continue;
    const { root, id } = await left(request(), index);
    const statusNow = (): Status => conditionOf(root, readRecord(root, id)).status;
    await until('init has ended, or waits', () => statusNow() !== 'creating' || readInit(path.join(root, id)) === undefined);
    // It is called created before init is told so, and without its maker it hears of the end instead, when its turn comes.
    const mayEnd = /container is built/.test(why);
    if (mayEnd) for (let waitedMs = 0; waitedMs < 200 && statusNow() === 'created'; waitedMs += 10) await sleep(10);
    const status = statusNow();
    seen[status] = (seen[status] ?? 0) + 1;
    const hasStarted = status === 'created' && (await startContainer(root, id).then(() => true, () => !mayEnd));
    if (hasStarted) {
      // Where it dies instead of waiting, or after it was let go, it may have done so by now.
      assert.match(statusNow(), index >= wait ? /^(running|stopped)$/ : /^running$/, `${index}: ${why}`);
    } else {
      await assert.rejects(startContainer(root, id), { code: 'wrong-state' });
    }
    await deleteContainer(root, id, { force: status !== 'stopped' });
    await assertNoLeaks(before);
  }
  context.diagnostic(JSON.stringify(seen));
  assert.deepEqual(Object.keys(seen).toSorted(), ['created', 'creating', 'stopped']);
});

/** The steps of a container's making; and whatever this process opens once is open afterwards. */
async function makingSteps(request: CreateRequest): Promise<readonly { readonly why: string }[]> {
  let steps: readonly { readonly why: string }[] = [];
  await createContainer(request, { refused: undefined, run: (plan, preserve) => {
    ({ steps } = plan);
    return spawned.run(plan, preserve);
  } });
  await deleteContainer(request.root, request.id, { force: true });
  return steps;
}

/** Makes a container whose maker, or init, dies at a step; what is there of it stays. */
async function left(request: CreateRequest, step: number): Promise<CreateRequest> {
  const place = new CutPlan(step);
  await createContainer(request, { refused: undefined, run: (plan, preserve) => place.run(plan, preserve).catch(() => 0) });
  return request;
}
