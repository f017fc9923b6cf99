import { AF_UNIX, MSG_CMSG_CLOEXEC, MSG_DONTWAIT, MSG_NOSIGNAL, SCM_RIGHTS, SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_STREAM, SOL_SOCKET } from '../abi/socket.ts';
import { cmsg_fd, iovec, msghdr } from '../abi/structs.ts';
import { put, type Layout } from '../lib/layout.ts';
import { addressOfBytes, syscall, SystemCallError } from './syscall.ts';

/** A unix stream socket that listens at `path` (at most 107 bytes), not blocking. The caller closes it and unlinks the path. */
export function listenAt(path: string): number {
  const fd = syscall('socket', AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const address = new Uint8Array(110);
  address[0] = AF_UNIX;
  address.set(Buffer.from(path), 2);
  syscall('bind', fd, address, address.length);
  syscall('listen', fd, 8);
  return fd;
}

/** A connection that waits at a listening socket, or undefined when there is none yet. */
export function acceptFrom(listener: number): number | undefined {
  return unlessAgain(() => syscall('accept4', listener, 0, 0, SOCK_CLOEXEC | SOCK_NONBLOCK));
}

/**
 * The descriptor in the next message, undefined when there is no message yet, `end` when there will be none. It is close-on-exec;
 * the caller closes it.
 */
export function receiveDescriptor(socket: number): number | 'end' | undefined {
  const { message, control, keep } = messageOf(new Uint8Array(4096), new Uint8Array(cmsg_fd.size));
  const got = unlessAgain(() => syscall('recvmsg', socket, message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT));
  if (got === undefined) return undefined;
  if (got === 0) return 'end';
  const view = new DataView(control.buffer);
  void keep;
  if (view.getUint32(cmsg_fd.fields.cmsg_type.offset, true) !== SCM_RIGHTS || view.getBigUint64(0, true) === 0n) throw new Error('assertion: a message without a descriptor');
  return view.getInt32(cmsg_fd.fields.fd.offset, true);
}

/** Sends bytes with descriptors. */
export function sendDescriptors(socket: number, data: Uint8Array, fds: readonly number[]): void {
  const header = cmsg_fd.fields.fd.offset;
  const control = new Uint8Array((header + 4 * fds.length + 7) & -8);
  const view = new DataView(control.buffer);
  put(view, 0, 'u64', header + 4 * fds.length);
  put(view, cmsg_fd.fields.cmsg_level.offset, 'u32', SOL_SOCKET);
  put(view, cmsg_fd.fields.cmsg_type.offset, 'u32', SCM_RIGHTS);
  fds.forEach((fd, index) => put(view, header + 4 * index, 'u32', fd));
  const { message, keep } = messageOf(data, control);
  syscall('sendmsg', socket, message, MSG_NOSIGNAL);
  void keep;
}

/** A struct msghdr over the two buffers. `keep` must live as long as the message is used: it holds what only addresses point to. */
function messageOf(data: Uint8Array, control: Uint8Array): { message: Uint8Array; control: Uint8Array; keep: unknown } {
  const vector = fill(iovec, { iov_base: addressOfBytes(data), iov_len: data.length });
  const message = fill(msghdr, {
    msg_iov: addressOfBytes(vector), msg_iovlen: 1, msg_control: addressOfBytes(control), msg_controllen: control.length,
  });
  return { message, control, keep: [data, vector] };
}

function fill<Name extends string>(layout: Layout<Name>, values: Partial<Record<Name, number | bigint>>): Uint8Array {
  const bytes = new Uint8Array(layout.size);
  const view = new DataView(bytes.buffer);
  for (const name in values) put(view, layout.fields[name].offset, layout.fields[name].type, values[name] ?? 0);
  return bytes;
}

function unlessAgain(attempt: () => number): number | undefined {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof SystemCallError && (error.errno === 'EAGAIN' || error.errno === 'EINTR')) return undefined;
    throw error;
  }
}
