import { setTimeout as sleep } from 'node:timers/promises';
import { oomEvents } from '../cgroup/oom.ts';
import { eventText } from '../cgroup/stats.ts';
import { readCgroupStats } from '../cgroup/stats-read.ts';
import { DelosError } from '../lib/errors.ts';
import type { ContainerRecord } from './record.ts';
import { conditionOf } from './status.ts';
import { readRecord } from './store.ts';

export interface EventsRequest {
  readonly root: string;
  readonly id: string;
  /** Between two lines of statistics. */
  readonly intervalMs: number;
  /** Takes a line of JSON, without newline. */
  readonly write: (line: string) => void;
  /** Ends it before the container does. */
  readonly signal?: AbortSignal;
}

/** The container's statistics now, as one line. @throws DelosError not-found, wrong-state */
export function statsLine(root: string, id: string): string {
  return eventText('stats', id, readCgroupStats(runningRecord(root, id).cgroup));
}

/**
 * Statistics every `intervalMs` and a line for each time the kernel kills for want of memory, until the container stops.
 * @throws DelosError not-found, wrong-state when it has stopped already
 */
export async function followEvents({ root, id, intervalMs, write, signal }: EventsRequest): Promise<void> {
  const record = runningRecord(root, id);
  const ended = new AbortController();
  const stop = signal === undefined ? ended.signal : AbortSignal.any([ended.signal, signal]);
  const follow = async (lines: Promise<void>): Promise<void> => lines.finally(() => ended.abort());
  await Promise.all([
    follow(reportStats(root, record, intervalMs, write, stop)),
    follow(reportOom(record, write, stop)),
    follow(untilStopped(root, record, stop)),
  ]);
}

function runningRecord(root: string, id: string): ContainerRecord {
  const record = readRecord(root, id);
  if (conditionOf(root, record).status === 'stopped') throw new DelosError('wrong-state', `container with id ${id} is not running`);
  return record;
}

async function reportStats(
  root: string, record: ContainerRecord, intervalMs: number, write: (line: string) => void, stop: AbortSignal,
): Promise<void> {
  while (await pause(intervalMs, stop)) {
    if (conditionOf(root, record).status === 'stopped') return;
    write(eventText('stats', record.id, readCgroupStats(record.cgroup)));
  }
}

async function reportOom({ id, cgroup }: ContainerRecord, write: (line: string) => void, stop: AbortSignal): Promise<void> {
  for await (const _ of oomEvents(cgroup, stop)) write(eventText('oom', id));
}

async function untilStopped(root: string, record: ContainerRecord, stop: AbortSignal): Promise<void> {
  while (conditionOf(root, record).status !== 'stopped' && await pause(100, stop));
}

/** False when it was told to stop meanwhile. */
async function pause(durationMs: number, stop: AbortSignal): Promise<boolean> {
  await sleep(durationMs, undefined, { signal: stop }).catch(() => undefined);
  return !stop.aborted;
}
