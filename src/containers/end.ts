import { SIGKILL } from '../abi/signal.ts';
import { DelosError } from '../lib/errors.ts';
import { deleteContainer } from '../runtime/delete.ts';
import { killContainer } from '../runtime/kill.ts';
import { lockContainer } from '../runtime/lock.ts';
import { resumeContainer } from '../runtime/pause.ts';
import { conditionOf } from '../runtime/status.ts';
import { changeContainer, readContainer, removeFiles, writeContainer } from './catalogue.ts';
import { disconnect } from './connection.ts';
import type { Container, Standing } from './container.ts';
import { containerEvent } from './events.ts';
import { containersFolder, type Places } from './places.ts';
import { endSupervisor } from './restart-stop.ts';
import { supervisorOf } from './restart.ts';
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
  recordEnd(places, container);
  const warnings = await deleteContainer(places.run, id, { force: true });
  await disconnect(places, id);
  if (container.autoRemove && standingOf(places, container).status === 'stopped') await removeWithEvent(places, container);
  return warnings;
}

/** As long as the runtime has a record of it, nobody has cleared up after it yet: so its end is told once. */
function recordEnd(places: Places, container: Container): void {
  const record = runtimeRecord(places, container.id);
  if (record === undefined || conditionOf(places.run, record).status !== 'stopped') return;
  const { exitCode, finishedAtMs, startedAtMs, oomKilled } = standingOf(places, container);
  const at = finishedAtMs === 0 ? undefined : finishedAtMs;
  if (oomKilled) containerEvent(places, container, 'oom', {}, at);
  const seconds = String(Math.max(0, Math.round(((at ?? Date.now()) - startedAtMs) / 1000)));
  containerEvent(places, container, 'die', { exitCode: String(exitCode), execDuration: seconds }, at);
}

async function removeWithEvent(places: Places, container: Container): Promise<void> {
  await removeFiles(places, container);
  containerEvent(places, container, 'destroy');
}

/** Writes down that it is stopped by hand, before it is: whoever clears up after it must find that. */
export async function markStopped(places: Places, { id, autoRemove }: Container): Promise<void> {
  if (!autoRemove) await changeContainer(places, id, (container) => ({ ...container, stoppedByHand: true }));
}

/**
 * Keeps a container that has ended from being started again, and ends who would have done it; also one that is just being started.
 * @returns false when it runs by now
 */
export async function haltRestarts(places: Places, { id }: Container): Promise<boolean> {
  using lock = await lockUnlessGone(places, id);
  const container = lock && readContainer(places, id);
  if (!container) return true;
  if (isLive(standingOf(places, container))) return false;
  writeContainer(places, { ...container, stoppedByHand: true });
  await endSupervisor(container);
  recordEnd(places, container);
  await deleteContainer(places.run, id, { force: true });
  await disconnect(places, id);
  containerEvent(places, container, 'stop');
  return true;
}

function isLive({ status }: Standing): boolean {
  return status === 'running' || status === 'paused';
}

/** A container of a policy that has ended may be on its way to its next start. */
function isComingBack(places: Places, { id }: Container): boolean {
  const container = readContainer(places, id);
  return container?.restart !== undefined && !container.stoppedByHand && supervisorOf(container) !== undefined;
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
  const standing = standingOf(places, container);
  if (!isLive(standing) && (!isComingBack(places, container) || (await haltRestarts(places, container)))) return;
  await markStopped(places, container);
  await signalIfRunning(places, container, signal);
  if (standing.status === 'paused') await resumeContainer(places.run, container.id);
  const ended = await awaitEnd(places, container, timeoutSeconds < 0 ? undefined : timeoutSeconds * 1000);
  if (ended === undefined) {
    await signalIfRunning(places, container, SIGKILL);
    await awaitEnd(places, container);
  }
  await settle(places, container);
  containerEvent(places, container, 'stop');
}

/** Kills it if need be and removes all there is of it. @throws DelosError wrong-state when it runs and `force` is false */
export async function removeContainer(places: Places, container: Container, force: boolean): Promise<void> {
  const standing = standingOf(places, container);
  if (!force && (isLive(standing) || standing.status === 'restarting')) {
    throw new DelosError('wrong-state', `container ${container.name} is ${standing.status}: stop it first, or remove it with --force`);
  }
  if (isLive(standing)) {
    if (container.restart !== undefined) await markStopped(places, container);
    await signalIfRunning(places, container, SIGKILL);
    await awaitEnd(places, container);
  }
  using lock = await lockUnlessGone(places, container.id);
  const now = lock && readContainer(places, container.id);
  if (now?.restart !== undefined) await endSupervisor(now);
  if (now) recordEnd(places, now);
  await deleteContainer(places.run, container.id, { force: true });
  await disconnect(places, container.id);
  if (lock) await removeWithEvent(places, container);
}

async function signalIfRunning(places: Places, container: Container, signal: number): Promise<void> {
  try {
    containerEvent(places, container, 'kill', { signal: String(signal) });
    await killContainer(places.run, container.id, signal);
  } catch (error) {
    if (!(error instanceof DelosError) || (error.code !== 'wrong-state' && error.code !== 'not-found')) throw error;
  }
}
