import { listProcesses } from '../cgroup/processes.ts';
import { DelosError } from '../lib/errors.ts';
import { childProcess } from '../sys/builtin.ts';
import { readRecord } from './store.ts';

/** The container's processes, by their pids outside, in rising order. Empty when it has stopped. @throws DelosError not-found */
export function processIds(root: string, id: string): number[] {
  return listProcesses(readRecord(root, id).cgroup).toSorted((a, b) => a - b);
}

/**
 * What ps(1) prints with these options, cut down to the container's processes and the header.
 * @param options such as `-ef`, which is also what it takes when there are none
 * @throws DelosError not-found, bad-usage for options that ps refuses or that leave out the pids, unsupported without a ps
 */
export function processTable(root: string, id: string, options: readonly string[]): string {
  const pids = new Set(processIds(root, id));
  const { status, stdout, stderr, error } = childProcess().spawnSync('ps', options.length === 0 ? ['-ef'] : options, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (error !== undefined) throw new DelosError('unsupported', `ps: ${(error as NodeJS.ErrnoException).code}`, { cause: error });
  if (status !== 0) throw new DelosError('bad-usage', `ps ${options.join(' ')}: exit status ${status}: ${stderr.trim().split('\n')[0] ?? ''}`);
  return filterTable(stdout, pids);
}

/** The lines of a ps table whose column `PID` is one of `pids`, and its header. @throws DelosError bad-usage without that column */
export function filterTable(table: string, pids: ReadonlySet<number>): string {
  const [header = '', ...lines] = table.trimEnd().split('\n');
  const column = header.trim().split(/\s+/).indexOf('PID');
  if (column < 0) throw new DelosError('bad-usage', "couldn't find PID field in ps output");
  const kept = lines.filter((line) => pids.has(Number(line.trim().split(/\s+/)[column])));
  return [header, ...kept].map((line) => `${line}\n`).join('');
}
