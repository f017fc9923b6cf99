import { errnoOf } from '../cgroup/control-file.ts';
import { DelosError } from '../lib/errors.ts';
import { shown, shownUrl } from './shown.ts';

/** What a request was, for messages. */
export interface Asked {
  readonly method: string;
  readonly url: URL;
}

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was cut',
  EPIPE: 'the connection was cut',
  ETIMEDOUT: 'no answer in time',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name could not be looked up',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  HPE_HEADER_OVERFLOW: 'the header of the answer is too long',
};

const passing = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

/** Whether a failed request may succeed when it is tried again: the network's failures, but not those of names, certificates or forms. */
export function isPassing(error: unknown): boolean {
  return error instanceof Error && passing.has(codeOf(error) ?? '');
}

function codeOf(error: Error): string | undefined {
  // A connection that was cut before the whole answer was there has only a message in some versions of Node.
  if (error.message === 'aborted' || error.message === 'socket hang up' || error.message === 'terminated') return 'ECONNRESET';
  if (error instanceof AggregateError) return errnoOf(error) ?? errnoOf(error.errors[0]);
  return errnoOf(error);
}

/** The error for the one who asked: a DelosError is left as it is, an abort too. */
export function asFailure(asked: Asked, error: unknown): unknown {
  if (error instanceof DelosError || (error instanceof Error && error.name === 'AbortError')) return error;
  const code = error instanceof Error ? codeOf(error) : undefined;
  const reason = (code !== undefined && Object.hasOwn(words, code) ? words[code] : undefined) ?? shown(error instanceof Error ? error.message : String(error));
  return new DelosError('registry', `${asked.method} ${shownUrl(asked.url)}: ${reason}`, { cause: error, ...(code !== undefined && { errno: code }) });
}

/** An answer that cannot be used. */
export function unusable(asked: Asked, reason: string): DelosError {
  return new DelosError('registry', `${asked.method} ${shownUrl(asked.url)}: ${reason}`);
}
