import { setTimeout as sleep } from 'node:timers/promises';
import type { Limits } from './limits.ts';

/** The answers that another try may turn into better ones. */
export function isPassingStatus(status: number): boolean {
  return status === 408 || status === 429 || status === 500 || (status >= 502 && status <= 504);
}

/**
 * The pause before try number `attempt` (1 is the second try), in milliseconds: twice as long each time, spread by a half so that many
 * clients do not come back at once; or what the server asked for.
 * @param retryAfter the header Retry-After: seconds or a date (RFC 9110, section 10.2.3)
 */
export function pauseBefore(attempt: number, limits: Limits, retryAfter?: string, now = Date.now(), random = Math.random()): number {
  const asked = retryAfter === undefined ? NaN : /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - now;
  if (asked >= 0) return Math.min(asked, limits.longestPauseMs);
  return Math.min(limits.pauseMs * 2 ** (attempt - 1), limits.longestPauseMs) * (1 - random / 2);
}

/** Waits. @throws the signal's reason when it is aborted meanwhile */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, signal === undefined ? {} : { signal });
}
