import { DelosError } from '../lib/errors.ts';

/** `/linux/resources/blockIO/weightDevice/0/weight` as people write it: `linux.resources.blockIO.weightDevice[0].weight`. */
export function fieldName(pointer: string): string {
  return pointer
    .slice(1)
    .split('/')
    .map((segment, at) => (/^\d+$/.test(segment) ? `[${segment}]` : (at === 0 ? '' : '.') + segment))
    .join('');
}

/** The error for a value that is not what the field takes. */
export function badValue(pointer: string, expected: string, found: unknown): DelosError {
  return new DelosError('bad-config', `${fieldName(pointer)}: expected ${expected}, found ${shown(found)}`, { field: pointer });
}

/** The error for a field this host has no means to honour. */
export function unsupportedField(pointer: string, reason: string): DelosError {
  return new DelosError('unsupported', `${fieldName(pointer)}: ${reason}`, { field: pointer });
}

/**
 * A whole number of a field, from `min` to `max`. Both forms a parser can give are taken.
 * @throws DelosError bad-config for anything else.
 */
export function integerOf(value: unknown, pointer: string, min: bigint, max: bigint): bigint {
  const number = typeof value === 'bigint' ? value : Number.isInteger(value) ? BigInt(value as number) : undefined;
  if (number === undefined || number < min || number > max) throw badValue(pointer, range(min, max), value);
  return number;
}

/** A text that matches `grammar`, which people know as `expected`. */
export function textOf(value: unknown, pointer: string, grammar: RegExp, expected: string): string {
  if (typeof value !== 'string' || !grammar.test(value)) throw badValue(pointer, expected, value);
  return value;
}

function range(min: bigint, max: bigint): string {
  return max >= INT64_MAX ? `a whole number from ${min}` : `${min} to ${max}`;
}

/** On one line, whatever a hostile file holds. */
function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'bigint' || typeof value === 'number') return String(value);
  const text = JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part)) ?? typeof value;
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

export const INT64_MAX = 2n ** 63n - 1n;
export const UINT32_MAX = 2n ** 32n - 1n;
