import path from 'node:path';
import { changedConfig, withVariable, type RunConfig } from '../images/config-change.ts';
import { jsonWords } from '../images/dockerfile-words.ts';
import { DelosError } from '../lib/errors.ts';
import { shown } from '../registry/shown.ts';
import { parseSignal } from '../vocabulary/signal.ts';
import { expandWord, expandWords, type Variables } from './expansion.ts';
import { instructionNames, type Instruction } from './syntax.ts';
import { rawWords } from './words.ts';

/** What an instruction makes of the configuration, and the words for the image's history. */
export interface Changed {
  readonly config: RunConfig;
  readonly told: string;
}

type Setting = (config: RunConfig, instruction: Instruction, variables: Variables) => Changed;

/** The instructions that change nothing but the configuration. CMD and ENTRYPOINT are told what the stage has said before. */
export const settings: Readonly<Record<string, Setting>> = {
  ENV: (config, instruction, variables) => {
    const pairs = keyValues(instruction, variables);
    return { config: { ...config, Env: pairs.reduce<readonly string[]>(withVariable, config.Env ?? []) }, told: toldPairs('ENV', pairs) };
  },
  LABEL: (config, instruction, variables) => {
    const pairs = keyValues(instruction, variables);
    return { config: withLabels(config, pairs), told: toldPairs('LABEL', pairs) };
  },
  EXPOSE: (config, { text, escape }, variables) => {
    const ports = expandWords(text, variables, escape).flatMap(portsOf);
    return { config: { ...config, ExposedPorts: { ...config.ExposedPorts, ...keys(ports) } }, told: `EXPOSE ${ports.join(' ')}` };
  },
  VOLUME: (config, { text, escape }, variables) => {
    const volumes = (jsonWords(text) ?? text.split(/\s+/)).map((word) => volumeOf(expandWord(word, variables, escape)));
    return { config: { ...config, Volumes: { ...config.Volumes, ...keys(volumes) } }, told: `VOLUME ${JSON.stringify(volumes)}` };
  },
  USER: (config, instruction, variables) => {
    const user = single(instruction, variables);
    return { config: { ...config, User: user }, told: `USER ${user}` };
  },
  STOPSIGNAL: (config, instruction, variables) => {
    const signal = single(instruction, variables);
    parseSignal(signal);
    return { config: { ...config, StopSignal: signal }, told: `STOPSIGNAL ${signal}` };
  },
  CMD: (config, { text }) => ({ config: changed(config, 'CMD', text), told: `CMD ${text}` }),
  SHELL: (config, { text }) => ({ config: changed(config, 'SHELL', text), told: `SHELL ${text}` }),
  HEALTHCHECK: (config, { text }) => ({ config: changed(config, 'HEALTHCHECK', text), told: `HEALTHCHECK ${text}` }),
  ONBUILD: (config, { text }) => {
    const [name = ''] = text.split(/\s+/);
    const upper = name.toUpperCase();
    if (['ONBUILD', 'FROM', 'MAINTAINER'].includes(upper) || !(instructionNames as readonly string[]).includes(upper)) {
      throw new DelosError('bad-usage', `${shown(name)} cannot be done on build: expected an instruction other than FROM, MAINTAINER and ONBUILD`);
    }
    return { config: { ...config, OnBuild: [...config.OnBuild ?? [], text] }, told: `ONBUILD ${text}` };
  },
};

/** `ENTRYPOINT`: a command of the base was meant for its entrypoint, one of this stage is for the new one. */
export function withEntrypoint(config: RunConfig, { text }: Instruction, keepsCommand: boolean): Changed {
  const { Cmd: _, ...without } = changed(config, 'ENTRYPOINT', text);
  return { config: keepsCommand && config.Cmd !== undefined ? { ...without, Cmd: config.Cmd } : without, told: `ENTRYPOINT ${text}` };
}

export function withLabels(config: RunConfig, pairs: readonly (readonly [string, string])[]): RunConfig {
  return { ...config, Labels: { ...config.Labels, ...Object.fromEntries(pairs) } };
}

export function toldPairs(name: string, pairs: readonly (readonly [string, string])[]): string {
  return `${name} ${pairs.map(([key, value]) => `${key}=${value}`).join(' ')}`;
}

/** The folder that WORKDIR sets. */
export function workingDir({ WorkingDir = '' }: RunConfig, instruction: Instruction, variables: Variables): string {
  return path.posix.resolve('/', WorkingDir, single(instruction, variables));
}

/** By the code of `commit --change`, whose message says more than fits here. */
function changed(config: RunConfig, name: string, text: string): RunConfig {
  try {
    return changedConfig(config, [`${name} ${text}`]);
  } catch (error) {
    if (error instanceof DelosError && error.cause instanceof DelosError) throw error.cause;
    throw error;
  }
}

/** `A=1 B="x y"`, or in the old form `A x y`; all with the variables of before. */
function keyValues({ text, escape }: Instruction, variables: Variables): [string, string][] {
  const words = rawWords(text, escape);
  const [first = ''] = words;
  if (!first.includes('=')) {
    if (words.length < 2) throw new DelosError('bad-usage', `expected NAME=value, found '${shown(first)}'`);
    return [[expandWord(first, variables, escape), expandWord(text.slice(text.indexOf(first) + first.length).trim(), variables, escape)]];
  }
  return words.map((word) => {
    const equals = word.indexOf('=');
    const name = expandWord(word.slice(0, Math.max(0, equals)), variables, escape);
    if (name === '') throw new DelosError('bad-usage', `expected NAME=value, found '${shown(word)}'`);
    return [name, expandWord(word.slice(equals + 1), variables, escape)];
  });
}

function single({ text, escape }: Instruction, variables: Variables): string {
  const value = expandWord(text, variables, escape);
  if (value === '') throw new DelosError('bad-usage', `'${shown(text)}' is empty`);
  return value;
}

const mostPorts = 65535;

/** `80`, `53/udp`, `8000-8010/tcp`. */
function portsOf(text: string): string[] {
  const [whole, first, last = first, protocol = 'tcp'] = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(text) ?? [];
  const [low, high] = [Number(first), Number(last)];
  if (whole === undefined || low < 1 || high > mostPorts || low > high) throw new DelosError('bad-usage', `'${shown(text)}' is no port: expected one such as 80, 53/udp or 8000-8010`);
  return Array.from({ length: high - low + 1 }, (_, index) => `${low + index}/${protocol.toLowerCase()}`);
}

function volumeOf(text: string): string {
  if (!text.startsWith('/')) throw new DelosError('bad-usage', `expected an absolute path, found '${shown(text)}'`);
  return text;
}

function keys(names: readonly string[]): Record<string, object> {
  return Object.fromEntries(names.map((name) => [name, {}]));
}
