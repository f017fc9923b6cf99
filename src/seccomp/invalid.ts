import { DelosError } from '../lib/errors.ts';

/** Where in the profile we are: property names and indices, from the profile's root. */
export type Path = readonly (string | number)[];

/** The error of a profile that cannot be compiled: `linux.seccomp.syscalls[3].args[0].index: expected 0 to 5, found 6`. */
export function invalid(path: Path, problem: string): DelosError {
  const dotted = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('');
  const pointer = path.map((part) => `/${part}`).join('');
  return new DelosError('bad-config', `linux.seccomp${dotted}: ${problem}`, { field: `/linux/seccomp${pointer}` });
}

/** `expected ..., found ...` with the value as JSON spells it. */
export function unexpected(path: Path, expected: string, found: unknown): DelosError {
  const shown = typeof found === 'bigint' ? String(found) : (JSON.stringify(found) ?? 'nothing');
  return invalid(path, `expected ${expected}, found ${shown.length > 80 ? `${shown.slice(0, 77)}...` : shown}`);
}
