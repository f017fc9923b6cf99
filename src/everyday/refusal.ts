import { DelosError } from '../lib/errors.ts';

/** A flag that cannot be meant as it stands. */
export function badFlag(flag: string, value: string | number, reason: string): DelosError {
  return new DelosError('bad-usage', `invalid --${flag} '${value}': ${reason}`);
}

/** Two flags that exclude each other, or one that needs another. */
export function badFlags(reason: string): DelosError {
  return new DelosError('bad-usage', `conflicting options: ${reason}`);
}
