import { reasonOf } from './answer.ts';
import { asFailure, isPassing, unusable } from './failure.ts';
import type { Limits } from './limits.ts';
import { isPassingStatus, pause, pauseBefore } from './retry.ts';
import { discard, type Answer, type Exchange } from './transport.ts';

export interface Persistence {
  readonly limits: Limits;
  /** Tries; as the limits say by default. */
  readonly attempts?: number;
  readonly signal?: AbortSignal;
}

/**
 * Sends a request until there is an answer that is not of passing trouble.
 * @param send one try
 * @throws DelosError registry
 */
export async function persistently(
  exchange: Exchange, send: () => Promise<Answer>, { limits, attempts = limits.attempts, signal }: Persistence,
): Promise<Answer> {
  // Half of a streamed body may have been taken: who sends it asks how much before it is sent again.
  const most = exchange.body === undefined || exchange.body instanceof Uint8Array ? attempts : 1;
  for (let attempt = 1; ; attempt++) {
    let retryAfter: string | undefined;
    try {
      const answer = await send();
      if (!isPassingStatus(answer.status)) return answer;
      if (attempt >= most) throw unusable(answer, `status ${answer.status} after ${attempt} tries: ${await reasonOf(answer)}`);
      retryAfter = answer.headers['retry-after'];
      await discard(answer);
    } catch (error) {
      if (attempt >= most || !isPassing(error) || signal?.aborted === true) throw asFailure(exchange, error);
    }
    await pause(pauseBefore(attempt, limits, retryAfter), signal);
  }
}
