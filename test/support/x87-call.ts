import type { Float } from '../../src/cpu/float/float.ts';
import type { Operation } from './float-operations.ts';
import type { Question } from './silicon-float.ts';

type Exported = (...operands: readonly (number | bigint)[]) => number | bigint;

export interface X87Result {
  readonly first: bigint;
  readonly second: bigint;
  /** Exceptions and C0 to C3. */
  readonly flags: number;
}

/** Calls exports of the module as a processor does for x87's instruction of that name. */
export function callX87(float: Float, { name }: Operation, { a, b, control, immediate }: Question): X87Result {
  const call = (of: string, ...operands: (number | bigint)[]): bigint => BigInt((float[of as keyof Float] as Exported)(...operands));
  const extended = (significand: bigint): bigint => BigInt.asUintN(64, significand) | BigInt(float.high.value) << 64n;
  const x: [number, bigint] = [Number(a >> 64n & 0xffffn), BigInt.asUintN(64, a)];
  const y: [number, bigint] = [Number(b >> 64n & 0xffffn), BigInt.asUintN(64, b)];
  float.flags.value = 0;
  let second = b;
  const give = (first: bigint, codes = 0): X87Result => ({ first, second, flags: codes | float.exceptionsF80(control) });
  switch (name) {
    case 'compareF80': return give(a, Number(call('compareF80', ...x, ...y, 0)));
    case 'compareQuietF80': return give(a, Number(call('compareF80', ...x, ...y, 1)));
    case 'classifyF80': return give(a, Number(call('classifyF80', ...x)));
    case 'constantF80': return give(extended(call('constantF80', immediate, control)));
    case 'extractF80': {
      second = extended(call('exponentF80', ...x));
      return give(extended(call('significandF80', ...x)));
    }
    case 'squareRootF80': case 'roundF80': case 'power2F80': case 'sineF80': case 'cosineF80': case 'tangentF80':
      return give(extended(call(name, ...x, control)));
    case 'f32ToF80': return give(extended(call(name, Number(a))));
    case 'f64ToF80': return give(extended(call(name, a)));
    case 'i16ToF80': return give(extended(call('i64ToF80', BigInt.asIntN(16, a))));
    case 'i32ToF80': return give(extended(call('i64ToF80', BigInt.asIntN(32, a))));
    case 'i64ToF80': return give(extended(call('i64ToF80', BigInt.asIntN(64, a))));
    case 'bcdToF80': return give(extended(call(name, ...x)));
    case 'f80ToBcd': return give(extended(call(name, ...x, control)));
    case 'f80ToI16': return give(BigInt.asUintN(16, call(name, ...x, control)));
    case 'f80ToF32': case 'f80ToI32': return give(BigInt.asUintN(32, call(name, ...x, control)));
    case 'f80ToF64': case 'f80ToI64': return give(BigInt.asUintN(64, call(name, ...x, control)));
    default: return give(extended(call(name, ...x, ...y, control)));
  }
}

export function describeQuestion({ name, takes }: Operation, { a, b, control, immediate }: Question): string {
  const operands = [a, b].slice(0, Math.max(1, takes.length)).map((bits) => bits.toString(16).padStart(20, '0'));
  return `${name}(${operands.join(', ')}), control ${control.toString(16)}, immediate ${immediate}`;
}

/** How a result differs from what it should be, or nothing. Where an unmasked exception keeps it from being stored only flags count. */
export function x87Differs(operation: Operation, question: Question, got: X87Result, wanted: X87Result): string | undefined {
  const unmasked = got.flags & ~question.control & 63;
  const stored = (unmasked & 7) === 0 && !(operation.name.startsWith('f80To') && (unmasked & 0x18) !== 0);
  const second = operation.name === 'extractF80';
  if (got.flags === wanted.flags && (!stored || (got.first === wanted.first && (!second || got.second === wanted.second)))) return undefined;
  const told = ({ first, flags }: X87Result): string => `${first.toString(16)} with ${flags.toString(16)}`;
  return `${describeQuestion(operation, question)}: ${told(got)} instead of ${told(wanted)}`;
}
