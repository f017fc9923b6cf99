import fs from 'node:fs';
import type { Socket } from 'node:net';
import { _LINUX_CAPABILITY_VERSION_3 } from '../../../abi/process.ts';
import { MSG_DONTWAIT, MSG_PEEK, SO_PEERCRED, SOL_SOCKET } from '../../../abi/socket.ts';
import { syscall, SystemCallError } from '../../../sys/syscall.ts';

/** Namespaces in which a path, a pid or a right means the same to the caller as to the planner. */
const shared = ['mnt', 'user', 'pid', 'net', 'cgroup'];

let own: string[] | undefined;

/** The caller's pid if the planner may answer it: of the same user, with the same namespaces, root and capabilities. */
export function trustedPeer(connection: Socket): number | undefined {
  const credentials = new Int32Array(3);
  syscall('getsockopt', descriptorOf(connection), SOL_SOCKET, SO_PEERCRED, credentials, new Int32Array([12]));
  const [pid = 0, uid = -1] = credentials;
  // A process of another pid namespace has no pid here.
  if (uid !== process.geteuid?.() || pid <= 0) return undefined;
  own ??= view(process.pid);
  const theirs = view(pid);
  return theirs.every((name, index) => name === own?.[index]) ? pid : undefined;
}

/** What decides what the process sees and what it may do: a planner must not do for anybody what they may not do. */
function view(pid: number): string[] {
  const seen = shared.map((name) => fs.readlinkSync(`/proc/${pid}/ns/${name}`));
  return [...seen, fs.readlinkSync(`/proc/${pid}/root`), capabilities(pid)];
}

/** The sets of a process, capget(2): effective, permitted and inheritable, in two halves. The last says nothing of what it may do now. */
function capabilities(pid: number): string {
  const sets = new Uint32Array(6);
  syscall('capget', new Int32Array([_LINUX_CAPABILITY_VERSION_3, pid]), sets);
  const [effective = 0, permitted = 0, , highEffective = 0, highPermitted = 0] = sets;
  return [effective, permitted, highEffective, highPermitted].join(' ');
}

/** False when the caller has gone, or has given up waiting and does it itself: then the stream ends behind its request. */
export function stillWaits(connection: Socket): boolean {
  try {
    return syscall('recvfrom', descriptorOf(connection), new Uint8Array(1), 1, MSG_PEEK | MSG_DONTWAIT, 0, 0) > 0;
  } catch (error) {
    if (error instanceof SystemCallError) return error.errno === 'EAGAIN';
    throw error;
  }
}

/**
 * The descriptor of a connection, for a system call right now: Node closes it when it likes, and its number is then another one's. Node
 * keeps it to itself; there is no other way to send descriptors over a connection of its own.
 * @throws Error when the connection is closed
 */
export function descriptorOf(connection: Socket): number {
  const { _handle: handle } = connection as Socket & { _handle?: { fd: number } | null };
  if (!handle || handle.fd < 0) throw new Error('the connection is closed');
  return handle.fd;
}
