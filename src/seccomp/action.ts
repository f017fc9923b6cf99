/** Actions of a profile and the values a filter returns for them. <linux/seccomp.h>, seccomp(2). */
import { EPERM } from '../abi/errno.ts';
import { invalid, unexpected } from './invalid.ts';
import type { Path } from './invalid.ts';

export const SECCOMP_RET_KILL_PROCESS = 0x8000_0000;
export const SECCOMP_RET_KILL_THREAD = 0x0000_0000;
export const SECCOMP_RET_TRAP = 0x0003_0000;
export const SECCOMP_RET_ERRNO = 0x0005_0000;
export const SECCOMP_RET_USER_NOTIF = 0x7fc0_0000;
export const SECCOMP_RET_TRACE = 0x7ff0_0000;
export const SECCOMP_RET_LOG = 0x7ffc_0000;
export const SECCOMP_RET_ALLOW = 0x7fff_0000;
/** What an action takes with it: the errno, the tracer's message. */
export const SECCOMP_RET_DATA = 0xffff;

/** The kernel makes larger ones into this. */
const MAX_ERRNO = 4095;

/** The specification's names. SCMP_ACT_KILL is libseccomp's older name for KILL_THREAD. */
export const actions: Readonly<Record<string, number>> = {
  SCMP_ACT_KILL: SECCOMP_RET_KILL_THREAD,
  SCMP_ACT_KILL_THREAD: SECCOMP_RET_KILL_THREAD,
  SCMP_ACT_KILL_PROCESS: SECCOMP_RET_KILL_PROCESS,
  SCMP_ACT_TRAP: SECCOMP_RET_TRAP,
  SCMP_ACT_ERRNO: SECCOMP_RET_ERRNO,
  SCMP_ACT_NOTIFY: SECCOMP_RET_USER_NOTIF,
  SCMP_ACT_TRACE: SECCOMP_RET_TRACE,
  SCMP_ACT_LOG: SECCOMP_RET_LOG,
  SCMP_ACT_ALLOW: SECCOMP_RET_ALLOW,
};

/**
 * The value a filter returns for an action.
 * @param errnoRet the property beside the action; EPERM where it is left out and the action takes one
 * @throws DelosError bad-config for an unknown action, and for an errnoRet that the action cannot carry
 */
export function parseAction(name: string, errnoRet: number | undefined, actionPath: Path, errnoPath: Path): number {
  const value = Object.hasOwn(actions, name) ? actions[name] : undefined;
  if (value === undefined) throw unexpected(actionPath, `one of ${Object.keys(actions).join(', ')}`, name);
  if (value !== SECCOMP_RET_ERRNO && value !== SECCOMP_RET_TRACE) {
    if (errnoRet !== undefined) throw invalid(errnoPath, `${name} carries no errno; only SCMP_ACT_ERRNO and SCMP_ACT_TRACE do`);
    return value;
  }
  const most = value === SECCOMP_RET_ERRNO ? MAX_ERRNO : SECCOMP_RET_DATA;
  const data = errnoRet ?? EPERM;
  if (!Number.isInteger(data) || data < 0 || data > most) throw unexpected(errnoPath, `0 to ${most}`, data);
  return value + data;
}

/**
 * How much an action lets through; the kernel takes the lowest of several filters' answers, comparing them as signed numbers:
 * KILL_PROCESS, KILL_THREAD, TRAP, ERRNO, USER_NOTIF, TRACE, LOG, ALLOW.
 */
export function permissiveness(returned: number): number {
  return (returned & ~SECCOMP_RET_DATA) | 0;
}
