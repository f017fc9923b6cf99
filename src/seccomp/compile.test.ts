import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EACCES, ENOSYS, EPERM } from '../abi/errno.ts';
import { syscallNumbers, X32_SYSCALL_BIT } from '../abi/syscall-numbers.ts';
import { runClassic } from '../bpf/classic-run.ts';
import { SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO, SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_LOG, SECCOMP_RET_TRACE, SECCOMP_RET_TRAP, SECCOMP_RET_USER_NOTIF } from './action.ts';
import { AUDIT_ARCH_I386, AUDIT_ARCH_X86_64 } from './architecture.ts';
import { compileSeccomp } from './compile.ts';
import { seccompData } from './data.ts';
import type { SeccompArgument, SeccompEntry, SeccompProfile } from './profile.ts';

const eperm = SECCOMP_RET_ERRNO + EPERM;
const enosys = SECCOMP_RET_ERRNO + ENOSYS;
const full = 0xffff_ffff_ffff_ffffn;

function ask(profile: SeccompProfile, nr: number, args: readonly bigint[] = [], arch = AUDIT_ARCH_X86_64): number {
  return runClassic(compileSeccomp(profile).program, seccompData(nr, arch, args));
}

function nr(name: string, column: 0 | 1 | 2 = 0): number {
  return syscallNumbers().get(name)?.[column] ?? assert.fail(name);
}

function allowing(entries: readonly SeccompEntry[], more: Partial<SeccompProfile> = {}): SeccompProfile {
  return { defaultAction: 'SCMP_ACT_ALLOW', syscalls: entries, ...more };
}

function denying(entries: readonly SeccompEntry[], more: Partial<SeccompProfile> = {}): SeccompProfile {
  return { defaultAction: 'SCMP_ACT_ERRNO', syscalls: entries, ...more };
}

test('every action returns the value of <linux/seccomp.h>', () => {
  const returned = (action: string, errnoRet?: number): number =>
    ask(allowing([{ names: ['getpid'], action, ...(errnoRet === undefined ? {} : { errnoRet }) }], { listenerPath: '/run/agent' }), nr('getpid'));
  assert.equal(returned('SCMP_ACT_KILL'), SECCOMP_RET_KILL_THREAD);
  assert.equal(returned('SCMP_ACT_KILL_THREAD'), 0);
  assert.equal(returned('SCMP_ACT_KILL_PROCESS'), SECCOMP_RET_KILL_PROCESS);
  assert.equal(returned('SCMP_ACT_TRAP'), SECCOMP_RET_TRAP);
  assert.equal(returned('SCMP_ACT_ERRNO'), 0x50001);
  assert.equal(returned('SCMP_ACT_ERRNO', 38), 0x50026);
  assert.equal(returned('SCMP_ACT_ERRNO', 0), 0x50000);
  assert.equal(returned('SCMP_ACT_TRACE'), SECCOMP_RET_TRACE + EPERM);
  assert.equal(returned('SCMP_ACT_TRACE', 0xffff), 0x7ff0ffff);
  assert.equal(returned('SCMP_ACT_NOTIFY'), SECCOMP_RET_USER_NOTIF);
  assert.equal(returned('SCMP_ACT_LOG'), SECCOMP_RET_LOG);
  assert.equal(ask(denying([{ names: ['getpid'], action: 'SCMP_ACT_ALLOW' }]), nr('getpid')), SECCOMP_RET_ALLOW);
});

test('a list that allows refuses the rest, and the other way round', () => {
  const allow = denying([{ names: ['read', 'write', 'exit_group'], action: 'SCMP_ACT_ALLOW' }], { defaultErrnoRet: EACCES });
  for (const name of ['read', 'write', 'exit_group']) assert.equal(ask(allow, nr(name)), SECCOMP_RET_ALLOW, name);
  for (const name of ['open', 'reboot', 'execve']) assert.equal(ask(allow, nr(name)), SECCOMP_RET_ERRNO + EACCES, name);
  const deny = allowing([{ names: ['reboot'], action: 'SCMP_ACT_ERRNO' }]);
  assert.equal(ask(deny, nr('reboot')), eperm);
  assert.equal(ask(deny, nr('reboot') - 1), SECCOMP_RET_ALLOW);
  assert.equal(ask(deny, nr('reboot') + 1), SECCOMP_RET_ALLOW);
});

