import fs from 'node:fs';
import { SO_PEERCRED, SOL_SOCKET } from '../../../abi/socket.ts';
import { syscall } from '../../../sys/syscall.ts';

/** Namespaces in which a path, a pid or a right means the same to the caller as to the planner. */
const shared = ['mnt', 'user', 'pid', 'net', 'cgroup'];

let own: string[] | undefined;

/** The caller's pid if the planner may answer it: of the same user, with the same namespaces and root. */
export function trustedPeer(socket: number): number | undefined {
  const credentials = new Int32Array(3);
  syscall('getsockopt', socket, SOL_SOCKET, SO_PEERCRED, credentials, new Int32Array([12]));
  const [pid = 0, uid = -1] = credentials;
  if (uid !== process.geteuid?.()) return undefined;
  own ??= view('self');
  const theirs = view(String(pid));
  return theirs.every((name, index) => name === own?.[index]) ? pid : undefined;
}

/** What decides what the process sees. */
function view(pid: string): string[] {
  return [...shared.map((name) => fs.readlinkSync(`/proc/${pid}/ns/${name}`)), fs.readlinkSync(`/proc/${pid}/root`)];
}
