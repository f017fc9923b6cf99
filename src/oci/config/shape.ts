import type { Integer } from './types.ts';

/** Where in a document: property names and array positions, outermost first. */
export type Path = (string | number)[];

/** The first thing in a document that does not fit. `found` is the value there; undefined means there is none. */
export interface Fault {
  readonly path: Path;
  readonly expected: string;
  readonly found: unknown;
}

/**
 * A test whether a parsed JSON value is a `T`: undefined says yes. The path of a fault is put together on the way out, so a value
 * that fits costs no path. The property `type` is never there; it carries `T` for the compiler.
 */
export interface Shape<T> {
  (value: unknown): Fault | undefined;
  readonly type?: T;
}

/** A property that may be left out. One that is null is taken out of the object; `empty` says the same of the empty string. */
export interface Optional<T> {
  readonly optional: Shape<T>;
  readonly empty: 'refused or a value' | 'absent';
}

/** One row for each property of `T`, optional exactly where `T` says so. */
export type Properties<T> = {
  readonly [K in keyof T]-?: Record<string, never> extends Pick<T, K> ? Optional<NonNullable<T[K]>> : Shape<T[K]>;
};

/** The opening of a fault, at the value itself. */
export const fault = (expected: string, found: unknown): Fault => ({ path: [], expected, found });

function inside(key: string | number, found: Fault): Fault {
  found.path.unshift(key);
  return found;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const optional = <T>(shape: Shape<T>): Optional<T> => ({ optional: shape, empty: 'refused or a value' });

/** For strings that writers in Go cannot tell from absent ones: `""` is taken out of the object, too. */
export const unlessEmpty = <T extends string>(shape: Shape<T>): Optional<T> => ({ optional: shape, empty: 'absent' });

/** An object with these properties. Others are let through unseen, as the specification demands ("Extensibility"). */
export function object<T>(properties: Properties<T>): Shape<T> {
  const rows = Object.entries<Shape<unknown> | Optional<unknown>>(properties).map(([name, row]) =>
    typeof row === 'function'
      ? { name, shape: row, required: true, dropsEmpty: false }
      : { name, shape: row.optional, required: false, dropsEmpty: row.empty === 'absent' });
  return (value) => {
    if (!isObject(value)) return fault('an object', value);
    for (const row of rows) {
      const member = value[row.name];
      if (!row.required) {
        if (member === undefined) continue;
        if (member === null || (member === '' && row.dropsEmpty)) {
          delete value[row.name];
          continue;
        }
      }
      const found = row.shape(member);
      if (found !== undefined) return inside(row.name, found);
    }
    return undefined;
  };
}

export function array<T>(item: Shape<T>): Shape<readonly T[]> {
  return (value) => {
    if (!Array.isArray(value)) return fault('an array', value);
    for (let i = 0; i < value.length; i++) {
      const found = item(value[i]);
      if (found !== undefined) return inside(i, found);
    }
    return undefined;
  };
}

/** An array of at least one; `what` names one element. */
export function nonEmptyArray<T>(item: Shape<T>, what: string): Shape<readonly T[]> {
  const shape = array(item);
  return (value) => (Array.isArray(value) && value.length === 0 ? fault(`at least one ${what}`, value) : shape(value));
}

/** An object whose property names are data. */
export function record<T>(key: Shape<string>, member: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return (value) => {
    if (!isObject(value)) return fault('an object', value);
    for (const name of Object.keys(value)) {
      const bad = key(name);
      if (bad !== undefined) return inside(name, fault(`a name that is ${bad.expected}`, name));
      const found = member(value[name]);
      if (found !== undefined) return inside(name, found);
    }
    return undefined;
  };
}

/** Any string, for what never reaches the kernel. */
export const text: Shape<string> = (value) => (typeof value === 'string' ? undefined : fault('a string', value));

/** A string the kernel can be given: none holds a NUL, at which it would end early. */
export const string: Shape<string> = (value) => {
  if (typeof value !== 'string') return fault('a string', value);
  return value.includes('\0') ? fault('a string without NUL', value) : undefined;
};

export const boolean: Shape<boolean> = (value) => (typeof value === 'boolean' ? undefined : fault('true or false', value));

/** A {@link string} that passes `test`; `expected` says which do. */
export function stringWhere(test: (value: string) => boolean, expected: string): Shape<string> {
  return (value) => (string(value) === undefined && test(value as string) ? undefined : fault(expected, value));
}

export function oneOf<T extends string>(...words: readonly T[]): Shape<T> {
  const known = new Set<unknown>(words);
  const expected = words.length === 1 ? JSON.stringify(words[0]) : `one of ${words.join(', ')}`;
  return (value) => (known.has(value) ? undefined : fault(expected, value));
}

/** A whole number from `least` to `most`, both at most 2^53 - 1 in magnitude. */
export function integer(least: number, most: number): Shape<number> {
  const expected = `an integer from ${least} to ${most}`;
  return (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most ? undefined : fault(expected, value);
}

/** A whole number from `least` to `most` in 64 bits. A number beyond 2^53 that was rounded on its way here is refused. */
export function integer64(least: bigint, most: bigint): Shape<Integer> {
  const expected = `an integer from ${least} to ${most}`;
  return (value) => {
    const whole = typeof value === 'bigint' || Number.isSafeInteger(value);
    return whole && (value as Integer) >= least && (value as Integer) <= most ? undefined : fault(expected, value);
  };
}
