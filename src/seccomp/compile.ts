/** From the profile of config.json to the program that seccomp(SECCOMP_SET_MODE_FILTER) takes. */
import {
  SECCOMP_FILTER_FLAG_LOG, SECCOMP_FILTER_FLAG_NEW_LISTENER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, SECCOMP_FILTER_FLAG_TSYNC,
  SECCOMP_FILTER_FLAG_TSYNC_ESRCH, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
} from '../abi/seccomp.ts';
import type { Abi } from '../abi/syscall-numbers.ts';
import { assembleClassic, classicInstructionSize, maxClassicInstructions } from '../bpf/classic-assemble.ts';
import { parseAction, SECCOMP_RET_USER_NOTIF } from './action.ts';
import { parseArchitectures } from './architecture.ts';
import { parseEntries, unknownNames } from './entries.ts';
import { filterItems } from './filter.ts';
import { invalid, unexpected } from './invalid.ts';
import type { SeccompProfile } from './profile.ts';
import { rulesFor } from './rules.ts';
import type { AbiRules } from './rules.ts';

export interface CompiledSeccomp {
  /** `struct sock_filter[]`, at most 4096 of 8 bytes. */
  readonly program: Uint8Array<ArrayBuffer>;
  /** SECCOMP_FILTER_FLAG_... for seccomp(2). */
  readonly flags: number;
  /** Whether an action is SCMP_ACT_NOTIFY: seccomp(2) then returns the listener's descriptor, which belongs to listenerPath. */
  readonly needsListener: boolean;
  /** Names in the profile that are no system call of this machine; they have no effect. */
  readonly unknown: readonly string[];
}

const compiled = new WeakMap<SeccompProfile, CompiledSeccomp>();

/**
 * Compiles a profile; the same object again costs nothing, so it must not be changed.
 *
 * Beyond what the profile says: a call whose number is above all that the profile names gets ENOSYS where the default would
 * refuse it, since it is newer than the profile and a C library that sees ENOSYS falls back to an older call (runc
 * does the same).
 * @throws DelosError bad-config that names the property in `detail.field`, also if the program would be too long for the kernel
 */
export function compileSeccomp(profile: SeccompProfile): CompiledSeccomp {
  let result = compiled.get(profile);
  if (!result) {
    result = compile(profile);
    compiled.set(profile, result);
  }
  return result;
}

function compile(profile: SeccompProfile): CompiledSeccomp {
  const defaultAction = parseAction(profile.defaultAction, profile.defaultErrnoRet, ['defaultAction'], ['defaultErrnoRet']);
  if (defaultAction === SECCOMP_RET_USER_NOTIF) {
    throw invalid(['defaultAction'], 'SCMP_ACT_NOTIFY cannot be the default: the calls that hand over the listener would wait for it');
  }
  const entries = parseEntries(profile);
  const abis = parseArchitectures(profile.architectures ?? []);
  const rules = (abi: Abi): AbiRules | undefined => (abis.has(abi) ? rulesFor(abi, entries, defaultAction) : undefined);
  const x86_64 = rulesFor('x86_64', entries, defaultAction);
  const program = assembleClassic(filterItems({ defaultAction, x86_64, i386: rules('i386'), x32: rules('x32') }));
  const instructions = program.length / classicInstructionSize;
  if (instructions > maxClassicInstructions) {
    throw invalid(['syscalls'], `needs a program of ${instructions} instructions, the kernel takes ${maxClassicInstructions}`);
  }
  const needsListener = entries.some(({ action }) => action === SECCOMP_RET_USER_NOTIF);
  if (needsListener && !profile.listenerPath) throw invalid(['listenerPath'], 'expected the socket of an agent, since an action is SCMP_ACT_NOTIFY');
  return { program, flags: parseFlags(profile.flags ?? [], needsListener), needsListener, unknown: unknownNames(entries) };
}

/** The flags of a profile and what they are to seccomp(2). */
export const flags: Readonly<Record<string, number>> = {
  SECCOMP_FILTER_FLAG_TSYNC,
  SECCOMP_FILTER_FLAG_LOG,
  SECCOMP_FILTER_FLAG_SPEC_ALLOW,
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
};

/**
 * The flags for seccomp(2). The kernel refuses two combinations that a profile may well contain, so they are mended:
 * TSYNC with a listener needs TSYNC_ESRCH as well, and WAIT_KILLABLE_RECV without a listener means nothing and is left out.
 */
function parseFlags(names: readonly string[], needsListener: boolean): number {
  let value = needsListener ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0;
  names.forEach((name, index) => {
    const flag = Object.hasOwn(flags, name) ? flags[name] : undefined;
    if (flag === undefined) throw unexpected(['flags', index], `one of ${Object.keys(flags).join(', ')}`, name);
    value |= flag;
  });
  if (!needsListener) value &= ~SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
  else if (value & SECCOMP_FILTER_FLAG_TSYNC) value |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
  return value;
}
