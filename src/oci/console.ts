import { AT_EMPTY_PATH, AT_FDCWD, F_DUPFD_CLOEXEC, O_CLOEXEC, O_NOCTTY, O_RDWR } from '../abi/fcntl.ts';
import { OPEN_TREE_CLONE, RESOLVE_IN_ROOT } from '../abi/mount.ts';
import { AF_UNIX, SCM_RIGHTS, SOCK_CLOEXEC, SOCK_STREAM, SOL_SOCKET, TIOCGPTPEER, TIOCSCTTY, TIOCSPTLCK, TIOCSWINSZ } from '../abi/socket.ts';
import { cmsg_fd, iovec, msghdr, open_how, winsize } from '../abi/structs.ts';
import { bytes, cell, cString, member, record, type Block } from '../plan/block.ts';
import { call, type Item } from '../plan/step.ts';
import type { Build, Field } from './field.ts';
import { attach } from './mount/attach.ts';
import { how, openTarget } from './open.ts';

const socket = cell('console socket');
const terminal = cell('terminal');

/** --console-socket: who wants the terminal's other side listens there. It is connected where the path means something. */
export const consoleSocket: Field = {
  at: [],
  support: 'full',
  before: ({ request }) => (request.consoleSocket === undefined ? [] : connectSocket(request.consoleSocket, '--console-socket')),
};

/** Connects a unix stream socket into the console cell. */
function connectSocket(path: string, why: string): Item[] {
  const address = new Uint8Array(110);
  address[0] = AF_UNIX;
  address.set(Buffer.from(path).subarray(0, 107), 2);
  return [
    call('socket', [AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0], why, { out: socket }),
    call('connect', [socket, bytes(address, `{sun_path: ${JSON.stringify(path)}}`), address.length], why),
  ];
}

/**
 * process.terminal: a new terminal of the container's own devpts. Its master is sent over the console socket; its other side is
 * what TIOCGPTPEER opens, never a path that the image could have changed (CVE-2025-52565), and is bound on /dev/console, which no
 * symlink of the image leads elsewhere.
 */
export const consoleDevice: Field = {
  at: ['/process/terminal', '/process/consoleSize'],
  support: 'full',
  init: (build) => {
    if (!build.config.process?.terminal) return [];
    const { cells } = build;
    return [
      ...openTerminal(build, cells.root, 'dev/pts/ptmx'),
      ...openTarget(build, '/dev/console', 'file', '/process/terminal', false),
      call('open_tree', [terminal, '', OPEN_TREE_CLONE | O_CLOEXEC | AT_EMPTY_PATH], '/process/terminal', { out: cells.mount }),
      ...attach(build, cells.mount, '/process/terminal'),
      call('close', [cells.mount], '/process/terminal'),
    ];
  },
};

/** The same for a process that has joined the container: its /dev is already there. */
export const execTerminal: Field = {
  at: [],
  support: 'full',
  init: (build) => (build.config.process?.terminal ? openTerminal(build, AT_FDCWD, '/dev/pts/ptmx') : []),
};

/** Opens a new terminal through a ptmx below `root`, sends its master away, and keeps the other side. */
function openTerminal(build: Build, root: Build['cells']['root'] | number, ptmx: string): Item[] {
  const why = '/process/terminal';
  const master = cell('terminal master');
  const size = build.config.process?.consoleSize;
  const control = record(cmsg_fd, { cmsg_len: 20, cmsg_level: SOL_SOCKET, cmsg_type: SCM_RIGHTS }, { cmsg_type: () => 'SCM_RIGHTS' });
  return [
    call('openat2', [root, ptmx, how(O_RDWR | O_NOCTTY, RESOLVE_IN_ROOT), open_how.size], why, { out: master }),
    call('ioctl', [master, TIOCSPTLCK, bytes(new Uint8Array(4), '{0}')], why),
    call('ioctl', [master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC], why, { out: terminal }),
    ...(size ? [call('ioctl', [master, TIOCSWINSZ, record(winsize, { ws_row: size.height, ws_col: size.width })], '/process/consoleSize')] : []),
    call('fchown', [terminal, build.config.process?.user?.uid ?? 0, -1], why, { accept: { EPERM: 'next', EINVAL: 'next' } }),
    call('fcntl', [master, F_DUPFD_CLOEXEC, 3], why, { out: member(control, cmsg_fd, 'fd') }),
    call('sendmsg', [socket, message(cString('/dev/ptmx'), 9, control), 0], why),
    call('close', [master], why),
    call('close', [member(control, cmsg_fd, 'fd')], why),
    call('close', [socket], why),
  ];
}

/** The terminal as controlling terminal and as 0, 1 and 2. After setsid(2). */
export const controllingTerminal: Field = {
  at: [],
  support: 'full',
  init: ({ config }) =>
    config.process?.terminal
      ? [
          call('ioctl', [terminal, TIOCSCTTY, 0], '/process/terminal'),
          ...[0, 1, 2].map((fd) => call('dup3', [terminal, fd, 0], '/process/terminal')),
          call('close', [terminal], '/process/terminal'),
        ]
      : [],
};

/** A message of `length` bytes with one descriptor. */
export function message(data: Block, length: number, control: Block): Block {
  const vector = record(iovec, { iov_base: data, iov_len: length });
  return record(msghdr, { msg_iov: vector, msg_iovlen: 1, msg_control: control, msg_controllen: cmsg_fd.size });
}