const boundaries = [
  0n, 1n, 4n, 5n, 6n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_fffen, 0xffff_ffffn, 0x1_0000_0000n, 0x1_0000_0004n, 0x1_0000_0005n, 0x1_0000_0006n,
  0x4_ffff_ffffn, 0x5_0000_0000n, 0x5_0000_0005n, 0x5_ffff_ffffn, 0x6_0000_0000n, 0xffff_ffff_0000_0000n, full - 1n, full,
];

const meaning: Record<string, (left: bigint, right: bigint) => boolean> = {
  SCMP_CMP_NE: (left, right) => left !== right,
  SCMP_CMP_LT: (left, right) => left < right,
  SCMP_CMP_LE: (left, right) => left <= right,
  SCMP_CMP_EQ: (left, right) => left === right,
  SCMP_CMP_GE: (left, right) => left >= right,
  SCMP_CMP_GT: (left, right) => left > right,
};

test('the six comparisons are of 64 bits, unsigned, at every boundary of the halves', () => {
  for (const [op, expected] of Object.entries(meaning)) {
    for (const value of boundaries) {
      const profile = allowing([{ names: ['ioctl'], action: 'SCMP_ACT_ERRNO', args: [{ index: 1, value, op }] }]);
      for (const argument of boundaries) {
        const wanted = expected(argument, value) ? eperm : SECCOMP_RET_ALLOW;
        assert.equal(ask(profile, nr('ioctl'), [7n, argument]), wanted, `${argument} ${op} ${value}`);
      }
    }
  }
});

test('the masked comparison looks at the bits of its mask alone', () => {
  for (const mask of [0n, 1n, 0x7e02_0000n, 0xffff_ffffn, 0xff_0000_0000n, 0xff_0000_00ffn, full]) {
    for (const valueTwo of [0n, 1n, 0x2_0000n, 0x5_0000_0005n, full]) {
      const profile = allowing([{ names: ['clone'], action: 'SCMP_ACT_ERRNO', args: [{ index: 0, value: mask, valueTwo, op: 'SCMP_CMP_MASKED_EQ' }] }]);
      for (const argument of [...boundaries, 0x2_0000n, 0x1000_0000n]) {
        const wanted = (argument & mask) === (valueTwo & mask) ? eperm : SECCOMP_RET_ALLOW;
        assert.equal(ask(profile, nr('clone'), [argument]), wanted, `${argument} & ${mask} = ${valueTwo}`);
      }
    }
  }
});

test('conditions on different arguments must all hold; entries for one call need only one', () => {
  const both = [{ index: 0, value: 1, op: 'SCMP_CMP_EQ' }, { index: 5, value: 2 ** 40, op: 'SCMP_CMP_GE' }];
  const profile = allowing([
    { names: ['mmap'], action: 'SCMP_ACT_ERRNO', args: both },
    { names: ['mmap'], action: 'SCMP_ACT_ERRNO', args: [{ index: 2, value: 7, op: 'SCMP_CMP_EQ' }] },
  ]);
  const mmap = (...args: bigint[]): number => ask(profile, nr('mmap'), args);
  assert.equal(mmap(1n, 0n, 0n, 0n, 0n, 1n << 40n), eperm);
  assert.equal(mmap(1n, 0n, 0n, 0n, 0n, (1n << 40n) - 1n), SECCOMP_RET_ALLOW);
  assert.equal(mmap(2n, 0n, 0n, 0n, 0n, 1n << 40n), SECCOMP_RET_ALLOW);
  assert.equal(mmap(2n, 0n, 7n, 0n, 0n, 0n), eperm);
});

