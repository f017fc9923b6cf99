import fs from 'node:fs';
import { errnoOf } from '../cgroup/control-file.ts';
import { DelosError } from '../lib/errors.ts';
import type { ContainerRecord } from '../runtime/record.ts';
import { conditionOf, type Condition } from '../runtime/status.ts';
import { readRecord } from '../runtime/store.ts';
import type { Container, Standing } from './container.ts';
import { readHealth, type Health } from './health.ts';
import { fileOf, type Places } from './places.ts';
import { nextRestart, supervisorOf, type RunOutcome } from './restart.ts';

/** The exit code of a container whose monitor was killed before it could write one down. */
const UNKNOWN_EXIT = 255;

/** The container as src/runtime has it; nothing when it does not run and its cgroup and state are gone. */
export function runtimeRecord(places: Places, id: string): ContainerRecord | undefined {
  try {
    return readRecord(places.run, id);
  } catch (error) {
    if (error instanceof DelosError && error.code === 'not-found') return undefined;
    throw error;
  }
}

/** How a container stands now. After a reboot, one that ran then has stopped. */
export function standingOf(places: Places, container: Container): Standing {
  const record = runtimeRecord(places, container.id);
  const condition = record && conditionOf(places.run, record);
  const startedAtMs = container.startedAt === undefined ? 0 : Date.parse(container.startedAt);
  const basis = { pid: condition?.init?.pid ?? 0, startedAtMs, exitCode: 0, finishedAtMs: 0, oomKilled: false };
  if (isLive(condition)) return { ...basis, status: condition.status, ...healthOf(places, container) };
  const ended = readExit(places, container.id);
  if (ended !== undefined) return { ...basis, ...ended, status: isRestarting(container, { ...ended, startedAtMs }) ? 'restarting' : 'stopped' };
  if (container.startedAt === undefined) return { ...basis, status: 'created' };
  return { ...basis, status: 'stopped', exitCode: UNKNOWN_EXIT };
}

/** Somebody must be there to do it: one whose supervisor was killed has stopped. */
function isRestarting(container: Container, outcome: RunOutcome): boolean {
  return nextRestart(container, outcome) !== undefined && supervisorOf(container) !== undefined;
}

function healthOf(places: Places, { id, health }: Container): { health?: Health } {
  const now = health === undefined ? undefined : readHealth(places, id);
  return now === undefined ? {} : { health: now };
}

function isLive(condition: Condition | undefined): condition is Condition & { status: 'running' | 'paused' } {
  return condition?.status === 'running' || condition?.status === 'paused';
}

/** What the monitor has written down of the container's end; nothing before it. native/monitor.c */
export function readExit(places: Places, id: string): { exitCode: number; finishedAtMs: number; oomKilled: boolean } | undefined {
  let text: string;
  try {
    text = fs.readFileSync(fileOf(places, id, 'exit'), 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  const [, code, seconds, oom] = /^(\d{1,3}) (\d+\.\d+) ([01])$/m.exec(text) ?? [];
  return { exitCode: Number(code ?? UNKNOWN_EXIT), finishedAtMs: Math.floor(Number(seconds ?? 0) * 1000), oomKilled: oom === '1' };
}
