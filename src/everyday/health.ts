import type { HealthPlan } from '../containers/health.ts';
import type { Healthcheck } from '../images/config.ts';
import type { ImageDefaults } from './facts.ts';
import type { CreateFlags } from './flags.ts';
import { badFlag, badFlags } from './refusal.ts';

/** Docker's, for what neither the flags nor the image says. */
const defaults = { intervalMs: 30_000, timeoutMs: 30_000, startPeriodMs: 0, startIntervalMs: 5000, retries: 3 } as const;

const NS_A_MS = 1e6;

const times = [
  ['health-interval', 'interval', 'intervalMs'], ['health-timeout', 'timeout', 'timeoutMs'],
  ['health-start-period', 'startPeriod', 'startPeriodMs'], ['health-start-interval', 'startInterval', 'startIntervalMs'],
] as const;

/** How to see whether the container is well: the flags, then what the image says. Nothing when nobody asks. Throws `bad-usage`. */
export function healthPlan(flags: CreateFlags, { healthcheck = { test: [] }, shell }: ImageDefaults): HealthPlan | undefined {
  const own = ['health-cmd', 'health-interval', 'health-timeout', 'health-start-period', 'health-start-interval', 'health-retries'] as const;
  if (flags['no-healthcheck']) {
    if (own.some((flag) => flags[flag] !== undefined)) throw badFlags('--no-healthcheck and --health-*');
    return undefined;
  }
  const test = flags['health-cmd'] === undefined ? healthcheck.test : ['CMD-SHELL', flags['health-cmd']];
  const command = commandOf(test, shell);
  const [intervalMs, timeoutMs, startPeriodMs, startIntervalMs] = times.map((row) => timeOf(flags, healthcheck, row)) as [number, number, number, number];
  const retries = retriesOf(flags['health-retries'], healthcheck);
  if (command === undefined) return undefined;
  return { command, test, intervalMs, timeoutMs, startPeriodMs, startIntervalMs: startPeriodMs > 0 ? startIntervalMs : intervalMs, retries };
}

function commandOf([kind, ...words]: readonly string[], shell: readonly string[] = ['/bin/sh', '-c']): readonly string[] | undefined {
  if (kind === 'CMD' && words.length > 0) return words;
  if (kind === 'CMD-SHELL' && words[0] !== undefined && words[0] !== '') return [...shell, words[0]];
  return undefined;
}

/** 0 stands for the default, as with docker. */
function timeOf(flags: CreateFlags, image: Partial<Healthcheck>, [flag, key, name]: (typeof times)[number]): number {
  const given = flags[flag];
  if (given !== undefined && given !== 0 && given < 1) throw badFlag(flag, given, 'expected at least one millisecond');
  return (given ?? 0) || Math.ceil((image[key] ?? 0) / NS_A_MS) || defaults[name];
}

function retriesOf(given: number | undefined, { retries = 0 }: Partial<Healthcheck>): number {
  if (given !== undefined && given < 0) throw badFlag('health-retries', given, 'expected a number that is not negative');
  return (given ?? 0) || retries || defaults.retries;
}
