import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { changeContainer, readContainer } from '../../containers/catalogue.ts';
import type { Container } from '../../containers/container.ts';
import { settle } from '../../containers/end.ts';
import { checkHealth } from '../../containers/health-check.ts';
import type { Places } from '../../containers/places.ts';
import { nextRestart } from '../../containers/restart.ts';
import { standingOf } from '../../containers/standing.ts';
import { DelosError } from '../../lib/errors.ts';
import { buildFolder } from '../../sys/build-folder.ts';
import type { Invocation } from '../../vocabulary/flags.ts';
import { ownCommand, placesOf, type globalFlags } from './context.ts';
import { startDetached } from './running.ts';

/** Above this, waiting is left to a process of a few kB. */
const LONG_WAIT_MS = 1000;

/**
 * What a container's monitor runs; nobody reads what it would say.
 * `settle ID end`: the container has ended. `now`: the same, and the time to wait is over. `check`: a health check; the exit code says
 * whether it still starts (1), for which there is another interval.
 */
export async function run({ globals, positional: [id = '', moment = 'end'] }: Invocation<readonly [], typeof globalFlags>): Promise<number> {
  const places = placesOf(globals);
  const container = readContainer(places, id);
  if (container === undefined) return 0;
  if (moment === 'check') return (await checkHealth(places, container)) === 'starting' ? 1 : 0;
  await settle(places, container);
  await startAgain(places, id, moment === 'now');
  return 0;
}

/** Does what the restart policy says. Only the container's own supervisor does. */
async function startAgain(places: Places, id: string, hasWaited: boolean): Promise<void> {
  const container = readContainer(places, id);
  if (container === undefined || container.supervisor?.pid !== process.pid) return;
  const standing = standingOf(places, container);
  const next = standing.status === 'restarting' ? nextRestart(container, standing) : undefined;
  if (next === undefined) return;
  if (!hasWaited) await waitUntil(standing.finishedAtMs + next.delayMs, next.delayMs, ownCommand(places, 'settle', id));
  try {
    await startDetached(places, container, { again: next });
  } catch (error) {
    if (!(error instanceof DelosError)) throw error;
    await recordFailure(places, container, error);
  }
}

/** A clock that was set back must not make it longer than `mostMs`. */
async function waitUntil(atMs: number, mostMs: number, command: readonly string[]): Promise<void> {
  const leftMs = Math.max(0, Math.min(atMs - Date.now(), mostMs));
  if (leftMs > LONG_WAIT_MS) process.execve?.(path.join(buildFolder(), 'monitor'), ['monitor', 'later', String(leftMs), ...command], process.env as Record<string, string>);
  await sleep(leftMs);
}

/** As with docker, one that cannot even be started is not tried again. */
async function recordFailure(places: Places, { id }: Container, { message }: DelosError): Promise<void> {
  const now = readContainer(places, id);
  if (now !== undefined && !now.stoppedByHand) await changeContainer(places, id, (container) => ({ ...container, startError: message }));
}
