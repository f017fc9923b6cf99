import { DelosError } from '../lib/errors.ts';
import { shown } from '../registry/shown.ts';

/** Where in a Dockerfile something is: `Dockerfile:7`. */
export interface Place {
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

/** Errors that begin with their place. */
const told = new WeakSet<DelosError>();

function tell(error: DelosError): DelosError {
  told.add(error);
  return error;
}

/** A mistake in a Dockerfile, in one line with its place. */
export function badDockerfile({ file, line }: Place, what: string, cause?: unknown): DelosError {
  return tell(new DelosError('bad-dockerfile', `${file}:${line}: ${what}`, cause === undefined ? {} : { cause }));
}

/**
 * What went wrong in an instruction, with its place and text in front. An error that tells its place already, the end of the whole build
 * and our own bugs stay as they are.
 */
export function placed({ file, line }: Place, summary: string, error: unknown): unknown {
  if (!(error instanceof DelosError) || told.has(error) || error.code === 'interrupted') return error;
  const code = error.code === 'bad-usage' ? 'bad-dockerfile' : error.code;
  return tell(new DelosError(code, `${file}:${line}: ${shown(summary, 80)}: ${oneLine(error.message)}`, { ...error.detail, cause: error }));
}

/** The value of a variable may have got into it, of several lines. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');
}
