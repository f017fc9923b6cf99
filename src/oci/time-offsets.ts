import { CLONE_NEWTIME } from '../abi/clone.ts';
import { AT_FDCWD, O_CLOEXEC, O_RDONLY } from '../abi/fcntl.ts';
import { call, type Item } from '../plan/step.ts';
import { whileInitWaits } from './channel.ts';
import { hasNew, namespaceOf, type Build, type Field } from './field.ts';
import { writeFile } from './open.ts';

/**
 * A new time namespace and linux.timeOffsets. unshare(2) makes the namespace for children only, and the offsets can be written
 * until the first process is in it: from outside, since init may be hidden from itself in /proc. Then init joins it, as a
 * single-threaded process may. time_namespaces(7)
 */
export const timeOffsets: Field = {
  at: ['/linux/timeOffsets'],
  support: 'full',
  after: (build) => (hasNew(build.config, 'time') ? offsets(build).after : []),
  init: (build) => {
    const { config, cells } = build;
    if (!hasNew(config, 'time')) return [];
    const why = namespaceOf(config, 'time')?.pointer ?? '';
    return [
      call('unshare', [CLONE_NEWTIME], why),
      ...offsets(build).init,
      call('openat', [AT_FDCWD, '/proc/self/ns/time_for_children', O_RDONLY | O_CLOEXEC, 0], why, { out: cells.file }),
      call('setns', [cells.file, CLONE_NEWTIME], why),
      call('close', [cells.file], why),
    ];
  },
};

function offsets(build: Build): { after: Item[]; init: Item[] } {
  const lines = Object.entries(build.config.linux?.timeOffsets ?? {}).map(
    ([clock, offset]) => `${clock} ${offset?.secs ?? 0} ${offset?.nanosecs ?? 0}\n`,
  );
  if (lines.length === 0) return { after: [], init: [] };
  return whileInitWaits(build, writeFile(build, build.cells.procPid, 'timens_offsets', lines.join(''), '/linux/timeOffsets'), 'time offsets are set');
}
