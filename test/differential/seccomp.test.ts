// Our filters and libseccomp's for the same profile: the same answer to the same call. libseccomp is what runc and crun use.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { abis, syscallNumbers, X32_SYSCALL_BIT } from '../../src/abi/syscall-numbers.ts';
import { runClassic } from '../../src/bpf/classic-run.ts';
import { parseAction } from '../../src/seccomp/action.ts';
import { AUDIT_ARCH_I386, AUDIT_ARCH_X86_64 } from '../../src/seccomp/architecture.ts';
import { compileSeccomp } from '../../src/seccomp/compile.ts';
import { operators } from '../../src/seccomp/condition.ts';
import { seccompData } from '../../src/seccomp/data.ts';
import { defaultProfile } from '../../src/seccomp/default-profile.ts';
import type { SeccompCall } from '../../src/seccomp/evaluate.ts';
import { multiplexed } from '../../src/seccomp/multiplexer.ts';
import type { SeccompArgument, SeccompProfile } from '../../src/seccomp/profile.ts';
import { pick, randomCall, randomFrom, randomProfile } from '../fixtures/seccomp-profile.ts';

const header = '/usr/include/seccomp.h';
const skip = existsSync(header) ? false : `${header} is missing: install libseccomp-dev to compare with libseccomp`;
const folder = mkdtempSync(join(tmpdir(), 'delos-seccomp-'));
const oracle = join(folder, 'oracle');
if (!skip) execFileSync('cc', ['-O1', '-o', oracle, join(import.meta.dirname, '../fixtures/seccomp-oracle.c'), '-lseccomp']);
after(() => rmSync(folder, { recursive: true }));

interface Answer {
  readonly program: Uint8Array;
  /** Names that this libseccomp does not know. */
  readonly unknown: ReadonlySet<string>;
}

/** libseccomp's filter; undefined if it refuses the profile (it does for equal conditions with different actions). */
function libseccomp(profile: SeccompProfile): Answer | undefined {
  const { status, stdout, stderr } = spawnSync(oracle, { input: oracleLines(profile).join('\n') });
  if (status === 3) return undefined;
  assert.equal(status, 0, stderr.toString());
  return { program: stdout, unknown: new Set([...stderr.toString().matchAll(/^unknown (.*)$/gm)].map(([, name]) => name ?? '')) };
}

/** The profile as the oracle reads it, prepared as runc does: entries like the default left out, repeated arguments taken apart. */
function oracleLines(profile: SeccompProfile): string[] {
  const action = (name: string, errnoRet: number | undefined): number => parseAction(name, errnoRet, [], []);
  const defaultAction = action(profile.defaultAction, profile.defaultErrnoRet);
  const lines = [`default ${defaultAction}`];
  for (const name of profile.architectures ?? []) {
    const own = { SCMP_ARCH_X86: 'x86', SCMP_ARCH_X32: 'x32' }[name];
    if (own) lines.push(`arch ${own}`);
  }
  for (const entry of profile.syscalls ?? []) {
    const returned = action(entry.action, entry.errnoRet);
    if (returned === defaultAction) continue;
    const args = entry.args ?? [];
    const repeated = new Set(args.map(({ index }) => index)).size < args.length;
    for (const name of entry.names) {
      for (const alternative of repeated ? args.map((argument) => [argument]) : [args]) {
        lines.push(['rule', returned, name, ...alternative.map(argumentWords)].join(' '));
      }
    }
  }
  return lines;
}

/** enum scmp_compare counts the operators from 1 in the order of our list. */
function argumentWords({ index, op, value, valueTwo }: SeccompArgument): string {
  return [index, operators.findIndex((name) => name === op) + 1, value, valueTwo ?? 0].join(' ');
}

/** The largest number of each ABI that the profile names: above it we, like runc, say ENOSYS, which is not libseccomp's doing. */
function lastNumbers(profile: SeccompProfile): number[] {
  const names = (profile.syscalls ?? []).flatMap((entry) => entry.names);
  return abis.map((_, column) => Math.max(-1, ...names.map((name) => syscallNumbers().get(name)?.[column] ?? -1)));
}

/** Where we differ on purpose: newer calls, and conditions that libseccomp takes for granted behind socketcall and ipc. */
function comparable(call: SeccompCall, profile: SeccompProfile, last: readonly number[]): boolean {
  const number = call.nr % X32_SYSCALL_BIT;
  if (call.nr === 0xffff_ffff) return !profile.architectures?.includes('SCMP_ARCH_X32') && call.arch !== AUDIT_ARCH_I386;
  if (call.arch === AUDIT_ARCH_I386) {
    const conditional = (profile.syscalls ?? []).some(({ names, args }) => args?.length && names.some(multiplexed));
    return number <= (last[1] ?? 0) && !(conditional && (number === 102 || number === 117));
  }
  return number <= ((call.nr >= X32_SYSCALL_BIT ? last[2] : last[0]) ?? 0);
}

/**
 * For each name one rule alone: of several with conditions libseccomp 2.5.4 makes a tree that at times passes over one that holds
 * (of "less than 2^60" and "less than 2^31" the first). Lists of equalities, which profiles have, are compared in the default profile.
 */
