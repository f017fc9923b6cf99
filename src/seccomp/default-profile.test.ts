import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ENOSYS, EPERM } from '../abi/errno.ts';
import { syscallNumbers, X32_SYSCALL_BIT } from '../abi/syscall-numbers.ts';
import { runClassic } from '../bpf/classic-run.ts';
import { SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO } from './action.ts';
import { AUDIT_ARCH_I386, AUDIT_ARCH_X86_64 } from './architecture.ts';
import { compileSeccomp } from './compile.ts';
import { seccompData } from './data.ts';
import { defaultProfile } from './default-profile.ts';

const eperm = SECCOMP_RET_ERRNO + EPERM;
const enosys = SECCOMP_RET_ERRNO + ENOSYS;
const kernel = { major: 6, minor: 1 };

function ask(capabilities: readonly string[], name: string, args: readonly bigint[] = [], version = kernel): number {
  const number = syscallNumbers().get(name)?.[0] ?? assert.fail(name);
  return runClassic(compileSeccomp(defaultProfile(capabilities, version)).program, seccompData(number, AUDIT_ARCH_X86_64, args));
}

test('ordinary calls pass, those on the whole machine do not', () => {
  for (const name of ['read', 'execve', 'mmap', 'futex', 'arch_prctl', 'openat2', 'ptrace', 'seccomp', 'landlock_restrict_self', 'mseal']) {
    assert.equal(ask([], name), SECCOMP_RET_ALLOW, name);
  }
  for (const name of [
    'reboot', 'swapon', 'swapoff', 'acct', 'init_module', 'finit_module', 'delete_module', 'kexec_load', 'kexec_file_load', 'open_by_handle_at', 'mount',
    'umount2', 'pivot_root', 'setns', 'unshare', 'bpf', 'perf_event_open', 'userfaultfd', 'add_key', 'request_key', 'keyctl', 'move_mount', 'open_tree',
    'fsopen', 'fsmount', 'fsconfig', 'fspick', 'io_uring_setup', 'io_uring_enter', 'io_uring_register', 'settimeofday', 'clock_settime', 'chroot',
    'syslog', 'iopl', 'ioperm', 'vhangup', 'mbind', 'kcmp', 'pidfd_getfd', 'process_madvise', 'quotactl', 'uselib', 'nfsservctl', '_sysctl',
  ]) assert.equal(ask([], name), eperm, name);
});

test('each capability opens its calls', () => {
  const opened: Record<string, string[]> = {
    CAP_BPF: ['bpf'],
    CAP_DAC_READ_SEARCH: ['open_by_handle_at'],
    CAP_PERFMON: ['perf_event_open'],
    CAP_SYSLOG: ['syslog'],
    CAP_SYS_ADMIN: ['mount', 'umount2', 'setns', 'unshare', 'clone3', 'bpf', 'fsopen', 'sethostname'],
    CAP_SYS_BOOT: ['reboot'],
    CAP_SYS_CHROOT: ['chroot'],
    CAP_SYS_MODULE: ['init_module', 'finit_module', 'delete_module'],
    CAP_SYS_NICE: ['mbind', 'set_mempolicy'],
    CAP_SYS_PACCT: ['acct'],
    CAP_SYS_PTRACE: ['kcmp', 'pidfd_getfd', 'process_madvise'],
    CAP_SYS_RAWIO: ['iopl', 'ioperm'],
    CAP_SYS_TIME: ['settimeofday', 'clock_settime'],
    CAP_SYS_TTY_CONFIG: ['vhangup'],
  };
  for (const [capability, names] of Object.entries(opened)) {
    for (const name of names) {
      assert.notEqual(ask([], name), SECCOMP_RET_ALLOW, name);
      assert.equal(ask([capability], name), SECCOMP_RET_ALLOW, `${name} with ${capability}`);
    }
  }
});

test('ptrace waits for Linux 4.8, where filters see what a tracer changed', () => {
  assert.equal(ask([], 'ptrace', [], { major: 4, minor: 7 }), eperm);
  assert.equal(ask([], 'ptrace', [], { major: 4, minor: 8 }), SECCOMP_RET_ALLOW);
  assert.equal(ask(['CAP_SYS_PTRACE'], 'ptrace', [], { major: 3, minor: 10 }), SECCOMP_RET_ALLOW);
});

test('clone makes processes and threads but no namespaces; clone3 is not there', () => {
  const threadFlags = 0x3d0f00n;
  assert.equal(ask([], 'clone', [17n]), SECCOMP_RET_ALLOW);
  assert.equal(ask([], 'clone', [threadFlags]), SECCOMP_RET_ALLOW);
  for (const flag of [0x20000n, 0x2000000n, 0x4000000n, 0x8000000n, 0x10000000n, 0x20000000n, 0x40000000n]) {
    assert.equal(ask([], 'clone', [flag | 17n]), eperm, flag.toString(16));
    assert.equal(ask(['CAP_SYS_ADMIN'], 'clone', [flag | 17n]), SECCOMP_RET_ALLOW, flag.toString(16));
  }
  assert.equal(ask([], 'clone3'), enosys);
});

test('personality and socket take the listed values alone', () => {
  for (const value of [0n, 8n, 0x20000n, 0x20008n, 0xffffffffn]) assert.equal(ask([], 'personality', [value]), SECCOMP_RET_ALLOW, String(value));
  for (const value of [1n, 9n, 0x40000n, 0x20009n, 0xfffffffen, 0x1_0000_0000n, 0xffff_ffff_ffff_ffffn]) assert.equal(ask([], 'personality', [value]), eperm, String(value));
  const refused = new Set([12, 19, 20, 23, 25, 34, 37, 38, 40, 46, 47, 1000]);
  for (const family of [...Array(48).keys(), 1000]) assert.equal(ask([], 'socket', [BigInt(family)]), refused.has(family) ? eperm : SECCOMP_RET_ALLOW, `family ${family}`);
  assert.equal(ask([], 'socket', [0x1_0000_0001n]), eperm, 'the high half counts');
});

test('i386 and x32 programs run under it too', () => {
  const { program, unknown } = compileSeccomp(defaultProfile([], kernel));
  const i386 = (name: string): number => runClassic(program, seccompData(syscallNumbers().get(name)?.[1] ?? -1, AUDIT_ARCH_I386));
  assert.equal(i386('read'), SECCOMP_RET_ALLOW);
  assert.equal(i386('socketcall'), SECCOMP_RET_ALLOW);
  assert.equal(i386('mount'), eperm);
  assert.equal(runClassic(program, seccompData(X32_SYSCALL_BIT + 520, AUDIT_ARCH_X86_64)), SECCOMP_RET_ALLOW);
  assert.deepEqual(unknown, []);
});

test('the same arguments give the same object, whatever order the capabilities come in', () => {
  assert.equal(defaultProfile(['CAP_BPF', 'CAP_CHOWN', 'CAP_SYS_BOOT'], kernel), defaultProfile(['CAP_SYS_BOOT', 'CAP_BPF'], kernel));
  assert.notEqual(defaultProfile([], kernel), defaultProfile(['CAP_BPF'], kernel));
});