test('two conditions on one argument stand alone, as runc has it', () => {
  const profile = allowing([{ names: ['dup2'], action: 'SCMP_ACT_ERRNO', args: [{ index: 0, value: 3, op: 'SCMP_CMP_LT' }, { index: 0, value: 8, op: 'SCMP_CMP_GT' }] }]);
  for (const [argument, wanted] of [[2n, eperm], [3n, SECCOMP_RET_ALLOW], [8n, SECCOMP_RET_ALLOW], [9n, eperm]] as const) {
    assert.equal(ask(profile, nr('dup2'), [argument]), wanted, String(argument));
  }
});

test('an entry without conditions decides over those with, wherever it stands; of two the first', () => {
  const conditional: SeccompEntry = { names: ['kill'], action: 'SCMP_ACT_TRAP', args: [{ index: 1, value: 9, op: 'SCMP_CMP_EQ' }] };
  const always: SeccompEntry = { names: ['kill'], action: 'SCMP_ACT_ERRNO' };
  const later: SeccompEntry = { names: ['kill'], action: 'SCMP_ACT_KILL' };
  for (const entries of [[conditional, always, later], [always, later, conditional]]) assert.equal(ask(allowing(entries), nr('kill'), [1n, 9n]), eperm);
  const likeDefault: SeccompEntry = { names: ['kill'], action: 'SCMP_ACT_ALLOW' };
  assert.equal(ask(allowing([likeDefault, conditional]), nr('kill'), [1n, 9n]), SECCOMP_RET_TRAP, 'an entry like the default says nothing');
});

test('where conditions overlap, the first in the profile decides', () => {
  const profile = allowing([
    { names: ['kill'], action: 'SCMP_ACT_TRAP', args: [{ index: 1, value: 9, op: 'SCMP_CMP_EQ' }] },
    { names: ['kill'], action: 'SCMP_ACT_ERRNO', args: [{ index: 1, value: 5, op: 'SCMP_CMP_GE' }] },
    { names: ['kill'], action: 'SCMP_ACT_LOG', args: [{ index: 0, value: 1, op: 'SCMP_CMP_EQ' }] },
  ]);
  assert.equal(ask(profile, nr('kill'), [1n, 9n]), SECCOMP_RET_TRAP);
  assert.equal(ask(profile, nr('kill'), [1n, 10n]), eperm);
  assert.equal(ask(profile, nr('kill'), [1n, 4n]), SECCOMP_RET_LOG);
  assert.equal(ask(profile, nr('kill'), [2n, 4n]), SECCOMP_RET_ALLOW);
});

