/**
 * Number 15, references 2.10.15.a-h and 2.10.20.i: a filter of system calls in a real container. What the documents got wrong and is
 * checked right here: both their lists are the wrong way round (what is listed as denied is all that is allowed, and the reverse);
 * their filter is never loaded; the architecture is not asked, so that i386 and x32 numbers walk around it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EPERM } from '../../src/abi/errno.ts';
import { X32_SYSCALL_BIT } from '../../src/abi/syscall-numbers.ts';
import { runClassic } from '../../src/bpf/classic-run.ts';
import type { Seccomp } from '../../src/oci/config/types.ts';
import * as action from '../../src/seccomp/action.ts';
import { AUDIT_ARCH_I386, AUDIT_ARCH_X86_64 } from '../../src/seccomp/architecture.ts';
import { compileSeccomp } from '../../src/seccomp/compile.ts';
import { seccompData } from '../../src/seccomp/data.ts';
import { script } from '../support/bundle.ts';
import { attempt } from '../support/container.ts';
import { skipUnless } from '../support/skip.ts';
import { capable, changes, filtered, noContainers, printed, statusLine } from './claims.ts';
import { answers, calls, callsProgram } from './system-calls.ts';

/** Arguments with which each does nothing and fails in another way than EPERM when it gets through. */
const denied = {
  reboot: [1, 2, 3], swapon: [1], swapoff: [1], acct: [1], init_module: [1, 1, 1], delete_module: [1], kexec_load: [0, 99, 0, 99], open_by_handle_at: [99, 1, 0],
};
const denylist: Seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: Object.keys(denied), action: 'SCMP_ACT_ERRNO', errnoRet: EPERM }] };
/** So that it is not for want of a capability that a call is EPERM. */
const able = capable('CAP_SYS_BOOT', 'CAP_SYS_ADMIN', 'CAP_SYS_PACCT', 'CAP_SYS_MODULE', 'CAP_DAC_READ_SEARCH');

test('test_seccomp', { skip: noContainers || skipUnless('gcc') }, async (context) => {
  await context.test('each action has the value of <linux/seccomp.h>', () => {
    assert.deepEqual({ ...action.actions }, {
      SCMP_ACT_KILL: 0, SCMP_ACT_KILL_THREAD: 0, SCMP_ACT_KILL_PROCESS: 0x80000000, SCMP_ACT_TRAP: 0x30000, SCMP_ACT_ERRNO: 0x50000,
      SCMP_ACT_NOTIFY: 0x7fc00000, SCMP_ACT_TRACE: 0x7ff00000, SCMP_ACT_LOG: 0x7ffc0000, SCMP_ACT_ALLOW: 0x7fff0000,
    });
    const { program } = compileSeccomp({ defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 38 });
    assert.equal(runClassic(program, seccompData(0, AUDIT_ARCH_X86_64)), 0x50026);
  });

  await context.test('the filter is there: Seccomp is 2, and one filter', async () => {
    const status = await printed('cat /proc/self/status', filtered(denylist));
    assert.deepEqual([statusLine(status, 'Seccomp'), statusLine(status, 'Seccomp_filters')], ['2', '1']);
    assert.equal(statusLine(await printed('cat /proc/self/status'), 'Seccomp'), '0');
  });

  await context.test('a list of what is denied: each of the eight is EPERM, and ls works', async () => {
    const output = await printed(`${calls(denied)}; ls -d /tmp`, changes(able, filtered(denylist)), { image: callsProgram });
    assert.deepEqual(answers(output.replace('/tmp\n', '')), Object.fromEntries(Object.keys(denied).map((name) => [name, EPERM])));
    assert.match(output, /\/tmp\n$/);
  });

  await context.test('without the filter none of them is EPERM: the check above can fail', async () => {
    const found = answers(await printed(calls(denied), able, { image: callsProgram }));
    assert.deepEqual(Object.entries(found).filter(([, errno]) => errno === EPERM || errno === 0), []);
  });

  await context.test('a list of what is allowed: the listed work, all others are EPERM', async () => {
    // What a static busybox and /calls begin and end with.
    const needed = ['execve', 'arch_prctl', 'set_tid_address', 'set_robust_list', 'rseq', 'prlimit64', 'readlinkat', 'readlink', 'getrandom', 'brk', 'mprotect', 'mmap', 'munmap', 'write', 'exit_group', 'getuid', 'ioctl', 'newfstatat', 'fstat'];
    const allowlist: Seccomp = { defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: EPERM, syscalls: [{ names: [...needed, 'umask'], action: 'SCMP_ACT_ALLOW' }] };
    const tried = { umask: [0o22], getppid: [], mkdir: [1], getuid: [] };
    const { stdout, stderr, status } = await attempt({
      image: callsProgram,
      config: (config) => filtered(allowlist)({ ...config, process: { ...config.process, args: calls(tried).split(' ') } }),
    });
    assert.equal(status, 0, stderr);
    assert.deepEqual(answers(stdout), { umask: 0, getppid: EPERM, mkdir: EPERM, getuid: 0 });
  });

  await context.test('a killed call ends the container with 128 and SIGSYS', async () => {
    const killing = (name: string): Seccomp => ({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['getppid'], action: name }] });
    for (const name of ['SCMP_ACT_KILL_PROCESS', 'SCMP_ACT_KILL_THREAD']) {
      const config = script(`exec ${calls({ getppid: [] })}`, filtered(killing(name)));
      // The shell asks for its parent too.
      assert.equal((await attempt({ config, image: callsProgram })).status, 128 + 31, name);
    }
  });

  await context.test('the architecture comes first: numbers of i386 and x32 do not walk around it', () => {
    const { program } = compileSeccomp(denylist);
    for (const nr of [88, 169, 56 + 1]) assert.equal(runClassic(program, seccompData(nr, AUDIT_ARCH_I386)), action.SECCOMP_RET_KILL_THREAD);
    assert.equal(runClassic(program, seccompData(X32_SYSCALL_BIT + 169, AUDIT_ARCH_X86_64)), action.SECCOMP_RET_KILL_THREAD);
    assert.equal(runClassic(program, seccompData(169, AUDIT_ARCH_X86_64)), action.SECCOMP_RET_ERRNO + EPERM);
  });
});
