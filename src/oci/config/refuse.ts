import { DelosError } from '../../lib/errors.ts';
import { described, quoted } from './printable.ts';
import type { Path } from './shape.ts';

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** `process.rlimits[0].hard`, `linux.sysctl["net.ipv4.ip_forward"]`. */
export function spelled(path: Readonly<Path>): string {
  return path.reduce<string>((before, key) => {
    if (typeof key === 'number') return `${before}[${key}]`;
    if (!NAME.test(key)) return `${before}[${quoted(key)}]`;
    return before === '' ? key : `${before}.${key}`;
  }, '');
}

/** The same place as a JSON pointer, RFC 6901: `/process/rlimits/0/hard`. */
export function pointer(path: Readonly<Path>): string {
  return path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** One line: the place, what was expected there, what was found. `found` is a value of the document; undefined reads "nothing". */
export function mismatch(path: Readonly<Path>, expected: string, found: unknown): DelosError {
  return refused(path, `expected ${expected}, found ${described(found)}`);
}

/** One line: the place and why it cannot be so. */
export function refused(path: Readonly<Path>, reason: string): DelosError {
  const place = path.length === 0 ? 'the document' : spelled(path);
  return new DelosError('bad-config', `${place}: ${reason}`, { field: pointer(path) });
}
