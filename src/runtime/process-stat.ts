import fs from 'node:fs';
import { errnoOf } from '../cgroup/control-file.ts';

/** The part of /proc/PID/stat that says which process it is and whether it lives. */
export interface ProcessStat {
  readonly pid: number;
  /** One letter: R, S, D, T, Z (a zombie), X. */
  readonly state: string;
  /** Clock ticks from the start of the machine to that of the process. With the pid it names the process for good. */
  readonly startTime: bigint;
  /** It has executed a program since it was cloned. Only the kernel can say so, and it never takes it back. */
  readonly hasExecuted: boolean;
}

/** "Forked but didn't exec": a bit of field 9, as <linux/sched.h> of the kernel itself has it. No header for programs does. */
const PF_FORKNOEXEC = 0x40;

/**
 * Reads the text of a /proc/PID/stat, proc_pid_stat(5): fields 1, 3, 9 and 22. The name in field 2 may hold blanks and parentheses.
 * Gives nothing for a text that is none, as of a file that is only being written: field 22 must have another one after it, or it
 * might be cut.
 */
export function parseProcessStat(text: string): ProcessStat | undefined {
  const [, pid, state, rest] = /^(\d{1,10}) \([^]*\) ([A-Za-z]) ([-\d ]+)\s*$/.exec(text) ?? [];
  const fields = rest?.split(' ') ?? [];
  const [flags, startTime, after] = [fields[5], fields[18], fields[19]];
  if (pid === undefined || state === undefined || startTime === undefined || after === undefined) return undefined;
  if (!/^\d{1,20}$/.test(startTime)) return undefined;
  return { pid: Number(pid), state, startTime: BigInt(startTime), hasExecuted: (Number(flags) & PF_FORKNOEXEC) === 0 };
}

/** What the kernel says of a process now; nothing when there is none. */
export function readProcessStat(pid: number): ProcessStat | undefined {
  return readStatFile(`/proc/${pid}/stat`);
}

/** The same out of a copy. Nothing when there is no file, or not all of it yet, or a folder in its place. */
export function readStatFile(file: string): ProcessStat | undefined {
  try {
    return parseProcessStat(fs.readFileSync(file, 'utf8'));
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ESRCH' || errno === 'EISDIR') return undefined;
    throw error;
  }
}

/** The process of a former stat runs still: it is no zombie, and no other process has got its pid. */
export function isAlive(process: Pick<ProcessStat, 'pid' | 'startTime'>): boolean {
  return statNow(process) !== undefined;
}

/** The same process's stat of this moment; nothing when it has ended. */
export function statNow({ pid, startTime }: Pick<ProcessStat, 'pid' | 'startTime'>): ProcessStat | undefined {
  const now = readProcessStat(pid);
  return now !== undefined && now.startTime === startTime && now.state !== 'Z' && now.state !== 'X' ? now : undefined;
}
