import { CLONE_INTO_CGROUP, CLONE_PIDFD } from '../abi/clone.ts';
import { AT_FDCWD, O_CLOEXEC, O_CREAT, O_DIRECTORY, O_PATH, O_RDONLY, O_TRUNC, O_WRONLY } from '../abi/fcntl.ts';
import { flagNames } from '../abi/names.ts';
import { SIGCHLD } from '../abi/signal.ts';
import { clone_args } from '../abi/structs.ts';
import { addressOf, Block, buffer, cell, member, record } from '../plan/block.ts';
import { call, type Item, type Label } from '../plan/step.ts';
import { clonesInto } from './cgroup.ts';
import type { Build, Field } from './field.ts';

/** clone3: the container's process, in its new namespaces and in its v2 cgroup from its first instruction. */
export function cloneProcess(build: Build, namespaces: number, child: Label): Item[] {
  const { cells, request } = build;
  const unified = request.cgroup.find((directory) => clonesInto(build, directory));
  const flags = BigInt(namespaces | CLONE_PIDFD) | BigInt(unified ? CLONE_INTO_CGROUP : 0);
  const args = record(
    clone_args,
    { flags, pidfd: addressOf(cells.pidfd), exit_signal: SIGCHLD },
    { flags: (value) => flagNames('CLONE_', value) },
  );
  const clone = call('clone3', [args, clone_args.size], '/linux/namespaces', { child, out: cells.pid });
  if (!unified) return [clone];
  const group = member(args, clone_args, 'cgroup');
  return [
    call('openat', [AT_FDCWD, unified.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0], '/linux/cgroupsPath', { out: group }),
    clone,
    call('close', [group], '/linux/cgroupsPath'),
  ];
}

const why = 'what the container is known by';

/** /proc/PID of the process, for what is written to it from outside. */
export const openProcPid: Field = {
  at: [],
  support: 'full',
  after: ({ cells }) => {
    const pid = new Block(new Uint8Array(16), () => '"PID"');
    return [
      call('decimal', [pid, cells.pid], why),
      call('openat', [AT_FDCWD, '/proc', O_PATH | O_DIRECTORY | O_CLOEXEC, 0], why, { out: cells.directory }),
      call('openat', [cells.directory, pid, O_PATH | O_DIRECTORY | O_CLOEXEC, 0], why, { out: cells.procPid }),
      call('close', [cells.directory], why),
    ];
  },
};

/** A copy of its stat in the container's folder: pid and start time, which together name a process for good. proc_pid_stat(5) */
export const recordInit: Field = {
  at: [],
  support: 'full',
  after: ({ cells, request }) => {
    const text = buffer(1024, 'stat');
    const length = cell('length of stat');
    return [
      call('openat', [cells.procPid, 'stat', O_RDONLY | O_CLOEXEC, 0], why, { out: cells.file }),
      call('read', [cells.file, text, 1024], why, { out: length }),
      call('close', [cells.file], why),
      call('openat', [AT_FDCWD, `${request.folder}/init`, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600], why, { out: cells.file }),
      call('write', [cells.file, text, length], why),
      call('close', [cells.file], why),
    ];
  },
};

/** --pid-file: the pid in decimal, once the container is ready. Written beside it and renamed would be safer; the callers' habit is this. */
export const pidFile: Field = {
  at: [],
  support: 'full',
  after: ({ cells, request }) => {
    if (request.pidFile === undefined) return [];
    const pid = new Block(new Uint8Array(16), () => '"PID"');
    return [
      call('decimal', [pid, cells.pid], '--pid-file', { out: cells.length }),
      call('openat', [AT_FDCWD, request.pidFile, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666], '--pid-file', { out: cells.file }),
      call('write', [cells.file, pid, cells.length], '--pid-file'),
      call('close', [cells.file], '--pid-file'),
    ];
  },
};
