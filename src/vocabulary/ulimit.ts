import { DelosError } from '../lib/errors.ts';

/** A limit of getrlimit(2). `RLIM_INFINITY` is 2^64 - 1, so values beyond 2^53 are bigints. */
export interface Ulimit {
  readonly type: string;
  readonly soft: number | bigint;
  readonly hard: number | bigint;
}

const RLIM_INFINITY = 2n ** 64n - 1n;

const names: readonly string[] = [
  'as', 'core', 'cpu', 'data', 'fsize', 'locks', 'memlock', 'msgqueue', 'nice', 'nofile', 'nproc', 'rss', 'rtprio', 'rttime', 'sigpending', 'stack',
];

/** `--ulimit nofile=1024:2048`: name, soft and hard limit; one number stands for both, -1 or `unlimited` for none. Throws `bad-usage`. */
export function parseUlimit(text: string): Ulimit {
  const invalid = (reason: string): DelosError => new DelosError('bad-usage', `invalid --ulimit '${text}': ${reason}`);
  const match = /^([a-z]+)=([^:]+)(?::([^:]+))?$/.exec(text);
  if (match === null) throw invalid('expected name=soft[:hard]');
  const [, name = '', softText = '', hardText = softText] = match;
  if (!names.includes(name)) throw invalid(`no limit is called '${name}'; there are ${names.join(', ')}`);
  const [soft, hard] = [parseLimit(softText), parseLimit(hardText)];
  if (soft === undefined || hard === undefined) throw invalid('a limit is a whole number, -1 or unlimited');
  if (soft > hard) throw invalid(`the soft limit ${softText} is above the hard limit ${hardText}`);
  return { type: `RLIMIT_${name.toUpperCase()}`, soft: narrowed(soft), hard: narrowed(hard) };
}

function parseLimit(text: string): bigint | undefined {
  if (text === '-1' || text === 'unlimited') return RLIM_INFINITY;
  const value = /^\d+$/.test(text) ? BigInt(text) : undefined;
  return value === undefined || value > RLIM_INFINITY ? undefined : value;
}

function narrowed(value: bigint): number | bigint {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}
