import fs from 'node:fs';
import path from 'node:path';
import { capabilityNames } from './capability-mask.ts';
import type { CgroupPaths } from '../../cgroup/path.ts';

/**
 * What really holds a process, as the kernel says it now: its namespaces, its rights, and the limits of its cgroup. proc(5), cgroups(7)
 * @param pid a process that lives
 */
export function isolationOf(pid: number, cgroup: CgroupPaths): { Namespaces: object; Security: object; Cgroup: object } {
  return { Namespaces: namespacesOf(pid), Security: securityOf(pid), Cgroup: limitsOf(cgroup) };
}

function namespacesOf(pid: number): Record<string, { Id: string; Own: boolean }> {
  const names = ['mnt', 'pid', 'net', 'ipc', 'uts', 'user', 'cgroup', 'time'];
  return Object.fromEntries(names.map((name) => {
    const id = linkOf(`/proc/${pid}/ns/${name}`);
    return [name, { Id: id, Own: id !== linkOf(`/proc/self/ns/${name}`) }];
  }));
}

function linkOf(file: string): string {
  try {
    return fs.readlinkSync(file);
  } catch {
    return '';
  }
}

const seccompModes = ['disabled', 'strict', 'filter'];

function securityOf(pid: number): object {
  const status = new Map(textOf(`/proc/${pid}/status`).split('\n').map((line) => line.split(':\t') as [string, string]));
  const capabilities = (field: string): string[] => capabilityNames(BigInt(`0x${status.get(field) ?? '0'}`));
  return {
    Uid: Number(status.get('Uid')?.split('\t')[1] ?? 0), Gid: Number(status.get('Gid')?.split('\t')[1] ?? 0),
    UidMap: mapOf(`/proc/${pid}/uid_map`), GidMap: mapOf(`/proc/${pid}/gid_map`),
    Effective: capabilities('CapEff'), Bounding: capabilities('CapBnd'),
    NoNewPrivileges: status.get('NoNewPrivs') === '1', Seccomp: seccompModes[Number(status.get('Seccomp') ?? 0)] ?? '',
    AppArmor: textOf(`/proc/${pid}/attr/apparmor/current`).trim(),
  };
}

function mapOf(file: string): number[][] {
  return textOf(file).split('\n').filter((line) => line !== '').map((line) => line.trim().split(/\s+/).map(Number));
}

/** The files of limits, of v1 and v2; each is in the cgroup of its controller. */
const limitFiles: readonly (readonly [controller: string, file: string])[] = [
  ['memory', 'memory.limit_in_bytes'], ['memory', 'memory.soft_limit_in_bytes'], ['cpu', 'cpu.shares'], ['cpu', 'cpu.cfs_quota_us'], ['cpu', 'cpu.cfs_period_us'],
  ['cpuset', 'cpuset.cpus'], ['cpuset', 'cpuset.mems'], ['pids', 'pids.max'],
  ['', 'memory.max'], ['', 'memory.high'], ['', 'memory.swap.max'], ['', 'cpu.max'], ['', 'cpu.weight'], ['', 'cpuset.cpus'], ['', 'pids.max'], ['', 'io.max'],
];

function limitsOf(cgroup: CgroupPaths): object {
  const limits = limitFiles.flatMap(([controller, file]) => {
    const directory = cgroup[controller];
    const text = directory === undefined ? '' : textOf(path.join(directory, file)).trim();
    return text === '' ? [] : [[file, text]];
  });
  return { Paths: cgroup, Limits: Object.fromEntries(limits) as Record<string, string> };
}

function textOf(file: string): string {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
