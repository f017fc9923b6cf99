import { applyWrites, readCurrentLimits } from '../cgroup/control.ts';
import type { CgroupPaths } from '../cgroup/path.ts';
import { resourceWrites } from '../cgroup/resources.ts';
import { DelosError } from '../lib/errors.ts';
import type { Resources } from '../oci/config/types.ts';
import { hostFacts } from '../oci/probe.ts';
import { changeDevices } from './device-limits.ts';
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
  try {
    await applyLimits(cgroup, after, changes);
    writeRecord(root, { ...record, config: { ...config, linux: { ...config.linux, resources: after } } });
  } catch (error) {
    await restore(cgroup, before, changes);
    throw error;
  }
}

/** Applies the groups that change. Their other members are written again, as some hold for one another: quota and period, limit and swap. */
async function applyLimits(cgroup: CgroupPaths, limits: Resources, changes: Resources): Promise<void> {
  const { cgroup: host } = hostFacts();
  const changing = Object.fromEntries(Object.entries(limits).filter(([group]) => group in changes)) as Resources;
  const { devices, ...others } = changing;
  // Decided before anything is done, so that a bad value changes nothing.
  const writes = resourceWrites(others, host, readCurrentLimits(cgroup));
  if (devices !== undefined) await changeDevices(host, cgroup, devices);
  applyWrites(cgroup, writes);
}

/** As far as possible: the first error is the one to report. */
async function restore(cgroup: CgroupPaths, before: Resources, changes: Resources): Promise<void> {
  try {
    await applyLimits(cgroup, before, changes);
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
