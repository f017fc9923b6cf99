import { assembleExtended } from '../bpf/extended-assemble.ts';
import { alu32, alu64, exit, jump, label, load, r0, r1, r2, r3, r4, r5, type ExtendedItem } from '../bpf/extended.ts';
import type { DeviceException, DevicePolicy } from './devices.ts';

const BPF_DEVCG_DEV_BLOCK = 1;
const BPF_DEVCG_DEV_CHAR = 2;

/** Offsets in struct bpf_cgroup_dev_ctx, <linux/bpf.h>. access_type is the access in the high half, the type in the low one. */
const accessType = 0;
const majorNumber = 4;
const minorNumber = 8;

/**
 * A program of type BPF_PROG_TYPE_CGROUP_DEVICE that answers 1 for what the policy allows and 0 for the rest, as
 * `struct bpf_insn[]`. To be attached to the container's v2 cgroup as BPF_CGROUP_DEVICE with BPF_F_ALLOW_MULTI.
 *
 * One access may ask for several things at once (O_RDWR). Going from the last rule to the first, r3 holds those not yet
 * granted: a rule that allows takes its own out, one that denies ends with 0 when it meets one that is left.
 */
export function deviceProgram({ allowByDefault, rules }: DevicePolicy): Uint8Array {
  const items: ExtendedItem[] = [
    load(4, r2, r1, accessType),
    alu64('mov', r3, r2),
    alu32('and', r2, 0xffff),
    alu32('rsh', r3, 16),
    load(4, r4, r1, majorNumber),
    load(4, r5, r1, minorNumber),
    ...rules.toReversed().flatMap(ruleItems),
  ];
  return assembleExtended([...items, ...ending(allowByDefault, rules)]);
}

function ruleItems({ allow, type, major, minor, access }: DeviceException, index: number): ExtendedItem[] {
  const next = `next ${index}`;
  return [
    jump('jne', r2, type === 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR, next),
    ...(major === undefined ? [] : [jump('jne', r4, major, next)]),
    ...(minor === undefined ? [] : [jump('jne', r5, minor, next)]),
    ...(allow ? [alu32('and', r3, 7 & ~access), jump('jeq', r3, 0, 'allow')] : [jump('jset', r3, access, 'deny')]),
    label(next),
  ];
}

/** The default comes first, since the last rule falls through to it. The verifier refuses code that nothing reaches. */
function ending(allowByDefault: boolean, rules: readonly DeviceException[]): ExtendedItem[] {
  const answer = (allow: boolean): ExtendedItem[] => [label(allow ? 'allow' : 'deny'), alu64('mov', r0, allow ? 1 : 0), exit()];
  const isOtherReached = rules.some(({ allow }) => allow !== allowByDefault);
  return [...answer(allowByDefault), ...(isOtherReached ? answer(!allowByDefault) : [])];
}