test('each listed ABI has its own numbers; an ABI that is not listed is killed', () => {
  const entries: SeccompEntry[] = [{ names: ['execve', 'getpid'], action: 'SCMP_ACT_ALLOW' }];
  const all = denying(entries, { architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'] });
  assert.equal(ask(all, nr('execve')), SECCOMP_RET_ALLOW);
  assert.equal(ask(all, nr('execve', 1), [], AUDIT_ARCH_I386), SECCOMP_RET_ALLOW);
  assert.equal(ask(all, nr('execve'), [], AUDIT_ARCH_I386), enosys, '59 is oldolduname there, and above 20 and 11');
  assert.equal(ask(all, X32_SYSCALL_BIT + nr('execve', 2)), SECCOMP_RET_ALLOW);
  assert.equal(ask(all, X32_SYSCALL_BIT + nr('execve', 0)), eperm);
  const native = denying(entries);
  for (const profile of [native, denying(entries, { architectures: ['SCMP_ARCH_AARCH64'] })]) {
    assert.equal(ask(profile, nr('execve')), SECCOMP_RET_ALLOW);
    assert.equal(ask(profile, nr('execve', 1), [], AUDIT_ARCH_I386), SECCOMP_RET_KILL_THREAD);
    assert.equal(ask(profile, X32_SYSCALL_BIT), SECCOMP_RET_KILL_THREAD);
    assert.equal(ask(profile, X32_SYSCALL_BIT + nr('execve', 2)), SECCOMP_RET_KILL_THREAD);
    assert.equal(ask(profile, 0xffff_fffe), SECCOMP_RET_KILL_THREAD);
    assert.equal(ask(profile, 0xffff_ffff), eperm, '-1 is a call that a tracer skipped');
  }
  assert.equal(ask(all, nr('execve'), [], 0xc000_00b7), SECCOMP_RET_KILL_THREAD);
});

test('32-bit ABIs compare the low 32 bits, as libseccomp does', () => {
  const profile = allowing([{ names: ['personality'], action: 'SCMP_ACT_ERRNO', args: [{ index: 0, value: full, op: 'SCMP_CMP_EQ' }] }], { architectures: ['SCMP_ARCH_X86', 'SCMP_ARCH_X32'] });
  assert.equal(ask(profile, nr('personality'), [0xffff_ffffn]), SECCOMP_RET_ALLOW);
  assert.equal(ask(profile, nr('personality', 1), [0xffff_ffffn], AUDIT_ARCH_I386), eperm);
  assert.equal(ask(profile, X32_SYSCALL_BIT + nr('personality', 2), [0x1_ffff_ffffn]), eperm);
});

test('socketcall and ipc are no way around the rules of what they stand for', () => {
  const architectures = ['SCMP_ARCH_X86'];
  const i386 = (profile: SeccompProfile, name: string, ...args: bigint[]): number => ask(profile, nr(name, 1), args, AUDIT_ARCH_I386);
  const deny = allowing([{ names: ['bind', 'shmat'], action: 'SCMP_ACT_ERRNO' }], { architectures });
  assert.equal(i386(deny, 'bind'), eperm);
  assert.equal(i386(deny, 'socketcall', 2n), eperm);
  assert.equal(i386(deny, 'socketcall', 3n), SECCOMP_RET_ALLOW);
  assert.equal(i386(deny, 'ipc', 21n), eperm);
  assert.equal(i386(deny, 'ipc', 22n), SECCOMP_RET_ALLOW);
  const vsock: SeccompArgument = { index: 0, value: 40, op: 'SCMP_CMP_EQ' };
  assert.equal(i386(allowing([{ names: ['socket'], action: 'SCMP_ACT_ERRNO', args: [vsock] }], { architectures }), 'socketcall', 1n), eperm, 'refused unseen');
  const onlyUnix = denying([{ names: ['socket'], action: 'SCMP_ACT_ALLOW', args: [{ index: 0, value: 1, op: 'SCMP_CMP_EQ' }] }], { architectures });
  assert.equal(i386(onlyUnix, 'socket', 1n), SECCOMP_RET_ALLOW);
  assert.equal(i386(onlyUnix, 'socketcall', 1n), eperm, 'not allowed unseen');
  assert.equal(i386(denying([{ names: ['socketcall', 'bind'], action: 'SCMP_ACT_ALLOW' }], { architectures }), 'socketcall', 1n), SECCOMP_RET_ALLOW);
});

test('calls newer than the profile get ENOSYS, unless the default lets them through', () => {
  const newest = nr('openat2');
  const profile = denying([{ names: ['read', 'openat2'], action: 'SCMP_ACT_ALLOW' }], { architectures: ['SCMP_ARCH_X32'] });
  assert.equal(ask(profile, newest - 1), eperm);
  assert.equal(ask(profile, newest), SECCOMP_RET_ALLOW);
  for (const above of [newest + 1, 1000, X32_SYSCALL_BIT - 1, X32_SYSCALL_BIT + newest + 1, 0xffff_ffff]) assert.equal(ask(profile, above), enosys, String(above));
  const killing: SeccompProfile = { defaultAction: 'SCMP_ACT_KILL_PROCESS', syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW' }] };
  assert.equal(ask(killing, 1), enosys);
  for (const defaultAction of ['SCMP_ACT_ALLOW', 'SCMP_ACT_LOG', 'SCMP_ACT_TRACE']) {
    const open: SeccompProfile = { defaultAction, syscalls: [{ names: ['read'], action: 'SCMP_ACT_KILL' }] };
    assert.equal(ask(open, 5000), ask(open, 1), defaultAction);
  }
  assert.equal(ask({ defaultAction: 'SCMP_ACT_ERRNO' }, 5000), eperm, 'a profile that names nothing knows no newest');
  const likeDefault = denying([{ names: ['fchmodat2'], action: 'SCMP_ACT_ERRNO' }]);
  assert.equal(ask(likeDefault, nr('fchmodat2')), eperm, 'named, so known');
});

test('names that are no system call are reported and have no effect', () => {
  const result = compileSeccomp(denying([{ names: ['read', 'no_such_call', 'riscv_hwprobe', 'recv'], action: 'SCMP_ACT_ALLOW' }]));
  assert.deepEqual(result.unknown, ['no_such_call', 'riscv_hwprobe']);
});

test('flags are those of seccomp(2), mended where the kernel would refuse them', () => {
  const given = (flags: string[], action = 'SCMP_ACT_ERRNO'): [number, boolean] => {
    const compiled = compileSeccomp(allowing([{ names: ['mkdir'], action }], { flags, listenerPath: '/run/agent' }));
    return [compiled.flags, compiled.needsListener];
  };
  assert.deepEqual(given([]), [0, false]);
  assert.deepEqual(given(['SECCOMP_FILTER_FLAG_TSYNC', 'SECCOMP_FILTER_FLAG_LOG', 'SECCOMP_FILTER_FLAG_SPEC_ALLOW']), [7, false]);
  assert.deepEqual(given([], 'SCMP_ACT_NOTIFY'), [8, true]);
  assert.deepEqual(given(['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV'], 'SCMP_ACT_NOTIFY'), [40, true]);
  assert.deepEqual(given(['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV']), [0, false]);
  assert.deepEqual(given(['SECCOMP_FILTER_FLAG_TSYNC'], 'SCMP_ACT_NOTIFY'), [1 | 8 | 16, true]);
});

function refused(profile: SeccompProfile): { message: string; field: unknown } {
  try {
    compileSeccomp(profile);
  } catch (error) {
    assert.ok(error instanceof Error && 'detail' in error && 'code' in error, String(error));
    assert.equal(error.code, 'bad-config');
    return { message: error.message, field: (error.detail as { field?: unknown }).field };
  }
  return assert.fail('nothing was refused');
}

test('what is wrong in a profile is said in one line with its place', () => {
  const entry: SeccompEntry = { names: ['read'], action: 'SCMP_ACT_ERRNO' };
  const argument: SeccompArgument = { index: 0, value: 0, op: 'SCMP_CMP_EQ' };
  assert.deepEqual(refused(allowing([entry, entry, entry, { ...entry, args: [{ ...argument, index: 6 }] }])), {
    message: 'linux.seccomp.syscalls[3].args[0].index: expected 0 to 5, found 6', field: '/linux/seccomp/syscalls/3/args/0/index',
  });
  const fields: [SeccompProfile, string][] = [
    [{ defaultAction: 'ALLOW' }, '/defaultAction'],
    [{ defaultAction: 'toString' }, '/defaultAction'],
    [{ defaultAction: 'SCMP_ACT_NOTIFY' }, '/defaultAction'],
    [{ defaultAction: 'SCMP_ACT_ERRNO', defaultErrnoRet: 4096 }, '/defaultErrnoRet'],
    [{ defaultAction: 'SCMP_ACT_ALLOW', defaultErrnoRet: 1 }, '/defaultErrnoRet'],
    [allowing([], { architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_VAX'] }), '/architectures/1'],
    [allowing([], { architectures: ['constructor'] }), '/architectures/0'],
    [allowing([], { flags: ['SECCOMP_FILTER_FLAG_NEW_LISTENER'] }), '/flags/0'],
    [allowing([{ names: [], action: 'SCMP_ACT_ERRNO' }]), '/syscalls/0/names'],
    [allowing([{ names: ['read', ''], action: 'SCMP_ACT_ERRNO' }]), '/syscalls/0/names/1'],
    [allowing([{ names: ['read'], action: 'deny' }]), '/syscalls/0/action'],
    [allowing([{ names: ['read'], action: 'SCMP_ACT_KILL', errnoRet: 1 }]), '/syscalls/0/errnoRet'],
    [allowing([{ ...entry, errnoRet: -1 }]), '/syscalls/0/errnoRet'],
    [allowing([{ names: ['read'], action: 'SCMP_ACT_TRACE', errnoRet: 0x10000 }]), '/syscalls/0/errnoRet'],
    [allowing([{ ...entry, args: [{ ...argument, op: 'EQ' }] }]), '/syscalls/0/args/0/op'],
    [allowing([{ ...entry, args: [argument, { ...argument, value: -1 }] }]), '/syscalls/0/args/1/value'],
    [allowing([{ ...entry, args: [{ ...argument, value: 2 ** 53 }] }]), '/syscalls/0/args/0/value'],
    [allowing([{ ...entry, args: [{ ...argument, value: 1n << 64n }] }]), '/syscalls/0/args/0/value'],
    [allowing([{ ...entry, args: [{ ...argument, valueTwo: 0.5 }] }]), '/syscalls/0/args/0/valueTwo'],
    [allowing([{ names: ['read'], action: 'SCMP_ACT_NOTIFY' }]), '/listenerPath'],
  ];
  for (const [profile, field] of fields) {
    const { message, field: found } = refused(profile);
    assert.equal(found, `/linux/seccomp${field}`);
    assert.match(message, /^linux\.seccomp\.[^\n]+: [^\n]+$/);
  }
});

test('a program that the kernel would not take is refused, and the largest that fits runs right', () => {
  const rules = (count: number): SeccompProfile => allowing(Array.from({ length: count }, (_, value): SeccompEntry => ({
    names: ['ioctl'], action: 'SCMP_ACT_ERRNO', args: [{ index: 0, value, op: 'SCMP_CMP_EQ' }, { index: 1, value, op: 'SCMP_CMP_EQ' }],
  })));
  assert.match(refused(rules(600)).message, /^linux\.seccomp\.syscalls: needs a program of \d+ instructions, the kernel takes 4096$/);
  const profile = rules(500);
  for (const value of [0n, 255n, 256n, 499n]) assert.equal(ask(profile, nr('ioctl'), [value, value]), eperm, String(value));
  assert.equal(ask(profile, nr('ioctl'), [3n, 4n]), SECCOMP_RET_ALLOW);
});

test('a call without conditions is found in at most a binary search\'s steps', () => {
  const names = [...syscallNumbers()].filter(([, [number]]) => number >= 0 && number % 2 === 0).map(([name]) => name);
  const { program } = compileSeccomp(denying([{ names, action: 'SCMP_ACT_ALLOW' }]));
  // Two loads, the ABI, log2 of some 400 ranges, a long jump, the return.
  const ranges = 2 * names.length;
  const longest = longestWay(program);
  assert.ok(longest <= 2 + 1 + Math.ceil(Math.log2(ranges)) + 3 + 1, `${longest} instructions for ${ranges} ranges`);
});

/** The most instructions a filter runs before it returns. */
function longestWay(program: Uint8Array): number {
  const view = new DataView(program.buffer, program.byteOffset);
  const longest: number[] = [];
  for (let at = program.length / 8 - 1; at >= 0; at--) {
    const code = view.getUint16(at * 8, true);
    const jumps = (code & 7) === 5;
    const goals = !jumps ? [0] : code === 5 ? [view.getUint32(at * 8 + 4, true)] : [view.getUint8(at * 8 + 2), view.getUint8(at * 8 + 3)];
    longest[at] = code === 6 ? 1 : 1 + Math.max(...goals.map((distance) => longest[at + 1 + distance] ?? 0));
  }
  return longest[0] ?? 0;
}
