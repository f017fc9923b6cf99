import { CLONE_NEWTIME } from '../abi/clone.ts';
import { AT_FDCWD, O_CLOEXEC, O_RDONLY } from '../abi/fcntl.ts';
import { call } from '../plan/step.ts';
import { hasNew, namespaceOf, type Field } from './field.ts';
import { writeFile } from './open.ts';

/**
 * A new time namespace and linux.timeOffsets. unshare(2) makes the namespace for children only, and the offsets can be written
 * until the first process is in it; then init joins it itself, as a single-threaded process may. time_namespaces(7)
 */
export const timeOffsets: Field = {
  at: ['/linux/timeOffsets'],
  support: 'full',
  init: (build) => {
    const { config, cells } = build;
    if (!hasNew(config, 'time')) return [];
    const why = namespaceOf(config, 'time')?.pointer ?? '';
    const lines = Object.entries(config.linux?.timeOffsets ?? {}).map(
      ([clock, offset]) => `${clock} ${offset?.secs ?? 0} ${offset?.nanosecs ?? 0}\n`,
    );
    return [
      call('unshare', [CLONE_NEWTIME], why),
      ...(lines.length > 0 ? writeFile(build, AT_FDCWD, '/proc/self/timens_offsets', lines.join(''), '/linux/timeOffsets') : []),
      call('openat', [AT_FDCWD, '/proc/self/ns/time_for_children', O_RDONLY | O_CLOEXEC, 0], why, { out: cells.file }),
      call('setns', [cells.file, CLONE_NEWTIME], why),
      call('close', [cells.file], why),
    ];
  },
};
