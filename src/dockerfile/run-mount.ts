import path from 'node:path';
import { DelosError } from '../lib/errors.ts';
import { shown } from '../registry/shown.ts';
import { parseSize } from '../vocabulary/units.ts';

/** A `RUN --mount`, its variables replaced. What is mounted is no part of the image. */
export type RunMount =
  /** Files of the context, a stage or an image. What is written to them is lost. */
  | { readonly type: 'bind'; readonly target: string; readonly from?: string; readonly source: string; readonly readonly: boolean }
  /** A folder that stays for other builds. */
  | { readonly type: 'cache'; readonly target: string; readonly id: string; readonly sharing: Sharing; readonly readonly: boolean; readonly access: Access }
  | { readonly type: 'tmpfs'; readonly target: string; readonly sizeBytes?: number }
  /** A file that only this command sees, or a variable. */
  | { readonly type: 'secret'; readonly id: string; readonly target?: string; readonly variable?: string; readonly required: boolean; readonly access: Access };

/** `locked`: one command after the other; `private`: each a folder of its own. */
export type Sharing = 'shared' | 'locked' | 'private';

/** Whom something that is mounted belongs to, and who may do what. */
export interface Access {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** The keys of each type, by their first spelling. */
const known: Readonly<Record<RunMount['type'], readonly string[]>> = {
  bind: ['target', 'source', 'from', 'rw', 'ro'],
  cache: ['target', 'id', 'sharing', 'rw', 'ro', 'mode', 'uid', 'gid'],
  tmpfs: ['target', 'size'],
  secret: ['target', 'id', 'env', 'required', 'mode', 'uid', 'gid'],
};

const spellings: Readonly<Record<string, string>> = { dst: 'target', destination: 'target', src: 'source', readonly: 'ro', readwrite: 'rw' };

/**
 * Reads the value of a `--mount`: `type=cache,target=/root/.cache`.
 * @param workingDir what a target counts from that does not begin with a slash
 * @throws DelosError bad-usage, and unsupported for other types
 */
export function parseRunMount(text: string, workingDir: string): RunMount {
  const fields = new Map(text.split(',').map(fieldOf));
  const type = fields.get('type') ?? 'bind';
  fields.delete('type');
  if (!Object.hasOwn(known, type)) throw new DelosError('unsupported', `--mount=type=${shown(type)} is not supported: expected ${Object.keys(known).join(', ')}`);
  const keys = known[type as RunMount['type']];
  for (const key of fields.keys()) if (!keys.includes(key)) throw wrong(`${key}=${fields.get(key)}`, `of ${type} there are ${keys.join(', ')}`);
  const told = fields.get('target');
  const target = told === undefined || told === '' ? undefined : path.posix.resolve('/', workingDir, told);
  const fieldsOf = new Fields(fields);
  if (type === 'secret') return secretOf(fieldsOf, target);
  if (target === undefined || target === '/') throw wrong(text, 'a target that is not the root is missing');
  if (type === 'cache') return cacheOf(fieldsOf, target);
  if (type === 'tmpfs') return { type, target, ...fieldsOf.size() };
  const from = fields.get('from');
  return { type: 'bind', target, source: fields.get('source') ?? '/', readonly: !fieldsOf.flag('rw', false), ...(from !== undefined && { from }) };
}

function fieldOf(field: string): readonly [key: string, value: string] {
  const equals = field.indexOf('=');
  const key = (equals < 0 ? field : field.slice(0, equals)).trim().toLowerCase();
  return [spellings[key] ?? key, equals < 0 ? 'true' : field.slice(equals + 1)];
}

function wrong(text: string, expected: string): DelosError {
  return new DelosError('bad-usage', `--mount: ${shown(text)}: ${expected}`);
}

const sharings: readonly Sharing[] = ['shared', 'locked', 'private'];

function cacheOf(fields: Fields, target: string): RunMount {
  const told = fields.text('sharing') ?? 'shared';
  const sharing = sharings.find((one) => one === told);
  if (sharing === undefined) throw wrong(`sharing=${told}`, `expected ${sharings.join(', ')}`);
  return { type: 'cache', target, id: fields.text('id') ?? target, sharing, readonly: fields.flag('ro', false), access: fields.access(0o755) };
}

function secretOf(fields: Fields, target: string | undefined): RunMount {
  const variable = fields.text('env');
  const id = fields.text('id') ?? (target === undefined ? undefined : path.posix.basename(target));
  if (id === undefined || id === '') throw wrong('type=secret', 'an id is missing');
  // Asked for as a variable, it is a file only where one is asked for, too.
  const place = target ?? (variable === undefined ? path.posix.join('/run/secrets', path.posix.basename(id)) : undefined);
  return {
    type: 'secret', id, required: fields.flag('required', false), access: fields.access(0o400),
    ...(place !== undefined && { target: place }), ...(variable !== undefined && { variable }),
  };
}

class Fields {
  readonly #fields: ReadonlyMap<string, string>;

  constructor(fields: ReadonlyMap<string, string>) {
    this.#fields = fields;
  }

  text(key: string): string | undefined {
    return this.#fields.get(key);
  }

  flag(key: string, usual: boolean): boolean {
    const value = this.#fields.get(key);
    if (value === undefined) return usual;
    if (value === 'true' || value === 'false') return value === 'true';
    throw wrong(`${key}=${value}`, 'expected true or false');
  }

  access(mode: number): Access {
    return { mode: this.#number('mode', 8, 0o7777) ?? mode, uid: this.#number('uid', 10, 0xfffffffe) ?? 0, gid: this.#number('gid', 10, 0xfffffffe) ?? 0 };
  }

  size(): { sizeBytes?: number } {
    const value = this.#fields.get('size');
    return value === undefined ? {} : { sizeBytes: parseSize(value) };
  }

  #number(key: string, radix: 8 | 10, most: number): number | undefined {
    const value = this.#fields.get(key);
    if (value === undefined) return undefined;
    const number = (radix === 8 ? /^[0-7]{1,5}$/ : /^\d{1,10}$/).test(value) ? Number.parseInt(value, radix) : most + 1;
    if (number > most) throw wrong(`${key}=${value}`, radix === 8 ? 'expected octal digits such as 0755' : 'expected an id');
    return number;
  }
}
