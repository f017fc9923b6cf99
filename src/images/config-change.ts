import path from 'node:path';
import { DelosError } from '../lib/errors.ts';
import { shown } from '../registry/shown.ts';
import { dockerfileWords, jsonWords } from './dockerfile-words.ts';

/** `config` of an image's configuration as it is in the JSON: what is not known here stays in it. */
export interface RunConfig {
  readonly Env?: readonly string[];
  readonly Cmd?: readonly string[] | undefined;
  readonly Entrypoint?: readonly string[];
  readonly User?: string;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  readonly Volumes?: Readonly<Record<string, object>>;
  readonly OnBuild?: readonly string[];
  readonly StopSignal?: string;
  readonly Shell?: readonly string[];
  readonly Healthcheck?: object;
  readonly [other: string]: unknown;
}

type Instruction = (config: RunConfig, rest: string) => RunConfig;

/** Those that change nothing but the configuration. */
const instructions: Readonly<Record<string, Instruction>> = {
  CMD: (config, rest) => ({ ...config, Cmd: commandOf(config, rest) }),
  // A command was meant for the entrypoint that was there before.
  ENTRYPOINT: (config, rest) => ({ ...config, Entrypoint: commandOf(config, rest), Cmd: undefined }),
  ENV: (config, rest) => ({ ...config, Env: pairs(rest).reduce<readonly string[]>(withVariable, config.Env ?? []) }),
  LABEL: (config, rest) => ({ ...config, Labels: { ...config.Labels, ...Object.fromEntries(pairs(rest)) } }),
  EXPOSE: (config, rest) => ({ ...config, ExposedPorts: { ...config.ExposedPorts, ...emptyObjects(some(rest).map(portOf)) } }),
  VOLUME: (config, rest) => ({ ...config, Volumes: { ...config.Volumes, ...emptyObjects((jsonWords(rest) ?? some(rest)).map(absolute)) } }),
  USER: (config, rest) => ({ ...config, User: single(rest) }),
  WORKDIR: (config, rest) => ({ ...config, WorkingDir: path.posix.resolve('/', config.WorkingDir ?? '', single(rest)) }),
  STOPSIGNAL: (config, rest) => ({ ...config, StopSignal: single(rest) }),
  ONBUILD: (config, rest) => ({ ...config, OnBuild: [...config.OnBuild ?? [], rest] }),
  SHELL: (config, rest) => ({ ...config, Shell: needed(jsonWords(rest), 'a JSON list of words') }),
  HEALTHCHECK: (config, rest) => ({ ...config, Healthcheck: healthcheck(rest) }),
};

/**
 * The configuration with a Dockerfile's instructions applied: `CMD ["sh"]`, `ENV A=1 B=2`, ...
 * @throws DelosError bad-usage for one that is malformed, or does more than that
 */
export function changedConfig(config: RunConfig, lines: readonly string[]): RunConfig {
  return lines.reduce(changeBy, config);
}

function changeBy(config: RunConfig, line: string): RunConfig {
  const [, name = '', rest = ''] = /^\s*([A-Za-z]+)\s+([^]*?)\s*$/.exec(line) ?? [];
  const instruction = Object.hasOwn(instructions, name.toUpperCase()) ? instructions[name.toUpperCase()] : undefined;
  if (instruction === undefined) {
    const known = Object.keys(instructions).join(', ');
    throw new DelosError('bad-usage', `cannot change an image by '${shown(line)}': expected one of ${known}, and a value`);
  }
  try {
    return instruction(config, rest);
  } catch (error) {
    if (!(error instanceof DelosError)) throw error;
    throw new DelosError('bad-usage', `cannot change an image by '${shown(line)}': ${error.message}`, { cause: error });
  }
}

/** The program and its arguments; what is no JSON list is a line for the shell. */
function commandOf({ Shell = ['/bin/sh', '-c'] }: RunConfig, rest: string): readonly string[] {
  return jsonWords(rest) ?? [...Shell, rest];
}

/** `A=1 B="x y"`, or in the old form `A x y`. */
function pairs(rest: string): [string, string][] {
  const words = dockerfileWords(rest);
  if (words[0]?.includes('=') === false && words.length > 1) return [[words[0], rest.replace(/^\S+\s+/, '')]];
  return words.map((word) => {
    const equals = word.indexOf('=');
    if (equals < 1) throw new DelosError('bad-usage', `expected NAME=value, found '${shown(word)}'`);
    return [word.slice(0, equals), word.slice(equals + 1)];
  });
}

/** How the JSON says that there is something: a member without a value. */
function emptyObjects(names: readonly string[]): Record<string, object> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}

/** Environment variables with one set, in its place if it is there. */
export function withVariable(env: readonly string[], [name, value]: readonly [string, string]): readonly string[] {
  const entry = `${name}=${value}`;
  return env.some((other) => other.startsWith(`${name}=`)) ? env.map((other) => (other.startsWith(`${name}=`) ? entry : other)) : [...env, entry];
}

function some(rest: string): string[] {
  const words = dockerfileWords(rest);
  return needed(words.length === 0 ? undefined : words, 'at least one word');
}

function single(rest: string): string {
  const words = dockerfileWords(rest);
  return needed(words.length === 1 ? words[0] : undefined, 'one word');
}

function portOf(text: string): string {
  const match = /^\d{1,5}(?:-\d{1,5})?(\/(?:tcp|udp|sctp))?$/.exec(text);
  const [, protocol] = needed<readonly string[]>(match ?? undefined, `a port such as 80 or 53/udp, found '${shown(text)}'`);
  return protocol === undefined ? `${text}/tcp` : text;
}

function absolute(text: string): string {
  return needed(text.startsWith('/') ? text : undefined, `an absolute path, found '${shown(text)}'`);
}

const healthFlags = { interval: 'Interval', timeout: 'Timeout', 'start-period': 'StartPeriod', 'start-interval': 'StartInterval', retries: 'Retries' } as const;
const unitNs = { ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 } as const;

/** `NONE`, or `[--interval=30s ...] CMD ...`. */
function healthcheck(rest: string): object {
  if (rest.toUpperCase() === 'NONE') return { Test: ['NONE'] };
  const settings: Record<string, number> = {};
  let left = rest;
  for (let match = /^--([a-z-]+)=(\S+)\s+/.exec(left); match !== null; match = /^--([a-z-]+)=(\S+)\s+/.exec(left)) {
    const [whole, name = '', value = ''] = match;
    const known = Object.hasOwn(healthFlags, name) ? healthFlags[name as keyof typeof healthFlags] : undefined;
    const field = needed(known, `one of ${Object.keys(healthFlags).map((flag) => `--${flag}`).join(', ')}`);
    settings[field] = name === 'retries' ? Number(needed(/^\d{1,6}$/.exec(value)?.[0], 'a number of retries')) : nanoseconds(value);
    left = left.slice(whole.length);
  }
  const [, command] = /^CMD\s+([^]+)$/i.exec(left) ?? needed<string[]>(undefined, 'NONE or CMD and a command');
  const words = jsonWords(command ?? '');
  return { Test: words === undefined ? ['CMD-SHELL', command] : ['CMD', ...words], ...settings };
}

function nanoseconds(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? needed<string[]>(undefined, `a duration such as 30s, found '${shown(text)}'`);
  return Number(number) * unitNs[unit as keyof typeof unitNs];
}

function needed<T>(value: T | undefined, expected: string): T {
  if (value === undefined) throw new DelosError('bad-usage', `expected ${expected}`);
  return value;
}
