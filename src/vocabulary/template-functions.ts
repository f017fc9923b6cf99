import { DelosError } from '../lib/errors.ts';

/** A function of the template language. Throws `bad-usage` for arguments it cannot take. */
export type TemplateFunction = (...values: unknown[]) => unknown;

export function failed(reason: string): DelosError {
  return new DelosError('bad-usage', `template: ${reason}`);
}

/** Go's idea of truth: false, 0, nil and everything empty are not. */
export function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

/** A value as Go prints it: `[a b]`, `map[k:v]`, `<no value>` for nil. */
export function printed(value: unknown): string {
  if (value === null || value === undefined) return '<no value>';
  if (Array.isArray(value)) return `[${value.map(printed).join(' ')}]`;
  if (typeof value !== 'object') return String(value);
  return `map[${Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, entry]) => `${key}:${printed(entry)}`).join(' ')}]`;
}

function text(name: string, value: unknown): string {
  if (typeof value !== 'string') throw failed(`${name} wants a string, got ${printed(value)}`);
  return value;
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length;
  throw failed(`len of ${printed(value)}, which has no length`);
}

function index(value: unknown, ...keys: unknown[]): unknown {
  let found = value;
  for (const key of keys) {
    if (Array.isArray(found)) {
      if (typeof key !== 'number' || !(key in found)) throw failed(`index ${printed(key)} is out of range of ${found.length}`);
      found = found[key];
    } else if (typeof found === 'object' && found !== null) {
      // Go gives the zero value for a missing key; a string's zero value prints as nothing.
      found = Object.hasOwn(found, String(key)) ? (found as Record<string, unknown>)[String(key)] : '';
    } else {
      throw failed(`index of ${printed(found)}, which has no elements`);
    }
  }
  return found;
}

function slice(value: unknown, from: unknown = 0, to?: unknown): unknown {
  if (typeof value !== 'string' && !Array.isArray(value)) throw failed(`slice of ${printed(value)}, which has no elements`);
  const end = to ?? value.length;
  if (typeof from !== 'number' || typeof end !== 'number' || from < 0 || end > value.length || from > end) {
    throw failed(`slice ${printed(from)}:${printed(end)} is out of range of ${value.length}`);
  }
  return value.slice(from, end);
}

function ordered(a: unknown, b: unknown, name: string): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  throw failed(`${name} cannot compare ${printed(a)} and ${printed(b)}`);
}

function printf(format: unknown, ...values: unknown[]): string {
  let next = 0;
  return text('printf', format).replace(/%(-?)(\d*)([sdvqt%])/g, (_whole, left: string, width: string, verb: string) => {
    if (verb === '%') return '%';
    const value = values[next++];
    const shown = verb === 'q' ? JSON.stringify(text('printf %q', value)) : printed(value);
    return left === '' ? shown.padStart(Number(width)) : shown.padEnd(Number(width));
  });
}

function join(values: unknown, separator: unknown): string {
  if (!Array.isArray(values)) throw failed(`join wants a list, got ${printed(values)}`);
  return values.map(printed).join(text('join', separator));
}

/** Go's own functions and those docker adds. `and` and `or` evaluate all their arguments here, which only costs time. */
export const templateFunctions: Readonly<Record<string, TemplateFunction>> = {
  json: (value) => JSON.stringify(value ?? null),
  upper: (value) => text('upper', value).toUpperCase(),
  lower: (value) => text('lower', value).toLowerCase(),
  title: (value) => text('title', value).replace(/\b\p{L}/gu, (letter) => letter.toUpperCase()),
  join,
  split: (value, separator) => text('split', value).split(text('split', separator)),
  truncate: (value, length) => text('truncate', value).slice(0, Number(length)),
  pad: (value, before, after) => ' '.repeat(Number(before)) + text('pad', value) + ' '.repeat(Number(after)),
  print: (...values) => values.map(printed).join(''),
  println: (...values) => `${values.map(printed).join(' ')}\n`,
  printf,
  index,
  slice,
  len: lengthOf,
  not: (value) => !isTrue(value),
  and: (...values) => values.slice(0, -1).every(isTrue) ? values.at(-1) : values.find((value) => !isTrue(value)),
  or: (...values) => values.some(isTrue) ? values.find(isTrue) : values.at(-1),
  eq: (value, ...others) => others.some((other) => other === value),
  ne: (a, b) => a !== b,
  lt: (a, b) => ordered(a, b, 'lt') < 0,
  le: (a, b) => ordered(a, b, 'le') <= 0,
  gt: (a, b) => ordered(a, b, 'gt') > 0,
  ge: (a, b) => ordered(a, b, 'ge') >= 0,
};
