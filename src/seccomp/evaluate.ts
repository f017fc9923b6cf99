/**
 * What a profile answers to one system call, read straight from its entries: no program, no tables, no order of our own. The
 * compiled program must agree with it on every call, which tests and the fuzzer check.
 */
import { ENOSYS } from '../abi/errno.ts';
import { abis, syscallNumbers, X32_SYSCALL_BIT } from '../abi/syscall-numbers.ts';
import type { Abi } from '../abi/syscall-numbers.ts';
import { parseAction, permissiveness, SECCOMP_RET_ERRNO, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRACE } from './action.ts';
import { AUDIT_ARCH_I386, AUDIT_ARCH_X86_64, parseArchitectures } from './architecture.ts';
import { holds, narrow } from './condition.ts';
import type { Condition } from './condition.ts';
import { parseEntries } from './entries.ts';
import type { Entry } from './entries.ts';
import { multiplexed } from './multiplexer.ts';
import type { SeccompProfile } from './profile.ts';

/** A system call as a filter sees it. */
export interface SeccompCall {
  /** With X32_SYSCALL_BIT for x32; 0 to 2^32 - 1. */
  readonly nr: number;
  /** AUDIT_ARCH_... */
  readonly arch: number;
  /** Six, 0 to 2^64 - 1 each. */
  readonly args: readonly bigint[];
}

/**
 * The answer, SECCOMP_RET_... with its data.
 * @throws DelosError bad-config for a profile that compileSeccomp refuses too
 */
export function evaluateSeccomp(profile: SeccompProfile, call: SeccompCall): number {
  const defaultAction = parseAction(profile.defaultAction, profile.defaultErrnoRet, ['defaultAction'], ['defaultErrnoRet']);
  const listed = parseArchitectures(profile.architectures ?? []);
  const abi = abiOf(call);
  if (abi === undefined) return SECCOMP_RET_KILL_THREAD;
  if (!listed.has(abi)) return call.nr === 0xffff_ffff && abi === 'x32' ? defaultAction : SECCOMP_RET_KILL_THREAD;
  const number = abi === 'x32' ? call.nr - X32_SYSCALL_BIT : call.nr;
  const entries = parseEntries(profile);
  const last = Math.max(-1, ...entries.flatMap(({ names }) => names.map((name) => numberOf(name, abi))));
  if (number > last && last >= 0) return passes(defaultAction) ? defaultAction : SECCOMP_RET_ERRNO + ENOSYS;
  const speaking = entries.filter(({ action }) => action !== defaultAction);
  const direct = speaking.filter(({ names }) => names.some((name) => numberOf(name, abi) === number));
  const always = direct.find(isAlways);
  if (always) return always.action;
  const conditional = direct.find((entry) => meets(entry, call.args, abi));
  if (conditional) return conditional.action;
  return (abi === 'i386' ? behindPointer(speaking, number, call.args, defaultAction) : undefined) ?? defaultAction;
}

function abiOf({ arch, nr }: SeccompCall): Abi | undefined {
  if (arch === AUDIT_ARCH_I386) return 'i386';
  if (arch !== AUDIT_ARCH_X86_64) return undefined;
  return nr >= X32_SYSCALL_BIT ? 'x32' : 'x86_64';
}

function numberOf(name: string, abi: Abi): number {
  return syscallNumbers().get(name)?.[abis.indexOf(abi)] ?? -1;
}

function passes(action: number): boolean {
  return permissiveness(action) >= permissiveness(SECCOMP_RET_TRACE);
}

function isAlways({ alternatives }: Entry): boolean {
  return alternatives.some((conditions) => conditions.length === 0);
}

function meets({ alternatives }: Entry, args: readonly bigint[], abi: Abi): boolean {
  const asked = (condition: Condition): Condition => (abi === 'x86_64' ? condition : narrow(condition));
  return alternatives.some((conditions) => conditions.every((condition) => holds(asked(condition), args[condition.argument] ?? 0n)));
}

/** The answer to socketcall and ipc by the entries for the call they stand for; undefined if there are none. */
function behindPointer(entries: readonly Entry[], number: number, args: readonly bigint[], defaultAction: number): number | undefined {
  const meant = Number((args[0] ?? 0n) & 0xffff_ffffn);
  const isMeant = (name: string): boolean => {
    const gate = multiplexed(name);
    return gate !== undefined && gate.call === meant && numberOf(gate.through, 'i386') === number;
  };
  const relevant = entries.filter(({ names }) => names.some(isMeant));
  const decisive = relevant.find(isAlways) ?? relevant.find(({ action }) => permissiveness(action) < permissiveness(defaultAction));
  return decisive?.action;
}
