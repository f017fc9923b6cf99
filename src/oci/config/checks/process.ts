import * as capability from '../../../abi/capability.ts';
import * as resource from '../../../abi/resource.ts';
import { quoted } from '../printable.ts';
import { mismatch, refused } from '../refuse.ts';
import type { Capabilities, Process, Rlimit, Scheduler } from '../types.ts';

/** The rules within a process, for the container's own and for one that joins by exec. */
export function checkProcess(process: Process, warn: (sentence: string) => void): void {
  if (process.args === undefined) throw mismatch(['process', 'args'], 'at least one string', undefined);
  if (process.capabilities !== undefined) warnOfUnknown(process.capabilities, warn);
  if (process.rlimits !== undefined) checkRlimits(process.rlimits);
  if (process.scheduler !== undefined) checkScheduler(process.scheduler, warn);
}

/** A newer engine may know capabilities this project does not; the container does without, as with runc. */
function warnOfUnknown(sets: Capabilities, warn: (sentence: string) => void): void {
  const unknown = Object.values<readonly string[]>(sets)
    .flatMap((names) => (Array.isArray(names) ? names : []))
    .filter((name) => !Object.hasOwn(capability, name));
  if (unknown.length > 0) warn(`process.capabilities: ignored, because unknown: ${[...new Set(unknown)].map(quoted).join(', ')}`);
}

function checkRlimits(rlimits: readonly Rlimit[]): void {
  const seen = new Set<string>();
  for (const [i, { type, soft, hard }] of rlimits.entries()) {
    const place = ['process', 'rlimits', i];
    if (!Object.hasOwn(resource, type)) throw mismatch([...place, 'type'], 'a limit of getrlimit(2)', type);
    if (seen.has(type)) throw refused([...place, 'type'], `${type} is limited twice`);
    if (soft > hard) throw mismatch([...place, 'soft'], `at most the hard limit, ${hard}`, soft);
    seen.add(type);
  }
}

/** sched_setattr(2) says EINVAL to these, without a word about which of its nine fields it means. */
function checkScheduler(scheduler: Scheduler, warn: (sentence: string) => void): void {
  const { policy, nice, priority = 0 } = scheduler;
  const place = ['process', 'scheduler'];
  const realTime = policy === 'SCHED_FIFO' || policy === 'SCHED_RR';
  if (realTime && priority === 0) throw mismatch([...place, 'priority'], `1 to 99 for ${policy}`, scheduler.priority);
  if (!realTime && priority !== 0) throw refused([...place, 'priority'], 'is for SCHED_FIFO and SCHED_RR only');
  if (nice && policy !== 'SCHED_OTHER' && policy !== 'SCHED_BATCH') {
    warn(`process.scheduler.nice: ignored, since ${policy} has no nice value`);
  }
  checkDeadline(scheduler);
}

function checkDeadline({ policy, runtime = 0, deadline = 0, period = 0 }: Scheduler): void {
  const place = ['process', 'scheduler'];
  if (policy === 'SCHED_DEADLINE') {
    const longest = period === 0 || period === 0n ? deadline : period;
    if (runtime < 1024 || runtime > deadline || deadline > longest) {
      throw refused(place, 'SCHED_DEADLINE expects 1024 <= runtime <= deadline <= period');
    }
    return;
  }
  for (const [name, value] of Object.entries({ runtime, deadline, period })) {
    if (BigInt(value) !== 0n) throw refused([...place, name], 'is for SCHED_DEADLINE only');
  }
}
