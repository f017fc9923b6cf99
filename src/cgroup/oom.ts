import { setTimeout as sleep } from 'node:timers/promises';
import { readControlFile } from './control-file.ts';
import type { CgroupPaths } from './path.ts';
import { withChildren } from './processes.ts';
import { parseKeyed } from './stats-text.ts';

/** How many processes of the cgroup, and of those below it, the kernel has killed for want of memory. 0 when it is gone. */
export function oomKills(paths: CgroupPaths): bigint {
  const legacy = paths['memory'];
  if (legacy !== undefined) {
    // v1 counts in the cgroup of the victim only.
    return withChildren(legacy).reduce((sum, directory) => sum + counted(directory, 'memory.oom_control'), 0n);
  }
  return paths[''] === undefined ? 0n : counted(paths[''], 'memory.events');
}

/** Whether the kernel has killed a process of the cgroup for want of memory. */
export function oomKilled(paths: CgroupPaths): boolean {
  return oomKills(paths) > 0n;
}

/** Tells, each time that more processes were killed for want of memory, how many in all. Ends with the cgroup or with `signal`. */
export async function* oomEvents(paths: CgroupPaths, signal: AbortSignal, intervalMs = 100): AsyncGenerator<bigint> {
  const isThere = (): boolean => readControlFile(paths['memory'] ?? paths[''] ?? '/', 'cgroup.procs') !== undefined;
  let last = oomKills(paths);
  while (!signal.aborted && isThere()) {
    const kills = oomKills(paths);
    if (kills > last) yield kills;
    last = kills;
    await sleep(intervalMs, undefined, { signal }).catch(() => undefined);
  }
}

function counted(directory: string, file: string): bigint {
  return parseKeyed(readControlFile(directory, file) ?? '', file).get('oom_kill') ?? 0n;
}
