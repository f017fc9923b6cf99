import { humanDuration } from '../vocabulary/units.ts';

/** How a container stands, with times in milliseconds since the epoch. */
export type Standing =
  | { readonly status: 'created' }
  | { readonly status: 'running' | 'paused'; readonly startedAtMs: number; readonly health?: { readonly status: 'starting' | 'healthy' | 'unhealthy' } }
  | { readonly status: 'stopped' | 'restarting'; readonly exitCode: number; readonly finishedAtMs: number };

/** The STATUS column of `ps`: `Up 3 minutes (healthy)`, `Exited (137) 2 hours ago`. */
export function statusLine(standing: Standing, nowMs: number): string {
  switch (standing.status) {
    case 'created': return 'Created';
    case 'running': return `Up ${humanDuration(nowMs - standing.startedAtMs)}${healthSuffix(standing.health?.status)}`;
    case 'paused': return `Up ${humanDuration(nowMs - standing.startedAtMs)} (Paused)`;
    case 'restarting': return `Restarting (${standing.exitCode}) ${humanDuration(nowMs - standing.finishedAtMs)} ago`;
    case 'stopped': return `Exited (${standing.exitCode}) ${humanDuration(nowMs - standing.finishedAtMs)} ago`;
  }
}

function healthSuffix(status: 'starting' | 'healthy' | 'unhealthy' | undefined): string {
  if (status === undefined) return '';
  return status === 'starting' ? ' (health: starting)' : ` (${status})`;
}
