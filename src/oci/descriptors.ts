import { F_DUPFD_CLOEXEC, O_CLOEXEC } from '../abi/fcntl.ts';
import { call } from '../plan/step.ts';
import type { Field } from './field.ts';
import { fifo } from './program.ts';

const why = 'nothing of the host is open when the program is looked for';

/**
 * Closes all that init has open but the channel, the fifo, and what --preserve-fds passes on. close-on-exec would be too late:
 * process.args[0] may be `/proc/self/fd/N/../../bin/sh`, and execve(2) finds it before it closes N (CVE-2024-21626). What is kept
 * moves to the two lowest numbers, by way of higher ones so that neither lands on the other.
 */
export const closeDescriptors: Field = {
  at: [],
  support: 'full',
  init: ({ request, cells }) => {
    const lowest = 3 + request.preserveFds;
    const kept = request.held ? [cells.initEnd, fifo] : [cells.initEnd];
    return [
      ...kept.map((descriptor) => call('fcntl', [descriptor, F_DUPFD_CLOEXEC, lowest + kept.length], why, { out: descriptor })),
      ...kept.map((descriptor, index) => call('dup3', [descriptor, lowest + index, O_CLOEXEC], why, { out: descriptor })),
      call('close_range', [lowest + kept.length, 0xffffffff, 0], why),
    ];
  },
};
