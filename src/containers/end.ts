import { SIGKILL } from '../abi/signal.ts';
import { DelosError } from '../lib/errors.ts';
import { deleteContainer } from '../runtime/delete.ts';
import { killContainer } from '../runtime/kill.ts';
import { lockContainer } from '../runtime/lock.ts';
import { resumeContainer } from '../runtime/pause.ts';
import { conditionOf } from '../runtime/status.ts';
import { readContainer, removeFiles } from './catalogue.ts';
import { disconnect } from './connection.ts';
import type { Container } from './container.ts';
import { containersFolder, type Places } from './places.ts';
import { runtimeRecord, standingOf } from './standing.ts';
import { awaitEnd } from './watch.ts';

/**
 * Clears up after a container that has ended: its cgroup and runtime state, and with `--rm` everything. May be repeated, and done by
 * several at once; one that has been started again meanwhile is left alone.
 * @returns warnings
 */
export async function settle(places: Places, { id }: Container): Promise<readonly string[]> {
  using lock = await lockUnlessGone(places, id);
  const container = lock && readContainer(places, id);
  if (!container) return [];
  const record = runtimeRecord(places, id);
  if (record !== undefined && conditionOf(places.run, record).status !== 'stopped') return [];
  const warnings = await deleteContainer(places.run, id, { force: true });
  await disconnect(places, id);
  if (container.autoRemove && standingOf(places, container).status === 'stopped') await removeFiles(places, container);
  return warnings;
}

async function lockUnlessGone(places: Places, id: string): Promise<Disposable | undefined> {
  try {
    return await lockContainer(containersFolder(places), id);
  } catch (error) {
    if (error instanceof DelosError && error.code === 'not-found') return undefined;
    throw error;
  }
}

/**
 * Asks the container to stop, waits, and kills it in the end. One that does not run is left alone.
 * @param timeoutSeconds -1 for ever
 */
export async function stopContainer(places: Places, container: Container, signal = container.stopSignal, timeoutSeconds = container.stopTimeoutSeconds): Promise<void> {
  const { status } = standingOf(places, container);
  if (status !== 'running' && status !== 'paused') return;
  await signalIfRunning(places, container, signal);
  if (status === 'paused') await resumeContainer(places.run, container.id);
  const ended = await awaitEnd(places, container, timeoutSeconds < 0 ? undefined : timeoutSeconds * 1000);
  if (ended === undefined) {
    await signalIfRunning(places, container, SIGKILL);
    await awaitEnd(places, container);
  }
  await settle(places, container);
}

/** Kills it if need be and removes all there is of it. @throws DelosError wrong-state when it runs and `force` is false */
export async function removeContainer(places: Places, container: Container, force: boolean): Promise<void> {
  const { status } = standingOf(places, container);
  if (status === 'running' || status === 'paused') {
    if (!force) throw new DelosError('wrong-state', `container ${container.name} is ${status}: stop it first, or remove it with --force`);
    await signalIfRunning(places, container, SIGKILL);
    await awaitEnd(places, container);
  }
  using lock = await lockUnlessGone(places, container.id);
  await deleteContainer(places.run, container.id, { force: true });
  await disconnect(places, container.id);
  if (lock) await removeFiles(places, container);
}

async function signalIfRunning(places: Places, { id }: Container, signal: number): Promise<void> {
  try {
    await killContainer(places.run, id, signal);
  } catch (error) {
    if (!(error instanceof DelosError) || (error.code !== 'wrong-state' && error.code !== 'not-found')) throw error;
  }
}
