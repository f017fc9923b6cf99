import { humanDuration } from '../vocabulary/units.ts';

/** How a container stands, with times in milliseconds since the epoch. */
export type Standing =
  | { readonly status: 'created' }
  | { readonly status: 'running' | 'paused'; readonly startedAtMs: number }
  | { readonly status: 'stopped'; readonly exitCode: number; readonly finishedAtMs: number };

/** The STATUS column of `ps`: `Up 3 minutes (Paused)`, `Exited (137) 2 hours ago`. */
export function statusLine(standing: Standing, nowMs: number): string {
  switch (standing.status) {
    case 'created': return 'Created';
    case 'running': return `Up ${humanDuration(nowMs - standing.startedAtMs)}`;
    case 'paused': return `Up ${humanDuration(nowMs - standing.startedAtMs)} (Paused)`;
    case 'stopped': return `Exited (${standing.exitCode}) ${humanDuration(nowMs - standing.finishedAtMs)} ago`;
  }
}
