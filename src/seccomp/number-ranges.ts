import { ENOSYS } from '../abi/errno.ts';
import { permissiveness, SECCOMP_RET_ERRNO, SECCOMP_RET_TRACE } from './action.ts';
import type { AbiRules, Verdict } from './rules.ts';

/** From this number (as in `seccomp_data.nr`) up to the next range's, the verdict is this. */
export interface NumberRange {
  readonly from: number;
  readonly verdict: Verdict;
}

/**
 * The verdicts of an ABI as ranges: the numbers the profile says nothing of get the default, those above all that it names ENOSYS.
 * @param base what the ABI adds to its numbers: X32_SYSCALL_BIT or 0
 */
export function numberRanges({ verdicts, last }: AbiRules, defaultAction: number, base: number): NumberRange[] {
  const ranges: NumberRange[] = [];
  let previous: Verdict | undefined;
  for (let number = 0; number <= Math.max(last, 0); number++) {
    const verdict = verdicts[number] ?? defaultAction;
    if (verdict !== previous) ranges.push({ from: base + number, verdict });
    previous = verdict;
  }
  if (last >= 0) ranges.push({ from: base + last + 1, verdict: newerAction(defaultAction) });
  return ranges;
}

/**
 * The answer to calls newer than the profile. A default that lets through, or a tracer that decides, knows better itself; any
 * other would refuse in a way from which no C library falls back to an older call.
 */
function newerAction(defaultAction: number): number {
  return permissiveness(defaultAction) >= permissiveness(SECCOMP_RET_TRACE) ? defaultAction : SECCOMP_RET_ERRNO + ENOSYS;
}
