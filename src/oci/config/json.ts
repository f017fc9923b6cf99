import { DelosError } from '../../lib/errors.ts';
import { findJsonFault } from './json-fault.ts';

/** The largest document that is read, in bytes (UTF-16 units of one that comes as a string). */
export const MAX_DOCUMENT = 16 * 1024 * 1024;

/** An integer from 2^53 on has at least this many digits, so a document without such a run needs no second look at its numbers. */
const LONG_RUN = /\d{16}/;
/** What fits 64 bits has 20 digits at most; longer ones stay rounded, for the shape to refuse, since BigInt is slow on millions. */
const INTEGER = /^-?\d{16,20}$/;

const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * A JSON document, with every integer of up to 20 digits exact: those beyond 2^53 - 1 are bigints.
 * @param what names the document in messages, as in `config.json`.
 * @throws DelosError bad-config: too large, not UTF-8, not JSON (with line and column), nested too deeply.
 */
export function parseJson(document: string | Uint8Array, what: string): unknown {
  if (document.length > MAX_DOCUMENT) {
    throw new DelosError('bad-config', `${what}: expected at most ${MAX_DOCUMENT} bytes, found ${document.length}`);
  }
  const text = typeof document === 'string' ? document : decode(document, what);
  try {
    return LONG_RUN.test(text) ? JSON.parse(text, exact) : JSON.parse(text);
  } catch (error) {
    throw refusal(text, what, error);
  }
}

function decode(bytes: Uint8Array, what: string): string {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    throw new DelosError('bad-config', `${what}: expected UTF-8, found bytes that are not`, { cause: error });
  }
}

/** A reviver: gives an integer that lost digits in becoming a number back all of them. */
function exact(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source;
  return source !== undefined && INTEGER.test(source) ? BigInt(source) : value;
}

function refusal(text: string, what: string, cause: unknown): unknown {
  if (cause instanceof RangeError) {
    return new DelosError('bad-config', `${what}: objects or arrays are nested too deeply`, { cause });
  }
  const fault = cause instanceof SyntaxError ? findJsonFault(text) : undefined;
  if (fault === undefined) return cause;
  const { line, column, expected, found } = fault;
  return new DelosError('bad-config', `${what}: line ${line}, column ${column}: expected ${expected}, found ${found}`, { cause });
}
