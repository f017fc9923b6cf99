import type { Integer, SeccompArgument } from './profile.ts';
import { unexpected } from './invalid.ts';
import type { Path } from './invalid.ts';

/** libseccomp's names of the comparisons, all unsigned. MASKED_EQ: (argument & value) === (valueTwo & value). */
export const operators = ['SCMP_CMP_NE', 'SCMP_CMP_LT', 'SCMP_CMP_LE', 'SCMP_CMP_EQ', 'SCMP_CMP_GE', 'SCMP_CMP_GT', 'SCMP_CMP_MASKED_EQ'] as const;
export type Operator = (typeof operators)[number];

/** One comparison of an argument, checked. */
export interface Condition {
  /** 0 to 5. */
  readonly argument: number;
  readonly operator: Operator;
  /** What the argument, masked, is compared with; no bit outside the mask. */
  readonly value: bigint;
  /** All ones but for SCMP_CMP_MASKED_EQ. */
  readonly mask: bigint;
}

export const allBits = 0xffff_ffff_ffff_ffffn;

/** @throws DelosError bad-config for an index, operator or value out of range */
export function parseCondition(argument: SeccompArgument, path: Path): Condition {
  const { index, op } = argument;
  if (!Number.isInteger(index) || index < 0 || index > 5) throw unexpected([...path, 'index'], '0 to 5', index);
  const operator = operators.find((name) => name === op);
  if (!operator) throw unexpected([...path, 'op'], `one of ${operators.join(', ')}`, op);
  const value = parse64(argument.value, [...path, 'value']);
  const valueTwo = parse64(argument.valueTwo ?? 0, [...path, 'valueTwo']);
  if (operator === 'SCMP_CMP_MASKED_EQ') return { argument: index, operator, value: valueTwo & value, mask: value };
  return { argument: index, operator, value, mask: allBits };
}

function parse64(value: Integer, path: Path): bigint {
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) {
    const whole = BigInt(value);
    if (whole >= 0n && whole <= allBits) return whole;
  }
  throw unexpected(path, 'a whole number of 64 bits, 0 or more', value);
}

/**
 * The condition as a 32-bit ABI (i386, x32) can ask it: libseccomp compares the low 32 bits of the argument with the low 32 bits
 * of the value, and so do we, for the same profile to give the same answers.
 */
export function narrow(condition: Condition): Condition {
  return { ...condition, value: condition.value & 0xffff_ffffn, mask: condition.mask & 0xffff_ffffn };
}

/** Whether an argument meets the condition; what the compiled program must agree with. */
export function holds({ operator, value, mask }: Condition, argument: bigint): boolean {
  const masked = argument & mask;
  switch (operator) {
    case 'SCMP_CMP_NE':
      return masked !== value;
    case 'SCMP_CMP_LT':
      return masked < value;
    case 'SCMP_CMP_LE':
      return masked <= value;
    case 'SCMP_CMP_EQ':
    case 'SCMP_CMP_MASKED_EQ':
      return masked === value;
    case 'SCMP_CMP_GE':
      return masked >= value;
    case 'SCMP_CMP_GT':
      return masked > value;
  }
}
