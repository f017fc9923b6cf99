import fs from 'node:fs';
import path from 'node:path';
import { SIGKILL } from '../abi/signal.ts';
import { thawIfThere } from '../cgroup/freezer.ts';
import { killAll } from '../cgroup/processes.ts';
import { removeCgroup } from '../cgroup/removal.ts';
import { DelosError } from '../lib/errors.ts';
import { runHooks } from './hooks.ts';
import { killInit, readInit, signalInit, type InitProcess } from './init-process.ts';
import { lockContainer } from './lock.ts';
import type { ContainerRecord } from './record.ts';
import { ociState } from './state.ts';
import { conditionOf } from './status.ts';
import { containerFolder, notFound, readRecord, removeFolder } from './store.ts';

export interface DeleteOptions {
  /** Whatever state it is in; and one that is not there is no failure. */
  readonly force?: boolean;
  /** Called when there are poststop hooks, before anything is done. */
  readonly beforeHooks?: () => void;
}

/**
 * Removes what is left of a container that has stopped or was never started, or with `force` of any: its processes, its cgroups,
 * its folder. The folder goes last, so that it can be repeated after an interruption at any moment; the poststop hooks, which run
 * just before, may then run twice.
 * @returns warnings: poststop hooks that failed do not keep it from being deleted, runtime.md "Lifecycle" step 13
 * @throws DelosError not-found, wrong-state, kernel-refused when something cannot be removed; it can be repeated then
 */
export async function deleteContainer(root: string, id: string, options: DeleteOptions = {}): Promise<readonly string[]> {
  try {
    using _ = await lockContainer(root, id);
    return await deleteLocked(root, id, options);
  } catch (error) {
    if (options.force && error instanceof DelosError && error.code === 'not-found') return [];
    throw error;
  }
}

async function deleteLocked(root: string, id: string, { force = false, beforeHooks }: DeleteOptions): Promise<readonly string[]> {
  const record = readRecordIfAny(root, id, force);
  if (record === undefined) {
    const init = readInit(containerFolder(root, id));
    if (init !== undefined) await killInit(init);
    removeFolder(root, id);
    throw notFound(id);
  }
  const { status } = conditionOf(root, record);
  // runc deletes what was never started, and containerd relies on it.
  if (!force && status !== 'stopped' && status !== 'created') {
    throw new DelosError('wrong-state', `cannot delete container ${id} that is not stopped: ${status}`);
  }
  if (record.config.hooks?.poststop?.length) beforeHooks?.();
  if (status === 'creating') stopMaking(containerFolder(root, id));
  await endProcesses(root, record);
  await removeCgroup(record.cgroup);
  const warnings = await poststop(record);
  removeFolder(root, id);
  return warnings;
}

/**
 * Of a container without init one does not know whether its maker is dead or about to make one, which nobody would kill then. So a
 * folder is put where init is going to be recorded: an executor that is refused kills what it has made.
 */
function stopMaking(folder: string): void {
  try {
    fs.mkdirSync(path.join(folder, 'init'));
  } catch {
    // There is an init now, or the disk is full and nobody can record one.
  }
}

/**
 * Nothing when there is no state.json: then nothing else was made yet, or hardly anything is left. One that cannot be read is a
 * reason to stop unless `force` says otherwise, for what it tells of is lost with it.
 */
function readRecordIfAny(root: string, id: string, force: boolean): ContainerRecord | undefined {
  try {
    return readRecord(root, id);
  } catch (error) {
    if (error instanceof DelosError && (error.code === 'not-found' || (force && error.code === 'io'))) return undefined;
    throw error;
  }
}

/**
 * Kills every process of the container and waits for their end. Those in its cgroup are killed even when init has ended, since
 * without a pid namespace of its own they live on.
 * @throws DelosError kernel-refused when some are left after a while
 */
export async function endProcesses(root: string, record: ContainerRecord): Promise<void> {
  const { status, init } = conditionOf(root, record);
  // Init first: with its pid namespace the kernel kills all others in it, those without a cgroup of ours included.
  if (init !== undefined) killUnlessRefused(init);
  // Whoever waits for init may have removed its cgroup by now.
  if (status === 'paused') thawIfThere(record.cgroup);
  await killAll(record.cgroup);
  if (init !== undefined) await killInit(init);
}

/** An AppArmor profile may let no signal in; cgroup.kill asks no security module. */
function killUnlessRefused(init: InitProcess): void {
  try {
    signalInit(init, SIGKILL);
  } catch (error) {
    if (!(error instanceof DelosError && error.detail.errno === 'EACCES')) throw error;
  }
}

async function poststop(record: ContainerRecord): Promise<readonly string[]> {
  try {
    await runHooks('poststop', record.config.hooks?.poststop, ociState(record, { status: 'stopped' }));
    return [];
  } catch (error) {
    if (error instanceof DelosError) return [error.message];
    throw error;
  }
}
