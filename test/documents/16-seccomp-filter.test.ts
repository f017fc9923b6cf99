/**
 * Number 16, references 2.10.16.a-h: conditions on arguments, several rules, no_new_privs, docker's profile. What the document got
 * wrong and is checked right here: its profile of twelve calls lets no program start; its conditions lose the upper 32 bits; "always"
 * as a rule without conditions does not compile; the filter is "applied" without being loaded.
 */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { EPERM, ENOSYS } from '../../src/abi/errno.ts';
import { syscallNumbers } from '../../src/abi/syscall-numbers.ts';
import { runClassic } from '../../src/bpf/classic-run.ts';
import type { Seccomp, SeccompArg } from '../../src/oci/config/types.ts';
import { SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO } from '../../src/seccomp/action.ts';
import { AUDIT_ARCH_X86_64 } from '../../src/seccomp/architecture.ts';
import { compileSeccomp } from '../../src/seccomp/compile.ts';
import { defaultProfile } from '../../src/seccomp/default-profile.ts';
import { seccompData } from '../../src/seccomp/data.ts';
import type { Bundle, TestConfig } from '../support/bundle.ts';
import { compileInto } from '../support/program.ts';
import { skipUnless } from '../support/skip.ts';
import { capable, changes, filtered, noContainers, planned, printed, refusal, statusLine } from './claims.ts';
import { answers, calls, callsProgram } from './system-calls.ts';

const nr = (name: string): number => syscallNumbers().get(name)?.[0] ?? assert.fail(name);
const minimal = ['CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FSETID', 'CAP_FOWNER', 'CAP_SETGID', 'CAP_SETUID', 'CAP_SETPCAP', 'CAP_NET_BIND_SERVICE', 'CAP_SYS_CHROOT', 'CAP_KILL', 'CAP_AUDIT_WRITE'];

/** Whether ioctl with these arguments is refused by the rules, each a list of conditions. */
function refuses(rules: readonly (readonly SeccompArg[])[], args: readonly bigint[]): boolean {
  const profile: Seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: rules.map((conditions) => ({ names: ['ioctl'], action: 'SCMP_ACT_ERRNO', args: conditions })) };
  const answer = runClassic(compileSeccomp(profile).program, seccompData(nr('ioctl'), AUDIT_ARCH_X86_64, args));
  assert.ok(answer === SECCOMP_RET_ALLOW || answer === SECCOMP_RET_ERRNO + EPERM);
  return answer !== SECCOMP_RET_ALLOW;
}

/** What may follow 5 and 2^32 - 1 in each comparison: 4, 5, 6 and the values about the border of the halves. */
const tried = [4n, 5n, 6n, 0xffff_fffen, 0xffff_ffffn, 0x1_0000_0000n, 0x1_0000_0005n];