function oneRuleEach(profile: SeccompProfile): SeccompProfile {
  const seen = new Set<string>();
  const isFirst = (name: string): boolean => !seen.has(name) && Boolean(seen.add(name));
  const isOne = (args: readonly SeccompArgument[]): boolean => new Set(args.map(({ index }) => index)).size === args.length;
  return { ...profile, syscalls: (profile.syscalls ?? []).filter(({ names, args = [] }) => isOne(args) && names.every(isFirst)) };
}

/** libseccomp 2.5.4 takes LE for GT in 32-bit ABIs where another condition of the same entry stands before it. */
function strikesBug(profile: SeccompProfile): boolean {
  return (profile.syscalls ?? []).some(({ args = [] }) => args.length > 1 && args.some(({ op }) => op === 'SCMP_CMP_LE'));
}

test('random profiles answer as with libseccomp', { skip }, (context) => {
  // Calls that every ABI has (libseccomp 2.5.4 forgets to load the number when the one it tests first is missing in a listed ABI),
  // and that it knows in every ABI.
  const names = [...syscallNumbers()].filter(([, numbers]) => Math.min(...numbers) >= 0 && numbers[0] <= 450).map(([name]) => name);
  // One action a name: where conditions with different actions overlap, libseccomp's order is that of its own tree.
  const byName = (name: string): string => ['SCMP_ACT_ERRNO', 'SCMP_ACT_TRAP', 'SCMP_ACT_LOG'][name.length % 3] ?? '';
  let [compared, refused] = [0, 0];
  for (let seed = 1; seed <= 400; seed++) {
    const random = randomFrom(seed);
    const defaultAction = pick(random, ['SCMP_ACT_ALLOW', 'SCMP_ACT_KILL_PROCESS']);
    const profile = oneRuleEach({ ...randomProfile(random, { names, action: byName }), defaultAction });
    if (strikesBug(profile)) continue;
    const theirs = libseccomp(profile);
    if (!theirs) {
      refused++;
      continue;
    }
    if (theirs.unknown.size > 0) continue;
    const { program } = compileSeccomp(profile);
    const last = lastNumbers(profile);
    for (let count = 0; count < 60; count++) {
      const call = randomCall(random, profile);
      if (!comparable(call, profile, last)) continue;
      const data = seccompData(call.nr, call.arch, call.args);
      compared++;
      const ours = runClassic(program, data);
      const wanted = runClassic(theirs.program, data);
      if (ours !== wanted) {
        assert.fail(`seed ${seed}: nr ${call.nr}, arch ${call.arch.toString(16)}, args ${call.args.map((value) => value.toString(16)).join(' ')}: ` +
          `0x${ours.toString(16)}, libseccomp 0x${wanted.toString(16)}\n${oracleLines(profile).join('\n')}`);
      }
    }
  }
  context.diagnostic(`${compared} calls compared, ${refused} profiles refused by libseccomp`);
  assert.ok(compared > 3000);
});

test('the default profile answers as with libseccomp, on every number of every ABI', { skip }, () => {
  const argumentSets = [[0n], [1n], [17n], [38n], [40n], [45n], [0x20000n], [0xffff_ffffn], [0x1_0000_0001n], [0x1000_0011n]];
  for (const capabilities of [[], ['CAP_SYS_ADMIN', 'CAP_SYS_PTRACE'], ['CAP_SYS_NICE', 'CAP_BPF']]) {
    const profile = defaultProfile(capabilities, { major: 6, minor: 1 });
    const theirs = libseccomp(profile) ?? assert.fail('libseccomp refuses it');
    const { program } = compileSeccomp(profile);
    const last = lastNumbers(profile);
    // What this libseccomp has not heard of it cannot allow.
    const newer = new Set([...theirs.unknown, ...[...syscallNumbers()].filter(([, [number]]) => number > 450).map(([name]) => name)]);
    for (const [column, abi] of abis.entries()) {
      const unknown = new Set([...newer].map((name) => syscallNumbers().get(name)?.[column]));
      for (let number = 0; number <= (last[column] ?? 0); number++) {
        if (unknown.has(number)) continue;
        const nr = abi === 'x32' ? number + X32_SYSCALL_BIT : number;
        for (const args of argumentSets) {
          const data = seccompData(nr, abi === 'i386' ? AUDIT_ARCH_I386 : AUDIT_ARCH_X86_64, args);
          assert.equal(runClassic(program, data), runClassic(theirs.program, data), `${abi} ${number} (${args.join(' ')})`);
        }
      }
    }
  }
});

test('calls of ABIs that are not listed, and -1, answer as with libseccomp', { skip }, () => {
  for (const defaultAction of ['SCMP_ACT_ALLOW', 'SCMP_ACT_TRAP', 'SCMP_ACT_ERRNO']) {
    const profile: SeccompProfile = { defaultAction, syscalls: [{ names: ['getpid'], action: 'SCMP_ACT_LOG' }] };
    const theirs = libseccomp(profile) ?? assert.fail('libseccomp refuses it');
    for (const [nr, arch] of [[39, AUDIT_ARCH_I386], [X32_SYSCALL_BIT, AUDIT_ARCH_X86_64], [0xffff_ffff, AUDIT_ARCH_X86_64], [0xffff_fffe, AUDIT_ARCH_X86_64], [39, 0xc000_00b7]] as const) {
      const data = seccompData(nr, arch);
      assert.equal(runClassic(compileSeccomp(profile).program, data), runClassic(theirs.program, data), `${defaultAction} ${nr} ${arch.toString(16)}`);
    }
  }
});
