import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, readProcessStat } from '../../runtime/process-stat.ts';
import type { Lease } from '../lease.ts';

/** The program that is the network of a container: `user-mode.json` in the container's folder, as long as it runs. */
interface UserModeRecord {
  /** The first of its processes, and of their process group. */
  readonly pid: number;
  /** As in /proc/PID/stat, since a pid may pass to another. Decimal. */
  readonly startTime: string;
  readonly lease: Lease;
}

const stopMs = 2000;
const pollMs = 10;

function fileIn(folder: string): string {
  return path.join(folder, 'user-mode.json');
}

/** Written before the program does anything for the container. */
export function keepRecord(folder: string, pid: number, lease: Lease): void {
  const record: UserModeRecord = { pid, startTime: String(readProcessStat(pid)?.startTime ?? 0), lease };
  const fresh = `${fileIn(folder)}.new`;
  fs.writeFileSync(fresh, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  fs.renameSync(fresh, fileIn(folder));
}

function readRecord(folder: string): UserModeRecord | undefined {
  try {
    const record = JSON.parse(fs.readFileSync(fileIn(folder), 'utf8')) as UserModeRecord;
    return Number.isInteger(record.pid) && record.pid > 1 && /^\d{1,20}$/.test(record.startTime) ? record : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** How a container is connected by a program that runs; nothing when none does. */
export function userModeLease(folder: string): Lease | undefined {
  const record = readRecord(folder);
  return record !== undefined && isRunning(record) ? record.lease : undefined;
}

/** Ends the program, if there is one, and all its processes. May be repeated. @param folder the container's */
export async function endUserMode(folder: string): Promise<void> {
  const record = readRecord(folder);
  if (record !== undefined) {
    const deadline = performance.now() + stopMs;
    signal(record, 'SIGTERM');
    while (isRunning(record) && performance.now() < deadline) await sleep(pollMs);
    signal(record, 'SIGKILL');
  }
  fs.rmSync(fileIn(folder), { force: true });
}

function isRunning({ pid, startTime }: UserModeRecord): boolean {
  return isAlive({ pid, startTime: BigInt(startTime) });
}

function signal(record: UserModeRecord, name: NodeJS.Signals): void {
  if (!isRunning(record)) return;
  try {
    process.kill(-record.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
