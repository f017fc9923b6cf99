import { DelosError } from '../lib/errors.ts';

/** Longer ids are refused; what the file system takes may be less. */
const MAX_LENGTH = 1024;

/**
 * Checks an id before it becomes a part of a path: letters, digits and `_+-.`, and neither `.` nor `..`.
 * The specification leaves the form to the runtime; this is runc's.
 * @throws DelosError bad-id
 */
export function checkId(id: string): void {
  if (!/^[\w+.-]+$/.test(id) || id === '.' || id === '..' || id.length > MAX_LENGTH) throw badId(id);
}

/** The refusal of an id; a long one is cut, so that the message stays one line of a terminal. */
export function badId(id: string): DelosError {
  const shown = id.length > 64 ? `${id.slice(0, 64)}…` : id;
  return new DelosError('bad-id', `invalid container ID format: ${JSON.stringify(shown)}: expected 1 to ${MAX_LENGTH} letters, digits and _+-. other than "." and ".."`);
}
