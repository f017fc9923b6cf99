import fs from 'node:fs';
import { namespaceTypes } from '../../oci/namespaces.ts';

/** A type of namespace, in the kernel's names. */
export interface NamespaceKind {
  /** As in /proc/PID/ns. */
  readonly proc: string;
  readonly flag: number;
  readonly isolates: string;
}

const isolates: Readonly<Record<string, string>> = {
  pid: 'Process ID isolation', net: 'Network stack isolation', mnt: 'Mount point isolation', uts: 'Hostname/domain isolation',
  ipc: 'Inter-process communication isolation', user: 'User/group ID mapping', cgroup: 'Cgroup root isolation', time: 'Clock isolation (Linux 5.6+)',
};

/** All types, in the order of namespaces(7)'s textbook listings. */
export const kinds: readonly NamespaceKind[] = Object.entries(isolates).map(([proc, text]) => ({
  proc, flag: Object.values(namespaceTypes).find((type) => type.proc === proc)?.flag ?? 0, isolates: text,
}));

/** A namespace that some process is in. */
export interface HostNamespace {
  readonly type: string;
  readonly inode: string;
  readonly processes: number;
  /** The lowest pid in it, and its command. */
  readonly pid: number;
  readonly command: string;
  /** How many pid namespaces that process is visible in: 1 on the host, 2 in a container. */
  readonly depth: number;
}

/** Every namespace of this host that the caller may see, by type and lowest pid. Processes that end meanwhile are left out. */
export function hostNamespaces(): HostNamespace[] {
  const found = new Map<string, { type: string; inode: string; pids: number[] }>();
  for (const pid of pids()) {
    for (const { proc } of kinds) {
      const link = readLink(`/proc/${pid}/ns/${proc}`);
      if (link === undefined) continue;
      const known = found.get(link);
      if (known !== undefined) known.pids.push(pid);
      else found.set(link, { type: proc, inode: /\[(\d+)\]/.exec(link)?.[1] ?? '', pids: [pid] });
    }
  }
  const order = kinds.map(({ proc }) => proc);
  return [...found.values()]
    .map(({ type, inode, pids: [pid = 0, ...others] }) => ({ type, inode, processes: others.length + 1, pid, command: commandOf(pid), depth: depthOf(pid) }))
    .toSorted((a, b) => order.indexOf(a.type) - order.indexOf(b.type) || a.pid - b.pid);
}

/** `mnt:[4026531841]` by name, for one process, as /proc lists them. */
export function namespacesOfProcess(pid: number): [name: string, link: string][] {
  return fs.readdirSync(`/proc/${pid}/ns`).flatMap((name) => {
    const link = readLink(`/proc/${pid}/ns/${name}`);
    return link === undefined ? [] : [[name, link]];
  });
}

/** The nesting depth of a process: one for each pid namespace it has a pid in. proc_pid_status(5), NSpid */
export function depthOf(pid: number): number {
  return /^NSpid:\t(.*)$/m.exec(readText(`/proc/${pid}/status`))?.[1]?.trim().split(/\s+/).length ?? 0;
}

function commandOf(pid: number): string {
  const words = readText(`/proc/${pid}/cmdline`).split('\0').filter((word) => word !== '');
  return words.length > 0 ? words.join(' ') : `[${readText(`/proc/${pid}/comm`).trim()}]`;
}

function pids(): number[] {
  return fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).toSorted((a, b) => a - b);
}

function readLink(file: string): string | undefined {
  try {
    return fs.readlinkSync(file);
  } catch {
    return undefined;
  }
}

function readText(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
