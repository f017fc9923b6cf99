import { AF_UNIX, SCM_RIGHTS, SOCK_CLOEXEC, SOCK_STREAM, SOL_SOCKET } from '../abi/socket.ts';
import { cmsg_fd } from '../abi/structs.ts';
import { DelosError } from '../lib/errors.ts';
import { Address, Block, bytes, Cell, cell, member, record } from '../plan/block.ts';
import { call, type Item } from '../plan/step.ts';
import type { Seccomp } from './config/types.ts';
import { message } from './console.ts';
import type { Build } from './field.ts';

/** Init still needs these after the filter, before anybody answers at the listener. */
const needed = ['read', 'write'];

/** @throws DelosError bad-config for a profile that would hang its own container */
export function checkListener(profile: Seccomp): void {
  const trapped = profile.syscalls?.find(({ action, names }) => action === 'SCMP_ACT_NOTIFY' && names.some((name) => needed.includes(name)));
  if (trapped) throw new DelosError('bad-config', 'linux.seccomp.syscalls: SCMP_ACT_NOTIFY cannot be used for read and write, which init needs to hand the listener over', { field: '/linux/seccomp/syscalls' });
}

/**
 * linux.seccomp.listenerPath: the runtime takes the listener out of init by pidfd_getfd(2) and sends it to the agent with the
 * state of the container process, config-linux.md "The Container Process State".
 */
export function handOverListener(build: Build, listener: Cell, profile: Seccomp): Item[] {
  const why = '/linux/seccomp/listenerPath';
  const socket = cell('seccomp agent', -1);
  const path = profile.listenerPath ?? '';
  const control = record(cmsg_fd, { cmsg_len: 20, cmsg_level: SOL_SOCKET, cmsg_type: SCM_RIGHTS }, { cmsg_type: () => 'SCM_RIGHTS' });
  const taken = member(control, cmsg_fd, 'fd');
  const state = processState(build, profile.listenerMetadata);
  const address = new Uint8Array(110);
  address[0] = AF_UNIX;
  address.set(Buffer.from(path).subarray(0, 107), 2);
  return [
    call('pidfd_getfd', [build.cells.pidfd, listener, 0], why, { out: taken }),
    call('socket', [AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0], why, { out: socket }),
    call('connect', [socket, bytes(address, `{sun_path: ${JSON.stringify(path)}}`), address.length], why),
    ...state.pids.map((pid) => call('decimal', [pid, build.cells.pid], why)),
    call('sendmsg', [socket, message(state.text, state.text.bytes.length, control), 0], why, { want: state.text.bytes.length }),
    call('close', [socket], why),
    call('close', [taken], why),
  ];
}

/** The state with room for the process's pid. It is in there twice when the process is the container's init, which is being made. */
function processState({ config, request }: Build, metadata: string | undefined): { text: Block; pids: Address[] } {
  const room = ' '.repeat(10);
  const shown = JSON.stringify({
    ociVersion: config.ociVersion,
    fds: ['seccompFd'],
    pid: room,
    ...(metadata !== undefined && { metadata }),
    state: {
      ociVersion: config.ociVersion, id: request.id, status: 'creating', pid: room, ...request.container, bundle: request.bundle,
      ...(config.annotations && { annotations: config.annotations }),
    },
  }).replaceAll(`"pid":"${room}"`, `"pid":${room}`);
  const text = new Block(Buffer.from(shown), () => shown.replaceAll(room, 'PID'));
  const places = [...shown.matchAll(new RegExp(`"pid":${room}`, 'g'))].map(({ index }) => Buffer.byteLength(shown.slice(0, index)) + 6);
  return { text, pids: places.map((at) => new Address(new Cell('pid in the state', text, at))) };
}
