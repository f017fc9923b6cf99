import { freeze, thaw } from '../cgroup/freezer.ts';
import { DelosError } from '../lib/errors.ts';
import { lockContainer } from './lock.ts';
import { conditionOf } from './status.ts';
import { readRecord } from './store.ts';

/**
 * Makes every process of the container stand still, and returns when all of them do.
 * @throws DelosError not-found, wrong-state, unsupported without a freezer, kernel-refused
 */
export async function pauseContainer(root: string, id: string): Promise<void> {
  using _ = await lockContainer(root, id);
  const record = readRecord(root, id);
  const { status } = conditionOf(root, record);
  if (status !== 'running' && status !== 'created') throw new DelosError('wrong-state', 'container not running');
  await freeze(record.cgroup);
}

/** Lets them go on. @throws DelosError not-found, wrong-state, kernel-refused */
export async function resumeContainer(root: string, id: string): Promise<void> {
  using _ = await lockContainer(root, id);
  const record = readRecord(root, id);
  if (conditionOf(root, record).status !== 'paused') throw new DelosError('wrong-state', 'container not paused');
  thaw(record.cgroup);
}
