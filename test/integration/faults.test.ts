import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { createContainer, runContainer } from '../../src/runtime/create.ts';
import { deleteContainer } from '../../src/runtime/delete.ts';
import { spawned } from '../../src/runtime/place.ts';
import type { CreateRequest } from '../../src/runtime/requests.ts';
import { startContainer } from '../../src/runtime/start.ts';
import { makeBundle, type Bundle } from '../support/bundle.ts';
import { CutPlan } from '../support/cut-plan.ts';
import { storeRoot } from '../support/delos.ts';
import { assertNoLeaks, leaks, type Leaks } from '../support/leaks.ts';
import { newId } from '../support/marker.ts';
import { skipUnless } from '../support/skip.ts';

const skip = skipUnless('root', 'busybox', 'cgroups');
const force = { force: true };

function bundleWithHooks(): Bundle {
  const hook = [{ path: '/bin/true' }];
  return makeBundle((config) => ({
    ...config, hooks: { createRuntime: hook, createContainer: hook, startContainer: hook, poststart: hook, poststop: hook },
  }));
}

function requestFor(bundle: Bundle): CreateRequest {
  return { root: storeRoot, id: newId(), bundle: bundle.path, systemdCgroup: false, preserveFds: 0, noPivot: false, noNewKeyring: false };
}

/** What is there when the executor's file has been opened, which then stays so. */
async function settled(bundle: Bundle): Promise<Leaks> {
  await runContainer({ ...requestFor(bundle), detach: false, keep: false });
  return leaks();
}

test('create and start: a process that dies at every third step, and delete leaves nothing; a failed create leaves nothing by itself', { skip }, async (context) => {
  using bundle = bundleWithHooks();
  const before = await settled(bundle);
  let [count, refused] = [1, 0];
  for (let step = 0; step < count; step += 3) {
    const [place, request] = [new CutPlan(step), requestFor(bundle)];
    const isMade = await createContainer(request, place).then(() => true, () => false);
    count = place.count;
    if (isMade) {
      await startContainer(request.root, request.id).catch(() => undefined);
      await deleteContainer(request.root, request.id, force);
    } else refused++;
    assert.equal(fs.existsSync(path.join(request.root, request.id)), false, `step ${step}`);
    await assertNoLeaks(before);
  }
  assert.ok(refused > 0 && refused < count);
  context.diagnostic(`of ${count} steps; at ${refused} of them create failed, at the others delete cleared up`);
});

test('run: a process that dies at every seventh step, and the same id runs again', { skip }, async (context) => {
  using bundle = bundleWithHooks();
  const before = await settled(bundle);
  const request = { ...requestFor(bundle), detach: false, keep: false };
  let count = 1;
  for (let step = 0; step < count; step += 7) {
    const place = new CutPlan(step);
    const isMade = await runContainer(request, place).then(() => true, () => false);
    count = place.count;
    if (isMade) await deleteContainer(request.root, request.id, force);
    await assertNoLeaks(before);
  }
  assert.equal(await runContainer(request), 0);
  await assertNoLeaks(before);
  context.diagnostic(`${count} steps`);
});

test('a container that is deleted before it is made, since its maker seemed dead: nothing is made', { skip }, async () => {
  using bundle = bundleWithHooks();
  const before = await settled(bundle);
  const request = requestFor(bundle);
  const late = createContainer(request, {
    refused: undefined,
    run: async (plan, preserve) => {
      await deleteContainer(request.root, request.id, force);
      return spawned.run(plan, preserve);
    },
  });
  await assert.rejects(late, { code: 'kernel-refused', message: /init.*ENOENT/ });
  await assertNoLeaks(before);
});
