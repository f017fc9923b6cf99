import { readFileSync } from 'node:fs';

/** What /proc/PID/stat tells of a process, proc_pid_stat(5). */
export interface ProcessStat {
  /** In the pid namespace of the reader's /proc. */
  readonly pid: number;
  readonly comm: string;
  /** One letter: R, S, D, Z (zombie), X (dead), ... */
  readonly state: string;
  /** Clock ticks after boot. A pid is used again, but not with the same start time. */
  readonly startTime: number;
}

/** Field 22 of the line; the fields after comm begin with the third. */
const startTimeField = 22 - 3;

/** Parses one line of /proc/PID/stat; undefined for what is none, as of a file that is only half written. */
export function parseProcessStat(text: string): ProcessStat | undefined {
  // comm may hold spaces and parentheses, so it ends at the last one.
  const open = text.indexOf(' (');
  const close = text.lastIndexOf(') ');
  if (open <= 0 || close < open) return undefined;
  const pid = integer(text.slice(0, open));
  const fields = text.slice(close + 2).trimEnd().split(' ');
  const startTime = integer(fields[startTimeField] ?? '');
  const state = fields[0] ?? '';
  // A number at the end of half a line may be cut.
  if (pid === undefined || startTime === undefined || state.length !== 1 || fields.length <= startTimeField + 1) return undefined;
  return { pid, comm: text.slice(open + 2, close), state, startTime };
}

function integer(text: string): number | undefined {
  const value = /^\d{1,20}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}

/** The process with this id now; undefined when there is none. */
export function readProcessStat(pid: number): ProcessStat | undefined {
  try {
    return parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}

/** Whether the process of a former stat runs still: neither ended, nor a zombie, nor another one with its pid. */
export function isAlive(former: ProcessStat): boolean {
  const now = readProcessStat(former.pid);
  return now !== undefined && now.startTime === former.startTime && now.state !== 'Z' && now.state !== 'X';
}
