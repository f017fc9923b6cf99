import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { errnoOf } from '../cgroup/control-file.ts';
import { DelosError } from '../lib/errors.ts';
import type { Environment } from './proxy.ts';
import { parseToml, type Toml } from './toml.ts';

/** A place that stands for a part of a registry: host, perhaps with a path. */
export interface Location {
  readonly location: string;
  readonly insecure: boolean;
  /** Of a mirror: for which references it is good. */
  readonly pullFrom?: 'all' | 'digest-only' | 'tag-only';
}

/** One `[[registry]]` of containers-registries.conf(5), version 2. */
export interface RegistryRule extends Location {
  /** Host, `*.domain`, or a host with the beginning of a path: what the rule is about. */
  readonly prefix: string;
  readonly blocked: boolean;
  readonly mirrors: readonly Location[];
}

/**
 * The file's rules: CONTAINERS_REGISTRIES_CONF, or the user's, or the system's, with what is in the folder `NAME.d` beside it. None
 * where there is no file.
 * @throws DelosError io for a file that cannot be read or makes no sense
 */
export function readRegistryRules(environment: Environment): RegistryRule[] {
  const given = environment['CONTAINERS_REGISTRIES_CONF'];
  const config = environment['XDG_CONFIG_HOME'] || path.join(environment['HOME'] || os.homedir(), '.config');
  const candidates = given ? [given] : [path.join(config, 'containers/registries.conf'), '/etc/containers/registries.conf'];
  const file = candidates.find((name) => fs.existsSync(name));
  if (file === undefined) return given ? readRules(given) : [];
  const extra = fs.existsSync(`${file}.d`) ? fs.readdirSync(`${file}.d`).filter((name) => name.endsWith('.conf')).toSorted() : [];
  const rules = new Map<string, RegistryRule>();
  for (const name of [file, ...extra.map((one) => path.join(`${file}.d`, one))]) for (const rule of readRules(name)) rules.set(rule.prefix, rule);
  return [...rules.values()];
}

function readRules(file: string): RegistryRule[] {
  try {
    return parseRegistryRules(fs.readFileSync(file, 'utf8'), file);
  } catch (cause) {
    if (cause instanceof DelosError) throw cause;
    throw new DelosError('io', `${file}: cannot be read: ${errnoOf(cause) ?? 'an error'}`, { cause });
  }
}

/** @throws DelosError io */
export function parseRegistryRules(text: string, file: string): RegistryRule[] {
  const rules = parseToml(text, file)['registry'];
  return tables(rules, file).map((item) => {
    const location = stringIn(item, 'location', file) ?? '';
    const prefix = stringIn(item, 'prefix', file) || location;
    if (prefix === '') throw new DelosError('io', `${file}: a [[registry]] needs a prefix or a location`);
    return {
      prefix, location: location || prefix, insecure: flagIn(item, 'insecure', file), blocked: flagIn(item, 'blocked', file),
      mirrors: tables(item['mirror'], file).map((mirror) => mirrorOf(mirror, flagIn(item, 'mirror-by-digest-only', file), file)),
    };
  });
}

function mirrorOf(item: Readonly<Record<string, Toml>>, digestOnly: boolean, file: string): Location {
  const location = stringIn(item, 'location', file);
  if (!location) throw new DelosError('io', `${file}: a mirror needs a location`);
  const pullFrom = stringIn(item, 'pull-from-mirror', file) ?? (digestOnly ? 'digest-only' : 'all');
  if (pullFrom !== 'all' && pullFrom !== 'digest-only' && pullFrom !== 'tag-only') {
    throw new DelosError('io', `${file}: pull-from-mirror: expected all, digest-only or tag-only`);
  }
  return { location, insecure: flagIn(item, 'insecure', file), pullFrom };
}

function tables(value: Toml | undefined, file: string): Readonly<Record<string, Toml>>[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.some((item) => typeof item !== 'object' || Array.isArray(item))) {
    throw new DelosError('io', `${file}: expected [[registry]] and [[registry.mirror]]`);
  }
  return value as Readonly<Record<string, Toml>>[];
}

function stringIn(item: Readonly<Record<string, Toml>>, name: string, file: string): string | undefined {
  const value = item[name];
  if (value !== undefined && typeof value !== 'string') throw new DelosError('io', `${file}: ${name}: expected a string`);
  return value;
}

function flagIn(item: Readonly<Record<string, Toml>>, name: string, file: string): boolean {
  const value = item[name] ?? false;
  if (typeof value !== 'boolean') throw new DelosError('io', `${file}: ${name}: expected true or false`);
  return value;
}
