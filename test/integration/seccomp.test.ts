// Compiled filters in the running kernel: it loads them, and they answer as they should.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { EINVAL, ENOSYS, EPERM } from '../../src/abi/errno.ts';
import { syscallNumbers, X32_SYSCALL_BIT } from '../../src/abi/syscall-numbers.ts';
import { compileSeccomp } from '../../src/seccomp/compile.ts';
import { defaultProfile } from '../../src/seccomp/default-profile.ts';
import type { SeccompProfile } from '../../src/seccomp/profile.ts';

const folder = mkdtempSync(join(tmpdir(), 'delos-seccomp-'));
const install = join(folder, 'install');
execFileSync('cc', ['-O1', '-o', install, join(import.meta.dirname, '../fixtures/seccomp-install.c')]);
after(() => rmSync(folder, { recursive: true }));

const SIGSYS = 31;

/** Makes each call in a process of its own under the profile; gives `result -1`, `signal 31`, `status 2`. */
function run(profile: SeccompProfile, ...calls: string[]): string[] {
  const { program, flags } = compileSeccomp(profile);
  const file = join(folder, 'filter');
  writeFileSync(file, program);
  return execFileSync(install, [file, String(flags), ...calls]).toString().trim().split('\n');
}

/** A call of x86-64 or, with column 1, i386. */
function call(name: string, args: readonly (number | bigint)[] = [], column: 0 | 1 = 0): string {
  return `${column ? 32 : 64}:${syscallNumbers().get(name)?.[column]}:${args.join(',')}`;
}

test('a filter is installed and refuses with its errno; the rest goes on', () => {
  const profile: SeccompProfile = {
    defaultAction: 'SCMP_ACT_ALLOW',
    syscalls: [
      { names: ['getppid'], action: 'SCMP_ACT_ERRNO', errnoRet: 77 },
      { names: ['personality'], action: 'SCMP_ACT_ERRNO', args: [{ index: 0, value: 0xffff_ffff, op: 'SCMP_CMP_EQ' }] },
      { names: ['lseek'], action: 'SCMP_ACT_ERRNO', errnoRet: 78, args: [{ index: 1, value: 0x1_0000_0000, op: 'SCMP_CMP_GE' }] },
    ],
  };
  const answers = run(profile, 'status', call('getppid'), call('personality', [0xffff_ffff]), call('lseek', [99, 0x1_0000_0000n]), call('lseek', [99, 0xffff_ffffn]));
  assert.deepEqual(answers, ['status 2', 'result -77', `result ${-EPERM}`, 'result -78', 'result -9']);
});

test('actions that kill do: the thread, the process, and by a trap', () => {
  for (const action of ['SCMP_ACT_KILL', 'SCMP_ACT_KILL_THREAD', 'SCMP_ACT_KILL_PROCESS', 'SCMP_ACT_TRAP']) {
    const profile: SeccompProfile = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['getppid'], action }] };
    assert.deepEqual(run(profile, call('getppid')), [`signal ${SIGSYS}`], action);
  }
});

test('an allowing list: listed calls work, others do not, newer ones are unknown', () => {
  const profile: SeccompProfile = { defaultAction: 'SCMP_ACT_ERRNO', syscalls: [{ names: ['umask', 'pread64', 'openat2'], action: 'SCMP_ACT_ALLOW' }] };
  const answers = run(profile, 'status', call('umask', [0o22]), call('getppid'), call('fchmodat2'), '64:100000:');
  assert.match(answers[1] ?? '', /^result \d+$/);
  assert.deepEqual([answers[0], ...answers.slice(2)], ['status 2', `result ${-EPERM}`, `result ${-ENOSYS}`, `result ${-ENOSYS}`]);
});

test('i386 and x32 calls are ruled by their own numbers where they are listed, and killed where not', () => {
  const syscalls = [{ names: ['getppid'], action: 'SCMP_ACT_ERRNO', errnoRet: 77 }];
  const x32 = `64:${X32_SYSCALL_BIT + 110}:`;
  const listed: SeccompProfile = { defaultAction: 'SCMP_ACT_ALLOW', architectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'], syscalls };
  assert.deepEqual(run(listed, call('getppid'), call('getppid', [], 1), x32), ['result -77', 'result -77', 'result -77']);
  const native: SeccompProfile = { defaultAction: 'SCMP_ACT_ALLOW', syscalls };
  assert.deepEqual(run(native, call('getppid', [], 1), x32), [`signal ${SIGSYS}`, `signal ${SIGSYS}`]);
});

test('i386 cannot walk around a rule by socketcall', () => {
  const profile: SeccompProfile = { defaultAction: 'SCMP_ACT_ALLOW', architectures: ['SCMP_ARCH_X86'], syscalls: [{ names: ['socket'], action: 'SCMP_ACT_ERRNO', errnoRet: 77 }] };
  assert.deepEqual(run(profile, call('socket', [1, 1, 0], 1), call('socketcall', [1, 0], 1), call('socketcall', [99, 0], 1)), ['result -77', 'result -77', `result ${-EINVAL}`]);
});

test('the default profile: what it refuses is refused before the kernel looks, with all flags', () => {
  const profile = { ...defaultProfile([], { major: 6, minor: 1 }), flags: ['SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_SPEC_ALLOW', 'SECCOMP_FILTER_FLAG_TSYNC'] };
  const refused = ['reboot', 'swapon', 'swapoff', 'acct', 'init_module', 'delete_module', 'kexec_load', 'open_by_handle_at', 'mount', 'bpf', 'unshare', 'io_uring_setup'];
  assert.deepEqual(run(profile, ...refused.map((name) => call(name))), refused.map(() => `result ${-EPERM}`));
  assert.deepEqual(run(profile, call('clone3'), call('socket', [40, 1, 0]), 'status'), [`result ${-ENOSYS}`, `result ${-EPERM}`, 'status 2']);
  assert.match(run(profile, call('getppid'))[0] ?? '', /^result \d+$/);
});

test('the largest filter that is compiled is one the kernel takes, and notify gives a listener', () => {
  const syscalls = Array.from({ length: 500 }, (_, value) => ({
    names: ['ioctl'], action: 'SCMP_ACT_ERRNO', errnoRet: 77,
    args: [{ index: 0, value, op: 'SCMP_CMP_EQ' }, { index: 1, value, op: 'SCMP_CMP_EQ' }],
  }));
  assert.deepEqual(run({ defaultAction: 'SCMP_ACT_ALLOW', syscalls }, call('ioctl', [499, 499]), call('ioctl', [499, 0])), ['result -77', 'result -9']);
  const flags = ['SECCOMP_FILTER_FLAG_TSYNC', 'SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'];
  const notifying: SeccompProfile = { defaultAction: 'SCMP_ACT_ALLOW', flags, listenerPath: '/run/agent', syscalls: [{ names: ['getppid'], action: 'SCMP_ACT_NOTIFY' }] };
  assert.deepEqual(run(notifying, 'status'), ['status 2']);
});
