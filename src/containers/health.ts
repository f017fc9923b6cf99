import fs from 'node:fs';
import { errnoOf } from '../cgroup/control-file.ts';
import { writeAtomically } from '../lib/atomic-file.ts';
import { fileOf, type Places } from './places.ts';

/** How to see whether a container is well. Docker's `Healthcheck`, whole: nothing is left to a default. */
export interface HealthPlan {
  /** Program and arguments, run in the container. */
  readonly command: readonly string[];
  /** What the image or the flag said: `['CMD-SHELL', line]`, `['CMD', program, ...]`. */
  readonly test: readonly string[];
  /** From the end of a check to the next. */
  readonly intervalMs: number;
  /** The same while it starts: in the start period, until a check succeeds. */
  readonly startIntervalMs: number;
  readonly timeoutMs: number;
  /** Failures from the start until then are not counted. */
  readonly startPeriodMs: number;
  /** How many failures in a row make it unhealthy. At least 1. */
  readonly retries: number;
}

/** One check. Times are RFC 3339. */
export interface HealthResult {
  readonly start: string;
  readonly end: string;
  /** -1 when the check could not be made, or took too long. */
  readonly exitCode: number;
  /** Its beginning. */
  readonly output: string;
}

export interface Health {
  readonly status: 'starting' | 'healthy' | 'unhealthy';
  readonly failingStreak: number;
  /** The last ones, the oldest first. */
  readonly log: readonly HealthResult[];
}

/** As many results as docker keeps, and as many letters of each. */
export const KEPT_RESULTS = 5;
export const KEPT_OUTPUT = 4096;

export const unknownHealth: Health = { status: 'starting', failingStreak: 0, log: [] };

/** How a container is after one more check. Pure. @param startedAtMs when the container was started */
export function afterCheck(before: Health, result: HealthResult, plan: HealthPlan, startedAtMs: number): Health {
  const log = [...before.log, result].slice(-KEPT_RESULTS);
  if (result.exitCode === 0) return { status: 'healthy', failingStreak: 0, log };
  const isStarting = before.status === 'starting' && Date.parse(result.start) - startedAtMs < plan.startPeriodMs;
  if (isStarting) return { ...before, log };
  const failingStreak = before.failingStreak + 1;
  return { status: failingStreak >= plan.retries ? 'unhealthy' : before.status, failingStreak, log };
}

/** What is known of a container's health; nothing when it is not asked for. */
export function readHealth(places: Places, id: string): Health | undefined {
  try {
    return JSON.parse(fs.readFileSync(fileOf(places, id, 'health.json'), 'utf8')) as Health;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The caller holds the container's lock. */
export function writeHealth(places: Places, id: string, health: Health): void {
  writeAtomically(fileOf(places, id, 'health.json'), `${JSON.stringify(health)}\n`);
}
