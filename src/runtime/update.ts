import { applyWrites, readCurrentLimits } from '../cgroup/control.ts';
import { readCgroupHost } from '../cgroup/host.ts';
import { resourceWrites } from '../cgroup/resources.ts';
import { DelosError } from '../lib/errors.ts';
import type { Resources } from '../oci/config/types.ts';
import { lockContainer } from './lock.ts';
import { conditionOf } from './status.ts';
import { readRecord, writeRecord } from './store.ts';

/**
 * Changes limits of a container that has not stopped; those not named stay. When the kernel refuses one, the former ones are set again.
 * @throws DelosError not-found, wrong-state, bad-config, unsupported, kernel-refused
 */
export async function updateContainer(root: string, id: string, changes: Resources): Promise<void> {
  using _ = await lockContainer(root, id);
  const record = readRecord(root, id);
  if (conditionOf(root, record).status === 'stopped') throw new DelosError('wrong-state', 'container not running');
  const { config, cgroup } = record;
  const before = config.linux?.resources ?? {};
  const after = mergeResources(before, changes);
  const host = readCgroupHost();
  const writesOf = (limits: Resources) => resourceWrites(limited(limits, changes), host, readCurrentLimits(cgroup));
  try {
    applyWrites(cgroup, writesOf(after));
    writeRecord(root, { ...record, config: { ...config, linux: { ...config.linux, resources: after } } });
  } catch (error) {
    restore(() => applyWrites(cgroup, writesOf(before)));
    throw error;
  }
}

/** The first error is the one to report. */
function restore(write: () => void): void {
  try {
    write();
  } catch (error) {
    if (!(error instanceof DelosError)) throw error;
  }
}

/** Limits one by one: a group such as `memory` keeps the members that the changes do not name. Lists are replaced. */
export function mergeResources(before: Resources, changes: Resources): Resources {
  const merged: Record<string, unknown> = { ...before };
  for (const [group, value] of Object.entries(changes)) {
    merged[group] = isGroup(value) && isGroup(merged[group]) ? { ...merged[group], ...value } : value;
  }
  return merged as Resources;
}

function isGroup(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Only the groups that change. Their other members are written again, as some hold for one another: quota and period, limit and swap. */
function limited(limits: Resources, changes: Resources): Resources {
  return Object.fromEntries(Object.entries(limits).filter(([group]) => group in changes && group !== 'devices')) as Resources;
}
