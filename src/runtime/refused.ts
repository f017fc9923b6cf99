import { DelosError } from '../lib/errors.ts';
import { pathSearch } from '../oci/program.ts';
import type { Refusal } from '../plan/refusal.ts';
import { errnoText } from './errno-text.ts';

/** `/mounts/0/options` as `mounts[0].options`; words that are no pointer stay as they are. */
export function fieldText(pointer: string): string {
  if (!pointer.startsWith('/')) return pointer;
  return pointer.slice(1).split('/').map((name, index) => (/^\d+$/.test(name) ? `[${name}]` : `${index > 0 ? '.' : ''}${name.replaceAll('~1', '/')}`)).join('');
}

/** The error of a plan that was refused: which field asked, which call, which errno, and what usually helps. */
export function refusedError(refusal: Refusal): DelosError {
  const field = fieldText(refusal.why);
  if (refusal.call === 'wait') return hookError(refusal, field);
  if (isDeadChannel(refusal)) {
    return new DelosError('interrupted', `${field}: the other process of the plan died`, { call: refusal.call });
  }
  if (isProgramCall(refusal)) return programError(refusal);
  const reason = refusal.errno === '' ? `gave ${refusal.result}` : `${refusal.errno} (${errnoText(refusal.errno)})`;
  const hint = hintFor(refusal);
  return new DelosError('kernel-refused', `${field}: ${refusal.text}: ${reason}${hint ? `; ${hint}` : ''}`, {
    call: refusal.call, errno: refusal.errno, field: refusal.why,
  });
}

/** The other end closed: nothing to read, or something that was never read, or nobody to write to. */
function isDeadChannel({ call, errno }: Refusal): boolean {
  return (call === 'read' && (errno === '' || errno === 'ECONNRESET')) || (call === 'write' && errno === 'EPIPE');
}

function hookError(refusal: Refusal, field: string): DelosError {
  const how = refusal.errno === 'ETIMEDOUT' ? 'did not end within its timeout and was killed' : `exited with ${refusal.result}`;
  return new DelosError('hook-failed', `${field}: the program ${how}`, { field: refusal.why });
}

function isProgramCall({ call, errno, why }: Refusal): boolean {
  const isSearch = why === '/process/args/0' || why === pathSearch;
  return (isSearch && (call === 'faccessat2' || errno === 'EISDIR')) || (call === 'execve' && why.startsWith('/process/args'));
}

/** The words that podman and docker look for to tell exit code 127 from 126. */
function programError(refusal: Refusal): DelosError {
  const path = /path: ("(?:[^"\\]|\\.)*")/.exec(refusal.text)?.[1] ?? '""';
  const missing = refusal.errno === 'ENOENT' || refusal.errno === 'ENOTDIR';
  const bare = JSON.stringify((JSON.parse(path) as string).split('/').at(-1));
  const message = missing && refusal.why === pathSearch
    ? `process.args[0]: exec: ${bare}: executable file not found in $PATH: no such file or directory (last tried ${path})`
    : `process.args[0]: exec: ${path}: ${refusal.errno === 'EISDIR' ? 'is a directory' : errnoText(refusal.errno).toLowerCase()}${execHint(refusal)}`;
  return new DelosError('kernel-refused', message, { call: refusal.call, errno: refusal.errno, field: '/process/args/0' });
}

function execHint({ call, errno }: Refusal): string {
  if (errno === 'ENOENT' && call === 'execve') return '; the file is there, so its interpreter (the `#!` line, or the ELF loader) is missing';
  if (errno === 'ENOEXEC') return '; it is no program for this machine, or a script without `#!`';
  return '';
}

interface Hint {
  readonly call: string;
  readonly errno: string;
  readonly field?: string;
  readonly hint: string;
}

/** What usually helps. The first row that fits is taken. */
const hints: readonly Hint[] = [
  { call: 'move_mount', errno: 'EINVAL', field: '/root', hint: 'is the mount that holds the root file system shared with another namespace?' },
  { call: 'openat2', errno: 'ELOOP', field: '/mounts', hint: 'the image has a symbolic link at the place of the mount' },
  { call: 'openat2', errno: 'ELOOP', field: '/process/cwd', hint: 'the working directory leads through /proc, out of the container' },
  { call: 'openat2', errno: 'EROFS', hint: 'the root file system is read-only and the place is missing: make it in the image' },
  { call: 'mkdirat', errno: 'EROFS', hint: 'the root file system is read-only and the place is missing: make it in the image' },
  { call: 'openat', errno: 'EISDIR', field: 'what the container is known by', hint: 'it was deleted while it was made' },
  { call: 'rename', errno: 'ENOENT', field: 'the container is built', hint: 'it was deleted while it was made' },
  { call: 'prlimit64', errno: 'EPERM', hint: 'raising a hard limit needs CAP_SYS_RESOURCE, which this process does not have' },
  { call: 'setgroups', errno: 'EPERM', hint: 'without newgidmap a user namespace cannot change its groups' },
  { call: 'setresuid', errno: 'EINVAL', hint: 'the id is not mapped: see linux.uidMappings' },
  { call: 'setresgid', errno: 'EINVAL', hint: 'the id is not mapped: see linux.gidMappings' },
  { call: 'setns', errno: 'EINVAL', hint: 'the path is a namespace of another type' },
  { call: 'setns', errno: 'EPERM', hint: 'the namespace belongs to another user namespace' },
  { call: 'clone3', errno: 'EPERM', hint: 'are user namespaces allowed? see `delos doctor`' },
  { call: 'clone3', errno: 'ENOSPC', hint: 'the limit of namespaces is reached: /proc/sys/user/max_*_namespaces' },
  { call: 'fsopen', errno: 'ENODEV', hint: 'this kernel does not know the file system' },
  { call: 'fsconfig', errno: 'EINVAL', field: '/mounts', hint: 'the file system does not know the option' },
  { call: 'fsmount', errno: 'EPERM', hint: 'a user namespace may mount it only when nothing of it is hidden outside' },
  { call: 'seccomp', errno: 'EACCES', hint: 'without process.noNewPrivileges a filter needs CAP_SYS_ADMIN' },
  { call: 'openat', errno: 'ENOENT', field: '/linux/sysctl', hint: 'this kernel has no such parameter' },
  { call: 'write', errno: 'EINVAL', field: '/linux/resources', hint: 'the kernel does not take this value' },
  { call: 'write', errno: 'EPERM', field: '/linux/uidMappings', hint: 'an unprivileged process can map its own id only; more needs newuidmap and /etc/subuid' },
  { call: 'mkdir', errno: 'EACCES', field: '/linux/cgroupsPath', hint: 'the cgroup is not delegated to this user: see `delos doctor`' },
];

function hintFor({ call, errno, why }: Refusal): string | undefined {
  return hints.find((row) => row.call === call && row.errno === errno && (row.field === undefined || why.startsWith(row.field)))?.hint;
}
