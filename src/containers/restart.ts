import type { InitProcess } from '../runtime/init-process.ts';
import { isAlive } from '../runtime/process-stat.ts';
import type { Container } from './container.ts';

/** When a container that has ended is started again: docker's four policies; `no` is the absence of one. */
export interface RestartPolicy {
  readonly name: 'on-failure' | 'always' | 'unless-stopped';
  /** Of `on-failure`: at most so many times in a row; 0 for no end. */
  readonly maximumRetries: number;
}

/**
 * The process that stays beside a container: its monitor, which becomes the one that clears up after it, waits, and starts it again.
 * An `execve` changes neither pid nor start time, so it is the same from a start to the next.
 */
export interface Supervisor {
  readonly pid: number;
  /** As in ProcessStat, decimal. */
  readonly startTime: string;
}

/** How a container has ended. Times in milliseconds since the epoch. */
export interface RunOutcome {
  readonly exitCode: number;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
}

/** Docker's delays: 100 ms, doubled with each restart up to a minute, and anew after ten seconds of running. */
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 60_000;
const STABLE_AFTER_MS = 10_000;

/**
 * Whether a container that has ended like this is to be started again, and how long after its end. Pure, so that `ps` and the supervisor
 * always agree.
 */
export function nextRestart(container: Container, outcome: RunOutcome): { readonly delayMs: number } | undefined {
  const { restart, stoppedByHand = false, restarts = 0, backoffMs = 0 } = container;
  if (restart === undefined || stoppedByHand) return undefined;
  if (restart.name === 'on-failure' && !mayRetry(restart, outcome.exitCode, restarts)) return undefined;
  const wasStable = outcome.finishedAtMs - outcome.startedAtMs >= STABLE_AFTER_MS;
  return { delayMs: wasStable || backoffMs === 0 ? FIRST_DELAY_MS : Math.min(2 * backoffMs, LONGEST_DELAY_MS) };
}

function mayRetry({ maximumRetries }: RestartPolicy, exitCode: number, restarts: number): boolean {
  return exitCode !== 0 && (maximumRetries === 0 || restarts < maximumRetries);
}

/** Whether `delos system start` starts it after a reboot. `always` means it: also one that was stopped by hand. */
export function startsAtBoot({ restart, stoppedByHand = false, startedAt, restarts = 0 }: Container, exitCode: number): boolean {
  if (restart === undefined || startedAt === undefined) return false;
  switch (restart.name) {
    case 'always': return true;
    case 'unless-stopped': return !stoppedByHand;
    case 'on-failure': return !stoppedByHand && mayRetry(restart, exitCode, restarts);
  }
}

/** The supervisor as a process, if it lives. */
export function supervisorOf({ supervisor }: Container): InitProcess | undefined {
  if (supervisor === undefined) return undefined;
  const found = { pid: supervisor.pid, startTime: BigInt(supervisor.startTime) };
  return isAlive(found) ? found : undefined;
}
