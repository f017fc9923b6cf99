import { CLONE_INTO_CGROUP, CLONE_PARENT, CLONE_PIDFD } from '../abi/clone.ts';
import { AT_FDCWD, O_CLOEXEC, O_CREAT, O_DIRECTORY, O_PATH, O_RDONLY, O_TRUNC, O_WRONLY } from '../abi/fcntl.ts';
import { flagNames } from '../abi/names.ts';
import { SIGCHLD } from '../abi/signal.ts';
import { clone_args } from '../abi/structs.ts';
import { addressOf, Block, buffer, cell, member, record, type Cell } from '../plan/block.ts';
import { call, type Item, type Label } from '../plan/step.ts';
import { clonesInto } from './cgroup.ts';
import type { Build, Cells, Field } from './field.ts';

/** The clone3 of a process, with what has to be opened before it and closed after it. */
export interface Cloning {
  readonly open: Item[];
  readonly clone: Item;
  readonly close: Item[];
}

/**
 * clone3 of the container's process, in its new namespaces and in its v2 cgroup from its first instruction.
 * @param flags CLONE_NEW*; CLONE_PARENT for a child of the runtime that another process makes
 */
export function cloneInit(build: Build, flags: number, child: Label): Cloning {
  const { cells, request } = build;
  const unified = request.cgroup.find((directory) => clonesInto(build, directory));
  const args = cloneArgs(cells, BigInt(flags) | BigInt(unified ? CLONE_INTO_CGROUP : 0));
  const clone = call('clone3', [args, clone_args.size], '/linux/namespaces', { child, out: cells.pid });
  if (!unified) return { open: [], clone, close: [] };
  const group = member(args, clone_args, 'cgroup');
  return {
    open: [call('openat', [AT_FDCWD, unified.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0], '/linux/cgroupsPath', { out: group })],
    clone,
    close: [call('close', [group], '/linux/cgroupsPath')],
  };
}

/** clone3 of a process that stays where the runtime is. @param pid takes its pid */
export function cloneBeside({ cells }: Build, child: Label, pid?: Cell): Item {
  return call('clone3', [cloneArgs(cells, 0n), clone_args.size], '/linux/namespaces', { child, out: pid });
}

/** A sibling sends the signal that its maker sends, clone(2) CLONE_PARENT. */
function cloneArgs({ pidfd }: Cells, flags: bigint): Block {
  const isSibling = (flags & BigInt(CLONE_PARENT)) !== 0n;
  return record(
    clone_args,
    { flags: flags | BigInt(CLONE_PIDFD), pidfd: addressOf(pidfd), exit_signal: isSibling ? 0 : SIGCHLD },
    { flags: (value) => flagNames('CLONE_', value) },
  );
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