test('test_seccomp_filter', { skip: noContainers || skipUnless('gcc') }, async (context) => {
  await context.test('every comparison is of 64 bits', () => {
    const which = (op: string, value: number): bigint[] => tried.filter((argument) => refuses([[{ index: 1, value, op }]], [0n, argument]));
    assert.deepEqual(which('SCMP_CMP_EQ', 5), [5n]);
    assert.deepEqual(which('SCMP_CMP_NE', 5), tried.filter((value) => value !== 5n));
    assert.deepEqual(which('SCMP_CMP_LT', 5), [4n]);
    assert.deepEqual(which('SCMP_CMP_LE', 5), [4n, 5n]);
    assert.deepEqual(which('SCMP_CMP_GT', 0xffff_ffff), [0x1_0000_0000n, 0x1_0000_0005n]);
    assert.deepEqual(which('SCMP_CMP_GE', 0xffff_ffff), [0xffff_ffffn, 0x1_0000_0000n, 0x1_0000_0005n]);
    const masked: SeccompArg = { index: 1, value: 0x1_0000_000f, valueTwo: 5, op: 'SCMP_CMP_MASKED_EQ' };
    assert.deepEqual(tried.filter((argument) => refuses([[masked]], [0n, argument])), [5n]);
  });

  await context.test('there are six arguments: a seventh is refused by name', async () => {
    for (let index = 0; index < 6; index++) assert.ok(refuses([[{ index, value: 7, op: 'SCMP_CMP_EQ' }]], Array.from({ length: 6 }, (_, at) => (at === index ? 7n : 0n))));
    const seventh: Seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['ioctl'], action: 'SCMP_ACT_ERRNO', args: [{ index: 6, value: 0, op: 'SCMP_CMP_EQ' }] }] };
    assert.match(await refusal(filtered(seventh)), /^linux\.seccomp\.syscalls\[0\]\.args\[0\]\.index: expected .*5, found 6$/);
  });

  await context.test('conditions of a rule are and, rules of a call are or, and a rule without any always holds', () => {
    const [first, second]: SeccompArg[] = [{ index: 0, value: 1, op: 'SCMP_CMP_EQ' }, { index: 1, value: 2, op: 'SCMP_CMP_EQ' }];
    assert.ok(first && second);
    const asked: bigint[][] = [[1n, 2n], [1n, 3n], [3n, 2n], [3n, 3n]];
    assert.deepEqual(asked.map((args) => refuses([[first, second]], args)), [true, false, false, false]);
    assert.deepEqual(asked.map((args) => refuses([[first], [second]], args)), [true, true, true, false]);
    assert.deepEqual(asked.map((args) => refuses([[]], args)), [true, true, true, true]);
  });

  await context.test('the kernel agrees, across the border of the halves', async () => {
    const big: Seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['lseek'], action: 'SCMP_ACT_ERRNO', errnoRet: 77, args: [{ index: 1, value: 0x1_0000_0000, op: 'SCMP_CMP_GE' }] }] };
    const lines = (await printed(`${calls({ lseek: [99, 0xffff_ffffn] })}; ${calls({ lseek: [99, 0x1_0000_0000n] })}`, filtered(big), { image: callsProgram })).trimEnd().split('\n');
    assert.deepEqual(lines, ['lseek 9', 'lseek 77']);
  });

  await context.test('no_new_privs comes before the filter, the filter before the program and after all else', async () => {
    const steps = planned(changes(capable(...minimal), filtered(defaultProfile(minimal, { major: 6, minor: 1 })))).filter(({ section }) => section === 'init');
    const at = (pattern: RegExp): number => steps.findLastIndex(({ call, arguments: words }) => pattern.test(`${call} ${Object.values(words).join(' ')}`));
    const places = [at(/^capset/), at(/^prctl PR_SET_NO_NEW_PRIVS/), at(/^seccomp/), at(/^execve/)];
    assert.ok(places.every((place) => place >= 0), places.join(' '));
    const [, privileges = 0, filter = 0, program = 0] = places;
    assert.ok(privileges < filter && filter < program && (places[0] ?? 0) < program, places.join(' '));
    const status = await printed('cat /proc/self/status', filtered(defaultProfile(minimal, { major: 6, minor: 1 })));
    assert.deepEqual([statusLine(status, 'NoNewPrivs'), statusLine(status, 'Seccomp')], ['1', '2']);
  });

  await context.test('a set-uid program gains nothing, and without no_new_privs root', async () => {
    const asUser = (noNewPrivileges: boolean) => (config: TestConfig): TestConfig => ({ ...config, process: { ...config.process, noNewPrivileges, user: { uid: 1000, gid: 1000 } } });
    const image = (rootfs: string, bundle: Bundle): void => {
      compileInto(bundle, 'ids', '#include <stdio.h>\n#include <unistd.h>\nint main(void) { printf("%d %d\\n", getuid(), geteuid()); }');
      fs.chmodSync(path.join(rootfs, 'ids'), 0o4755);
    };
    assert.equal(await printed('/ids', asUser(true), { image }), '1000 1000\n');
    assert.equal(await printed('/ids', asUser(false), { image }), '1000 0\n');
  });

  await context.test('docker\'s profile: programs run, what acts on the whole machine is EPERM, clone3 ENOSYS', async () => {
    const asked = { reboot: [1, 2, 3], init_module: [1, 1, 1], mount: [1, 1, 1], kexec_load: [0, 99, 0, 99], bpf: [99], unshare: [0], setns: [99], pivot_root: [1, 1], add_key: [], keyctl: [99], userfaultfd: [], io_uring_setup: [], clone3: [] };
    const output = await printed(`ls -d /tmp; ${calls(asked)}`, changes(capable(...minimal), filtered(defaultProfile(minimal, { major: 6, minor: 1 }))), { image: callsProgram });
    const { clone3, ...others } = answers(output.replace('/tmp\n', ''));
    assert.equal(clone3, ENOSYS);
    assert.deepEqual(Object.entries(others).filter(([, errno]) => errno !== EPERM), []);
    assert.equal(Object.keys(others).length, 12);
  });

  await context.test('ptrace is refused before Linux 4.8, where it was a way around every filter, and allowed since', () => {
    const answer = (major: number, minor: number): number => runClassic(compileSeccomp(defaultProfile(minimal, { major, minor })).program, seccompData(nr('ptrace'), AUDIT_ARCH_X86_64));
    assert.deepEqual([answer(4, 7), answer(4, 8)], [SECCOMP_RET_ERRNO + EPERM, SECCOMP_RET_ALLOW]);
  });

  await context.test('under it Node runs too', async () => {
    const folders = ['/usr', '/lib', '/lib64'].filter((folder) => fs.existsSync(folder));
    const change = (config: TestConfig): TestConfig => changes(capable(...minimal), filtered(defaultProfile(minimal, { major: 6, minor: 1 })))({
      ...config,
      mounts: [...config.mounts, ...folders.map((folder) => ({ destination: folder, type: 'bind', source: fs.realpathSync(folder), options: ['rbind', 'ro'] })),
        { destination: '/node', type: 'bind', source: path.dirname(fs.realpathSync(process.execPath)), options: ['rbind', 'ro'] }],
    });
    assert.equal(await printed('/node/node -e "require(\'node:child_process\').execFileSync(\'/bin/echo\', [6 * 7], { stdio: \'inherit\' })"', change), '42\n');
  });
});
