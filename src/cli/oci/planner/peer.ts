import fs from 'node:fs';
import type { Socket } from 'node:net';
import { MSG_DONTWAIT, MSG_PEEK, SO_PEERCRED, SOL_SOCKET } from '../../../abi/socket.ts';
import { syscall, SystemCallError } from '../../../sys/syscall.ts';

/** Namespaces in which a path, a pid or a right means the same to the caller as to the planner. */
const shared = ['mnt', 'user', 'pid', 'net', 'cgroup'];

/** Of /proc/PID/status: what the planner may do for a caller must not be more than the caller may. */
const rights = /^(?:CapEff|CapBnd|NoNewPrivs|Seccomp):.*$/gm;

let own: string[] | undefined;

/** The caller's pid if the planner may answer it: of the same user, with the same namespaces, root and rights. */
export function trustedPeer(connection: Socket): number | undefined {
  const credentials = new Int32Array(3);
  syscall('getsockopt', descriptorOf(connection), SOL_SOCKET, SO_PEERCRED, credentials, new Int32Array([12]));
  const [pid = 0, uid = -1] = credentials;
  // A process of another pid namespace has no pid here.
  if (uid !== process.geteuid?.() || pid <= 0) return undefined;
  own ??= view('self');
  const theirs = view(String(pid));
  return theirs.every((name, index) => name === own?.[index]) ? pid : undefined;
}

/** What decides what the process sees and what it may do. */
function view(pid: string): string[] {
  const seen = [...shared.map((name) => fs.readlinkSync(`/proc/${pid}/ns/${name}`)), fs.readlinkSync(`/proc/${pid}/root`)];
  return [...seen, ...(fs.readFileSync(`/proc/${pid}/status`, 'latin1').match(rights) ?? [])];
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
