import type { Container, Standing } from '../../containers/container.ts';
import type { Health, HealthPlan } from '../../containers/health.ts';
import { readHealth } from '../../containers/health.ts';
import type { Places } from '../../containers/places.ts';
import { stateWord } from './ps.ts';

/** What docker prints for a time that has not been. */
const NEVER = '0001-01-01T00:00:00Z';

const NS_A_MS = 1e6;

/** `State` of `inspect`. */
export function containerState(places: Places, container: Container, standing: Standing): object {
  const { status, pid, exitCode, finishedAtMs, oomKilled } = standing;
  const { startedAt, startError, health } = container;
  return {
    // One that is started again counts as running, so that nobody takes it for ended.
    Status: stateWord(standing), Running: status === 'running' || status === 'paused' || status === 'restarting', Paused: status === 'paused',
    Restarting: status === 'restarting', OOMKilled: oomKilled, Dead: false, Pid: pid, ExitCode: exitCode, Error: startError ?? '',
    StartedAt: startedAt ?? NEVER, FinishedAt: finishedAtMs === 0 ? NEVER : new Date(finishedAtMs).toISOString(),
    ...(health !== undefined && { Health: healthState(standing, readHealth(places, container.id)) }),
  };
}

/** As with docker, what does not run is not healthy. */
function healthState({ health, status }: Standing, last: Health | undefined): object {
  const { failingStreak = 0, log = [] } = health ?? last ?? {};
  const word = health?.status ?? (status === 'created' ? 'starting' : 'unhealthy');
  return {
    Status: word, FailingStreak: failingStreak,
    Log: log.map(({ start, end, exitCode, output }) => ({ Start: start, End: end, ExitCode: exitCode, Output: output })),
  };
}

/** `Config.Healthcheck` of `inspect`: times in nanoseconds. */
export function healthcheckConfig({ test, intervalMs, timeoutMs, startPeriodMs, startIntervalMs, retries }: HealthPlan): object {
  return {
    Test: test, Interval: intervalMs * NS_A_MS, Timeout: timeoutMs * NS_A_MS, StartPeriod: startPeriodMs * NS_A_MS,
    StartInterval: startIntervalMs * NS_A_MS, Retries: retries,
  };
}
